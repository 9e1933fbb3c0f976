"""The calls that the console needs: messages that stay, datasets and policies at once."""

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from emulator.app import create_app
from emulator.cloud import Cloud
from emulator.services.containers.models import Container, Logs
from emulator.services.pubsub.recent_messages import MAX_KEPT
from tests.support.emulator_names import LOCATION, PROJECT
from tests.support.waiting import wait_until

INSPECTED = f"/_emulator/{PROJECT}"
TOPIC = f"{PROJECT}/topics/events"
WATCH = f"{PROJECT}/subscriptions/watch"


def publish(client: TestClient, *texts: str) -> None:
    sent = [{"data": base64.b64encode(text.encode()).decode()} for text in texts]
    client.post(f"/v1/{TOPIC}:publish", json={"messages": sent}).raise_for_status()


def shown(client: TestClient) -> dict[str, Any]:
    answer = client.get(f"{INSPECTED}/topics/events/messages")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def texts(found: dict[str, Any]) -> list[str]:
    return [base64.b64decode(message["data"]).decode() for message in found["messages"]]


def test_messages_are_shown_and_stay_for_their_subscription(client: TestClient) -> None:
    client.put(f"/v1/{TOPIC}", json={}).raise_for_status()
    publish(client, "before any subscription")
    client.put(f"/v1/{WATCH}", json={"topic": TOPIC}).raise_for_status()
    publish(client, "first", "second")

    for _ in range(2):
        found = shown(client)
        assert texts(found) == ["second", "first", "before any subscription"]
        assert found["subscriptions"] == [{"name": WATCH, "undelivered": 2}]
    assert {"messageId", "publishTime", "data"} == found["messages"][0].keys()

    pulled = client.post(f"/v1/{WATCH}:pull", json={"maxMessages": 10}).json()["receivedMessages"]
    assert texts({"messages": [each["message"] for each in pulled]}) == ["first", "second"]
    ack_ids = {"ackIds": [each["ackId"] for each in pulled]}
    client.post(f"/v1/{WATCH}:acknowledge", json=ack_ids).raise_for_status()
    found = shown(client)
    assert texts(found) == ["second", "first", "before any subscription"]
    assert found["subscriptions"] == [{"name": WATCH, "undelivered": 0}]


def test_the_last_messages_alone_are_kept(client: TestClient, cloud: Cloud) -> None:
    client.put(f"/v1/{TOPIC}", json={}).raise_for_status()
    client.put(f"/v1/{PROJECT}/topics/quiet", json={}).raise_for_status()
    quiet = {"messages": [{"attributes": {"only": "one"}}]}
    client.post(f"/v1/{PROJECT}/topics/quiet:publish", json=quiet).raise_for_status()
    for number in range(MAX_KEPT):
        publish(client, f"single {number}")
    publish(client, *(f"batch {number}" for number in range(MAX_KEPT - 1)))

    newest = [f"batch {number}" for number in reversed(range(MAX_KEPT - 1))]
    assert texts(shown(client)) == [*newest, f"single {MAX_KEPT - 1}"]
    [kept] = client.get(f"{INSPECTED}/topics/quiet/messages").json()["messages"]
    assert kept["attributes"] == {"only": "one"}
    publish(client, *(f"long {number}" for number in range(3 * MAX_KEPT)))
    assert texts(shown(client))[-1] == f"long {2 * MAX_KEPT}"

    client.delete(f"/v1/{TOPIC}").raise_for_status()
    assert client.get(f"{INSPECTED}/topics/events/messages").status_code == 404
    client.put(f"/v1/{TOPIC}", json={}).raise_for_status()
    assert shown(client) == {"messages": [], "subscriptions": []}


def test_a_message_to_a_topic_that_was_deleted_meanwhile_is_not_kept(cloud: Cloud) -> None:
    cloud.pubsub.messages.publish(TOPIC, [{"data": "eA=="}])
    cloud.pubsub.topics.create(TOPIC, {})
    assert cloud.pubsub.messages.recent(TOPIC) == []


def test_datasets_of_all_locations_of_one_project(client: TestClient, dataset: str) -> None:
    europe = f"{PROJECT}/locations/europe-west4/datasets"
    client.post(f"/v1/{europe}?datasetId=other", json={}).raise_for_status()

    assert client.get(f"{INSPECTED}/datasets").json() == {"datasets": [f"{europe}/other", dataset]}
    assert client.get("/_emulator/projects/local/datasets").json() == {"datasets": []}


def test_policies_of_a_project_and_of_what_it_holds(client: TestClient, dataset: str) -> None:
    binding = {"role": "roles/viewer", "members": ["user:ann@example.com"]}
    body = {"policy": {"bindings": [binding]}}
    client.post(f"/v1/{dataset}:setIamPolicy", json=body).raise_for_status()

    found = client.get(f"{INSPECTED}/policies").json()["policies"]
    assert [each["resource"] for each in found] == [PROJECT, dataset]
    assert found[1]["bindings"] == [binding]
    assert found[0]["bindings"][0]["role"] == "roles/owner"
    assert LOCATION in found[1]["resource"]
    assert client.get("/_emulator/projects/local/policies").json() == {"policies": []}


def test_containers_of_a_project(open_cloud: Callable[..., Cloud], tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text("import time; time.sleep(600)")
    cloud = open_cloud(images={"app": str(program)}, environment={})
    logs = Logs("gce_instance", {"instance_id": "7"}, "out", "err")
    for name, project, image in (
        ("b", "local-project", "unknown:2"),
        ("a", "local-project", "registry.example/app:1"),
        ("c", "other-project", "registry.example/app:1"),
    ):
        container = Container(name, project, image, logs, address="127.0.0.1")
        cloud.containers.start(container)
    with TestClient(create_app(cloud), "http://127.0.0.1") as client:

        def shown() -> list[dict[str, Any]]:
            found: list[dict[str, Any]] = client.get(f"{INSPECTED}/containers").json()["containers"]
            return found

        wait_until(lambda: shown()[0]["phase"] == "ready", "the container does not run")
        runs, failed = shown()
        assert runs == {
            "name": "a",
            "image": "registry.example/app:1",
            "address": "127.0.0.1",
            "port": None,
            "phase": "ready",
            "reason": "",
            "restarts": 0,
            "resource": {"type": "gce_instance", "labels": {"instance_id": "7"}},
        }
        assert (failed["name"], failed["phase"]) == ("b", "failed")
        assert "unknown:2" in failed["reason"]
        cloud.containers.stop("a")
        assert [each["name"] for each in shown()] == ["b"]
