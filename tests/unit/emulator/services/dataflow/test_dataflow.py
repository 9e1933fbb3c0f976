"""Jobs of flex templates: launch, states, messages, counters, cancellation, restart."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from emulator.app import create_app
from emulator.cloud import Cloud
from tests.support.waiting import wait_until

PIPELINE = """
import json, sys, time
options = dict(one[2:].split("=", 1) for one in sys.argv[1:])
counters = {"message": "counters", "pipeline": "ingest", "worker": "w", "counters": {"stored": 7}}
print(json.dumps(counters), file=sys.stderr, flush=True)
if options["mode"] == "wait":
    time.sleep(600)
if "more" in options:
    print(json.dumps({"severity": "ERROR", "message": options["more"]}), file=sys.stderr)
sys.exit(int(options["mode"]))
"""
JOBS = "/v1b3/projects/local-project/locations/us-central1"
METADATA = {
    "name": "Test",
    "parameters": [
        {"name": "mode", "label": "Mode", "helpText": "What it does", "regexes": ["wait|[0-9]+"]},
        {"name": "more", "label": "More", "helpText": "Nothing", "isOptional": True},
    ],
}
SPEC = {"image": "registry.example/p/pipeline:1", "metadata": METADATA}


class Dataflow:
    """Calls of Dataflow."""

    def __init__(self, client: TestClient) -> None:
        self.client = client

    def launch(self, mode: str, name: str = "run", **fields: Any) -> Any:
        """Launch a job."""
        launch = {"jobName": name, "containerSpec": SPEC, "parameters": {"mode": mode}, **fields}
        url = f"{JOBS}/flexTemplates:launch"
        return self.client.post(url, json={"launchParameter": launch})

    def id_of(self, answer: Any) -> str:
        """Return the id of a launched job."""
        return str(answer.raise_for_status().json()["job"]["id"])

    def get(self, path: str, **query: str) -> Any:
        """Read something below the jobs."""
        answer = self.client.get(f"{JOBS}/jobs{path}", params=query)
        return answer.raise_for_status().json()

    def errors(self, id_: str) -> list[str]:
        """Return the texts of a job's messages that are errors."""
        found = self.get(f"/{id_}/messages", minimumImportance="JOB_MESSAGE_ERROR")
        return [one["messageText"] for one in found["jobMessages"]]

    def reaches(self, id_: str, state: str) -> Any:
        """Wait for a state of a job."""

        def look() -> Any:
            job = self.get(f"/{id_}")
            return job if job["currentState"] == state else None

        return wait_until(look, f"{id_} is never {state}")


@pytest.fixture
def begin(open_cloud: Callable[..., Cloud], tmp_path: Path) -> Iterator[Callable[[], Dataflow]]:
    """Starts the emulator on the same state."""
    program = tmp_path / "pipeline.py"
    program.write_text(PIPELINE)
    clients: list[TestClient] = []

    def begin() -> Dataflow:
        if clients:
            clients.pop().__exit__(None, None, None)
        cloud = open_cloud(images={"pipeline": str(program)})
        cloud.service_usage.services.enable("local-project", ["dataflow.googleapis.com"])
        client = TestClient(create_app(cloud), "http://127.0.0.1")
        clients.append(client.__enter__())
        return Dataflow(client)

    yield begin
    for client in clients:
        client.__exit__(None, None, None)


@pytest.fixture
def dataflow(begin: Callable[[], Dataflow]) -> Dataflow:
    return begin()


def test_a_job_runs_to_its_end(dataflow: Dataflow) -> None:
    answer = dataflow.launch("0").json()["job"]
    assert answer["currentState"] == "JOB_STATE_QUEUED"
    assert answer["type"] == "JOB_TYPE_BATCH"
    job = dataflow.reaches(answer["id"], "JOB_STATE_DONE")
    assert job["name"] == "run"
    assert "environment" not in job
    whole = dataflow.get(f"/{job['id']}", view="JOB_VIEW_ALL")
    assert whole["environment"]["sdkPipelineOptions"] == {"options": {"mode": "0"}}
    account = whole["environment"]["serviceAccountEmail"]
    assert account.endswith("-compute@developer.gserviceaccount.com")
    texts = [one["messageText"] for one in dataflow.get(f"/{job['id']}/messages")["jobMessages"]]
    assert texts[-1] == "Worker pool stopped."


def test_counters_of_the_workers_are_metrics(dataflow: Dataflow) -> None:
    id_ = dataflow.id_of(dataflow.launch("0"))
    dataflow.reaches(id_, "JOB_STATE_DONE")

    committed, tentative = dataflow.get(f"/{id_}/metrics")["metrics"]
    assert committed["name"] == {
        "origin": "user",
        "name": "stored",
        "context": {"namespace": "ingest", "step": "ingest"},
    }
    assert committed["scalar"] == tentative["scalar"] == 7
    assert tentative["name"]["context"]["tentative"] == "true"


def test_a_job_that_fails_says_why(dataflow: Dataflow) -> None:
    id_ = dataflow.id_of(dataflow.launch("4"))
    dataflow.reaches(id_, "JOB_STATE_FAILED")
    assert dataflow.errors(id_) == [
        "Workflow failed. Causes: The container ended with exit code 4."
    ]

    parameters = {"mode": "4", "more": "No such table: p.d.t"}
    id_ = dataflow.id_of(dataflow.launch("4", parameters=parameters))
    dataflow.reaches(id_, "JOB_STATE_FAILED")
    assert dataflow.errors(id_) == [
        "No such table: p.d.t",
        "Workflow failed. Causes: The container ended with exit code 4.",
    ]


def test_an_unknown_image_fails_the_job(dataflow: Dataflow) -> None:
    id_ = dataflow.id_of(dataflow.launch("0", containerSpec={"image": "nobody/knows:1"}))
    dataflow.reaches(id_, "JOB_STATE_FAILED")
    [error] = dataflow.errors(id_)
    assert "can't run on the local Google Cloud" in error


def test_a_job_is_cancelled_once(dataflow: Dataflow) -> None:
    id_ = dataflow.id_of(dataflow.launch("wait"))
    dataflow.reaches(id_, "JOB_STATE_RUNNING")
    second = dataflow.launch("wait")
    assert second.status_code == 409
    assert "There is already an active job named run." in second.json()["error"]["message"]

    url, wanted = f"{JOBS}/jobs/{id_}", {"requestedState": "JOB_STATE_CANCELLED"}
    answer = dataflow.client.put(url, json=wanted).raise_for_status().json()
    assert answer["currentState"] == "JOB_STATE_CANCELLING"
    dataflow.reaches(id_, "JOB_STATE_CANCELLED")
    again = dataflow.client.put(url, json=wanted).raise_for_status().json()
    assert again["currentState"] == "JOB_STATE_CANCELLED"
    drained = dataflow.client.put(url, json={"requestedState": "JOB_STATE_DRAINED"})
    assert drained.status_code == 400


def test_a_job_runs_again_after_a_restart(begin: Callable[[], Dataflow]) -> None:
    first = begin()
    id_ = first.id_of(first.launch("wait"))
    first.reaches(id_, "JOB_STATE_RUNNING")
    begin().reaches(id_, "JOB_STATE_RUNNING")


def test_lists_are_filtered_and_paged(dataflow: Dataflow) -> None:
    ended = dataflow.id_of(dataflow.launch("0", "first"))
    dataflow.reaches(ended, "JOB_STATE_DONE")
    active = dataflow.id_of(dataflow.launch("wait", "second"))
    assert [one["id"] for one in dataflow.get("")["jobs"]] == [active, ended]
    assert [one["id"] for one in dataflow.get("", filter="ACTIVE")["jobs"]] == [active]
    assert [one["id"] for one in dataflow.get("", filter="TERMINATED")["jobs"]] == [ended]
    assert [one["id"] for one in dataflow.get("", name="first")["jobs"]] == [ended]
    page = dataflow.get("", pageSize="1")
    following = dataflow.get("", pageSize="1", pageToken=page["nextPageToken"])
    assert [page["jobs"][0]["id"], following["jobs"][0]["id"]] == [active, ended]


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"jobName": "Not Valid"}, "Invalid job name"),
        ({"parameters": {}}, "mode: Missing required parameter"),
        ({"parameters": {"mode": "0", "other": "1"}}, "other: Unrecognized parameter"),
        ({"parameters": {"mode": "never"}}, "mode: Parameter didn't match regex 'wait|[0-9]+'"),
        ({"containerSpec": {}}, "image is required"),
    ],
)
def test_a_wrong_launch_is_refused(
    dataflow: Dataflow, fields: dict[str, Any], complaint: str
) -> None:
    answer = dataflow.launch("0", **fields)
    assert answer.status_code == 400
    assert complaint in answer.json()["error"]["message"]


def test_every_wrong_parameter_is_named(dataflow: Dataflow) -> None:
    error = dataflow.launch("0", parameters={"other": "1", "mode": "never"}).json()["error"]
    assert error["message"] == (
        "The template parameters are invalid. Details: \nother: Unrecognized parameter"
        "\nmode: Parameter didn't match regex 'wait|[0-9]+'"
    )
    assert error["details"] == [
        {
            "@type": "type.googleapis.com/google.dataflow.v1beta3.InvalidTemplateParameters",
            "parameterViolations": [
                {"parameter": "other", "description": "Unrecognized parameter"},
                {"parameter": "mode", "description": "Parameter didn't match regex 'wait|[0-9]+'"},
            ],
        }
    ]


def test_a_validation_launches_nothing(dataflow: Dataflow) -> None:
    launch = {"jobName": "run", "containerSpec": SPEC, "parameters": {"mode": "0"}}
    body = {"launchParameter": launch, "validateOnly": True}
    answer = dataflow.client.post(f"{JOBS}/flexTemplates:launch", json=body)
    assert answer.raise_for_status().json() == {}
    assert dataflow.get("") == {}


def test_an_unknown_job_is_not_found(dataflow: Dataflow) -> None:
    answer = dataflow.client.get(f"{JOBS}/jobs/2026-01-01_00_00_00-1")
    assert answer.status_code == 404
