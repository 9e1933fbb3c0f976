"""Services of Cloud Run: their revisions, their address, and what becomes of their processes."""

from collections.abc import Callable
from typing import Any

import psutil
import pytest

from emulator.cloud import Cloud
from tests.support.run_api import RunApi, answer
from tests.support.run_programs import container
from tests.support.waiting import wait_until

pytestmark = pytest.mark.sockets

Begin = Callable[..., tuple[Cloud, RunApi]]
SUCCEEDED, FAILED = "CONDITION_SUCCEEDED", "CONDITION_FAILED"


def web(greeting: str = "hello", image: str = "web", **fields: Any) -> dict[str, Any]:
    env = [{"name": "GREETING", "value": greeting}]
    return {"template": {"containers": [container(image, env=env, **fields)]}}


def entries(cloud: Cloud, log: str) -> list[dict[str, Any]]:
    name = f"projects/local-project/logs/run.googleapis.com%2F{log}"
    found = cloud.logging.entries.page(["local-project"], None, 100)
    return [entry for _, entry in found if entry["logName"] == name]


def test_a_service_answers_at_its_address(run: RunApi) -> None:
    operation = run.call("POST", "services", web(), serviceId="front")
    assert "done" not in operation
    assert operation["metadata"]["terminalCondition"]["state"] == "CONDITION_RECONCILING"
    service = run.ended(operation)["response"]
    assert service["@type"] == "type.googleapis.com/google.cloud.run.v2.Service"
    assert service["terminalCondition"]["state"] == SUCCEEDED
    assert service["observedGeneration"] == service["generation"] == "1"
    assert service["latestReadyRevision"] == service["latestCreatedRevision"]
    assert service["urls"] == [service["uri"]]
    assert "reconciling" not in service
    got = answer(service, "/a?b=c", content="text").json()
    assert (got["method"], got["path"], got["body"]) == ("POST", "/a?b=c", "text")
    assert got["host"] == service["uri"].removeprefix("http://")
    assert got["K_SERVICE"] == "front"
    assert got["K_REVISION"] == service["latestReadyRevision"].rpartition("/")[2]


def test_defaults_are_those_of_the_service(run: RunApi) -> None:
    run.done("POST", "services", web(), serviceId="front")
    service = run.call("GET", "services/front")
    template = service["template"]
    assert service["ingress"] == "INGRESS_TRAFFIC_ALL"
    assert service["traffic"] == [{"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "percent": 100}]
    assert template["timeout"] == "300s"
    assert template["serviceAccount"].endswith("-compute@developer.gserviceaccount.com")
    assert template["containers"][0]["ports"] == [{"name": "http1", "containerPort": 8080}]
    assert template["containers"][0]["resources"]["limits"] == {"cpu": "1000m", "memory": "512Mi"}


def test_a_new_template_is_a_new_revision_at_the_same_address(run: RunApi) -> None:
    first = run.done("POST", "services", web("one"), serviceId="front")
    before = answer(first).json()
    second = run.done("PATCH", "services/front", web("two"))
    assert second["uri"] == first["uri"]
    assert second["generation"] == "2"
    assert answer(second).json()["GREETING"] == "two"
    wait_until(lambda: not psutil.pid_exists(before["pid"]), "the first revision still runs")
    names = [one["name"] for one in run.call("GET", "services/front/revisions")["revisions"]]
    assert names == sorted([first["latestReadyRevision"], second["latestReadyRevision"]])
    run.done("DELETE", f"services/front/revisions/{names[0].rpartition('/')[2]}")
    assert len(run.call("GET", "services/front/revisions")["revisions"]) == 1


def test_other_changes_keep_the_process(run: RunApi) -> None:
    first = run.done("POST", "services", web(), serviceId="front")
    pid = answer(first).json()["pid"]
    body = {"labels": {"team": "imaging"}}
    second = run.done("PATCH", "services/front", body, updateMask="labels")
    assert second["labels"] == {"team": "imaging"}
    assert second["latestReadyRevision"] == first["latestReadyRevision"]
    assert answer(second).json()["pid"] == pid


def test_a_process_that_dies_is_started_again(run: RunApi) -> None:
    service = run.done("POST", "services", web(), serviceId="front")
    pid = answer(service).json()["pid"]
    assert answer(service, "/die").status_code == 503
    wait_until(lambda: answer(service).status_code == 200, "it does not come back")
    assert answer(service).json()["pid"] != pid
    assert run.call("GET", "services/front")["etag"] == service["etag"]


def test_a_service_that_does_not_listen_is_not_ready(run: RunApi) -> None:
    failed = run.ended(run.call("POST", "services", web(image="job"), serviceId="front"))
    assert failed["error"]["code"] == 9
    message = failed["error"]["message"]
    assert "failed to start and listen on the port defined provided by the PORT=8080" in message
    assert "exit code 1" in message
    service = run.call("GET", "services/front")
    assert service["terminalCondition"]["state"] == FAILED
    assert service["terminalCondition"]["revisionReason"] == "HEALTH_CHECK_CONTAINER_ERROR"
    assert "latestReadyRevision" not in service
    assert answer(service).status_code == 503


def test_a_revision_that_fails_leaves_the_one_before(run: RunApi) -> None:
    first = run.done("POST", "services", web("one"), serviceId="front")
    failed = run.ended(run.call("PATCH", "services/front", web(image="job")))
    assert failed["error"]["code"] == 9
    service = run.call("GET", "services/front")
    assert service["latestReadyRevision"] == first["latestReadyRevision"]
    assert answer(service).json()["GREETING"] == "one"
    assert (
        run.done("PATCH", "services/front", web("two"))["terminalCondition"]["state"] == SUCCEEDED
    )
    assert answer(service).json()["GREETING"] == "two"


def test_an_image_that_is_not_known_is_kept_and_says_why(run: RunApi) -> None:
    service = run.done("POST", "services", web(image="other"), serviceId="front")
    condition = service["terminalCondition"]
    assert condition["state"] == SUCCEEDED
    assert condition["severity"] == "WARNING"
    assert "--image other=MODULE" in condition["message"]
    response = answer(service)
    assert response.status_code == 503
    assert "--image other=MODULE" in response.text


def test_a_deleted_service_leaves_nothing(run: RunApi) -> None:
    service = run.done("POST", "services", web(), serviceId="front")
    pid = answer(service).json()["pid"]
    run.done("DELETE", "services/front")
    assert not psutil.pid_exists(pid)
    assert run.refused("GET", "services/front")["code"] == 404
    assert run.call("GET", "services") == {}
    again = run.done("POST", "services", web(), serviceId="front")
    assert answer(again).status_code == 200


def test_a_service_runs_again_after_a_restart_of_the_emulator(begin: Begin) -> None:
    _, run = begin()
    service = run.done("POST", "services", web(), serviceId="front")
    pid = answer(service).json()["pid"]
    _, run = begin()
    assert not psutil.pid_exists(pid)
    wait_until(lambda: answer(service).status_code == 200, "it does not run again")
    assert run.call("GET", "services/front") == {
        key: value for key, value in service.items() if key != "@type"
    }


def test_a_reset_leaves_nothing(begin: Begin) -> None:
    cloud, run = begin()
    service = run.done("POST", "services", web(), serviceId="front")
    pid = answer(service).json()["pid"]
    cloud.reset()
    assert not psutil.pid_exists(pid)
    cloud.service_usage.services.enable("local-project", ["run.googleapis.com"])
    assert run.call("GET", "services") == {}
    assert cloud.containers.names() == []
    again = run.done("POST", "services", web(), serviceId="front")
    assert answer(again).status_code == 200


def test_output_and_requests_are_logged(begin: Begin) -> None:
    cloud, run = begin()
    service = run.done("POST", "services", web(), serviceId="front")
    answer(service, "/a", content="payload")
    wait_until(lambda: entries(cloud, "stdout"), "no line is logged")
    wait_until(lambda: entries(cloud, "requests"), "no request is logged")
    (line,), (request,) = entries(cloud, "stdout"), entries(cloud, "requests")
    assert line["severity"] == "NOTICE"
    assert line["jsonPayload"] == {"message": "got", "body": "payload"}
    labels = {
        "project_id": "local-project",
        "location": "europe-west4",
        "service_name": "front",
        "configuration_name": "front",
        "revision_name": service["latestReadyRevision"].rpartition("/")[2],
    }
    for entry in (line, request):
        assert entry["resource"] == {"type": "cloud_run_revision", "labels": labels}
    assert request["httpRequest"]["requestUrl"] == f"{service['uri']}/a"
    assert request["httpRequest"]["status"] == 200


def test_traffic_may_stay_at_an_earlier_revision(run: RunApi) -> None:
    first = run.done("POST", "services", web("one"), serviceId="front")
    id_ = first["latestReadyRevision"].rpartition("/")[2]
    target = {
        "type": "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION",
        "revision": id_,
        "percent": 100,
    }
    service = run.done("PATCH", "services/front", {**web("two"), "traffic": [target]})
    assert service["trafficStatuses"] == [target]
    assert answer(service).json()["GREETING"] == "one"
    service = run.done("PATCH", "services/front", {}, updateMask="traffic")
    assert answer(service).json()["GREETING"] == "two"


def test_validation_alone_changes_nothing(run: RunApi) -> None:
    operation = run.call("POST", "services", web(), serviceId="front", validateOnly="true")
    assert operation["done"]
    assert operation["response"]["name"].endswith("/services/front")
    assert run.call("GET", "services") == {}


@pytest.mark.parametrize(
    ("body", "id_", "code", "complaint"),
    [
        ({}, "front", 400, "at least one container is required"),
        (
            {"template": {"containers": [{}]}},
            "front",
            400,
            "containers[0].image: must not be empty",
        ),
        (web(), "Front", 400, "Invalid Service id 'Front'"),
        ({**web(), "colour": "red"}, "front", 400, 'Unknown name "colour"'),
        (
            {"template": {"containers": [container("web", env=[{"name": "PORT", "value": "1"}])]}},
            "front",
            400,
            "The following reserved env names were provided: PORT.",
        ),
        (
            {**web(), "traffic": [{"revision": "front-1", "percent": 100}]},
            "front",
            400,
            "Revision front-1 not found",
        ),
        (
            {**web(), "traffic": [{"percent": 50}]},
            "front",
            400,
            "Traffic targets sum to 50, want 100",
        ),
        (
            {"template": {**web()["template"], "serviceAccount": "no@p.iam.gserviceaccount.com"}},
            "front",
            403,
            "denied on service account no@p.iam.gserviceaccount.com (or it may not exist)",
        ),
    ],
)
def test_what_is_not_valid_is_refused(
    run: RunApi, body: dict[str, Any], id_: str, code: int, complaint: str
) -> None:
    error = run.refused("POST", "services", body, serviceId=id_)
    assert error["code"] == code
    assert complaint in error["message"]
    assert run.call("GET", "services") == {}


def test_another_etag_is_refused(run: RunApi) -> None:
    run.done("POST", "services", web(), serviceId="front")
    error = run.refused("PATCH", "services/front", {**web("two"), "etag": '"old"'})
    assert (error["code"], error["status"]) == (409, "ABORTED")
    assert run.refused("POST", "services", web(), serviceId="front")["status"] == "ALREADY_EXISTS"


def test_the_api_must_be_enabled(begin: Begin) -> None:
    cloud, run = begin()
    cloud.service_usage.services.disable("local-project", "run.googleapis.com")
    assert "Cloud Run Admin API" in run.refused("GET", "services")["message"]


def test_operations_whose_change_was_over_end_after_a_restart(begin: Begin) -> None:
    cloud, run = begin()
    service = run.done("POST", "services", web(), serviceId="front")
    gone = service["name"].replace("front", "gone")
    interrupted = [cloud.run.operations.start(name) for name in (service["name"], gone)]
    _, run = begin()
    changed, deleted = map(run.ended, interrupted)
    assert changed["response"]["uri"] == service["uri"]
    assert deleted["response"]["name"] == gone
