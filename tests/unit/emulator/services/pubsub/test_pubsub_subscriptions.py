"""Subscriptions as resources, and what requests about messages are refused for."""

from typing import Any

import pytest
from httpx2 import Response
from starlette.testclient import TestClient

from emulator.cloud import Cloud
from tests.support.emulator_names import PROJECT

TOPIC = f"{PROJECT}/topics/events"
NAME = f"{PROJECT}/subscriptions/watch"


@pytest.fixture(autouse=True)
def topic(client: TestClient) -> None:
    client.put(f"/v1/{TOPIC}", json={}).raise_for_status()


def create(client: TestClient, **body: Any) -> Response:
    return client.put(f"/v1/{NAME}", json={"topic": TOPIC, **body})


def complaint(answer: Response) -> str:
    return str(answer.json()["error"]["message"])


def test_a_subscription_has_the_defaults_of_the_service(client: TestClient) -> None:
    assert create(client, state="RESOURCE_ERROR", tags={"1/a": "b"}).json() == {
        "name": NAME,
        "topic": TOPIC,
        "ackDeadlineSeconds": 10,
        "messageRetentionDuration": "604800s",
        "expirationPolicy": {"ttl": "2678400s"},
        "pushConfig": {},
        "state": "ACTIVE",
    }
    assert create(client).status_code == 409


def test_what_is_set_comes_back(client: TestClient) -> None:
    body = {
        "ackDeadlineSeconds": 60,
        "messageRetentionDuration": "600s",
        "expirationPolicy": {},
        "retryPolicy": {"minimumBackoff": "1.5s"},
        "deadLetterPolicy": {"deadLetterTopic": TOPIC},
        "pushConfig": {"pushEndpoint": "https://worker.example.com/dicom"},
        "filter": 'attributes.modality = "CT"',
        "labels": {"site": "a"},
    }
    create(client, **body).raise_for_status()

    kept = client.get(f"/v1/{NAME}").json()

    body["deadLetterPolicy"] = {"deadLetterTopic": TOPIC, "maxDeliveryAttempts": 5}
    assert {field: kept[field] for field in body} == body
    assert client.get(f"/v1/{PROJECT}/subscriptions").json() == {"subscriptions": [kept]}
    assert client.get(f"/v1/{TOPIC}/subscriptions").json() == {"subscriptions": [NAME]}


@pytest.mark.parametrize(
    ("body", "code", "reason"),
    [
        ({"ackDeadlineSeconds": 601}, 400, "10 to 600"),
        ({"messageRetentionDuration": "1h"}, 400, "'1h' is not a valid duration"),
        ({"messageRetentionDuration": "599s"}, 400, "600s to 2678400s"),
        ({"expirationPolicy": {"ttl": "3600s"}}, 400, "86400s or more"),
        ({"retryPolicy": {"maximumBackoff": "601s"}}, 400, "0s to 600s"),
        ({"deadLetterPolicy": {"maxDeliveryAttempts": 7}}, 400, "needs a deadLetterTopic"),
        ({"deadLetterPolicy": {"deadLetterTopic": f"{TOPIC}-no"}}, 404, "resource=events-no"),
        (
            {"deadLetterPolicy": {"deadLetterTopic": TOPIC, "maxDeliveryAttempts": 4}},
            400,
            "5 to 100",
        ),
        ({"pushConfig": {"pushEndpoint": "http://[::1"}}, 400, "Invalid push endpoint"),
        ({"pushConfig": {"pushEndpoint": "http://127.0.0.1:99999"}}, 400, "Invalid push endpoint"),
        ({"pushConfig": {"pushEndpoint": "ftp://a.example"}}, 400, "Invalid push endpoint"),
        ({"filter": "attributes:a AND attributes:b OR attributes:c"}, 400, "at 'OR'"),
        ({"bigqueryConfig": {"table": "p.d.t"}}, 501, "bigqueryConfig are not served"),
        ({"messageTransforms": [{}]}, 501, "messageTransforms are not served"),
        ({"labels": {"Site": "a"}}, 400, "Site"),
        ({"ackDeadline": 10}, 400, "Unknown name \"ackDeadline\" at 'subscription'"),
    ],
)
def test_a_wrong_setting_is_named(
    client: TestClient, body: dict[str, Any], code: int, reason: str
) -> None:
    answer = create(client, **body)

    assert (answer.status_code, reason in complaint(answer)) == (code, True), answer.text
    assert client.get(f"/v1/{NAME}").status_code == 404


def test_a_token_in_an_endpoint_is_not_reported(client: TestClient) -> None:
    answer = create(client, pushConfig={"pushEndpoint": "worker?token=s3cret"})

    assert answer.status_code == 400
    assert "s3cret" not in answer.text


def test_a_patch_changes_what_its_mask_names(client: TestClient) -> None:
    create(client, ackDeadlineSeconds=60, retryPolicy={"minimumBackoff": "1s"}, labels={"a": "b"})
    change = {"ackDeadlineSeconds": "20", "labels": {"c": "d"}, "filter": "nonsense"}
    body = {"subscription": change, "updateMask": "ack_deadline_seconds,retryPolicy"}

    changed = client.patch(f"/v1/{NAME}", json=body).json()

    assert changed["ackDeadlineSeconds"] == 20
    assert changed["labels"] == {"a": "b"}
    assert "retryPolicy" not in changed
    assert client.get(f"/v1/{NAME}").json() == changed


def test_a_patch_of_a_nested_field_leaves_those_beside_it(client: TestClient) -> None:
    config = {"pushEndpoint": "https://a.example.com", "noWrapper": {"writeMetadata": True}}
    create(client, pushConfig=config)
    change = {"pushConfig": {"pushEndpoint": "https://b.example.com"}}
    body = {"subscription": change, "updateMask": "push_config.push_endpoint"}

    changed = client.patch(f"/v1/{NAME}", json=body).json()

    assert changed["pushConfig"] == {**config, "pushEndpoint": "https://b.example.com"}


@pytest.mark.parametrize("field", ["filter", "topic", "enableMessageOrdering", "nonsense", ""])
def test_a_patch_of_what_never_changes_is_refused(client: TestClient, field: str) -> None:
    create(client)

    answer = client.patch(f"/v1/{NAME}", json={"subscription": {}, "updateMask": field})

    assert answer.status_code == 400
    assert "update_mask" in complaint(answer)


def test_an_endpoint_is_set_and_taken_away(client: TestClient) -> None:
    create(client)
    url = f"/v1/{NAME}:modifyPushConfig"
    config = {"pushEndpoint": "https://worker.example.com"}
    client.post(url, json={"pushConfig": config}).raise_for_status()
    assert client.get(f"/v1/{NAME}").json()["pushConfig"] == config
    assert client.post(f"/v1/{NAME}:pull", json={"maxMessages": 1}).status_code == 400

    assert client.post(url, json={"pushConfig": {"pushEndpoint": "x"}}).status_code == 400
    client.post(url, json={"pushConfig": {}}).raise_for_status()

    assert client.get(f"/v1/{NAME}").json()["pushConfig"] == {}


@pytest.mark.parametrize("resource", [TOPIC, NAME])
def test_policies_of_topics_and_subscriptions(client: TestClient, resource: str) -> None:
    create(client)
    binding = {"role": "roles/pubsub.editor", "members": ["user:a@b.example"]}
    body = {"policy": {"bindings": [binding]}}

    client.post(f"/v1/{resource}:setIamPolicy", json=body).raise_for_status()

    assert client.get(f"/v1/{resource}:getIamPolicy").json()["bindings"] == [binding]
    asked = {"permissions": ["pubsub.topics.get"]}
    assert client.post(f"/v1/{resource}:testIamPermissions", json=asked).json() == asked
    client.delete(f"/v1/{resource}").raise_for_status()
    assert client.get(f"/v1/{resource}:getIamPolicy").status_code == 404


def test_the_subscriptions_of_a_deleted_topic_stay(client: TestClient) -> None:
    create(client)
    client.delete(f"/v1/{TOPIC}").raise_for_status()
    client.put(f"/v1/{TOPIC}", json={}).raise_for_status()

    assert client.get(f"/v1/{NAME}").json()["topic"] == "_deleted-topic_"
    assert client.get(f"/v1/{TOPIC}/subscriptions").json() == {"subscriptions": []}


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ({"data": "!!!"}, "TYPE_BYTES"),
        ({"data": ""}, "is empty"),
        ({"attributes": {}}, "is empty"),
        ({"attributes": {"googx": "y"}}, "not beginning with goog"),
        ({"attributes": {"": "y"}}, "1 to 256 bytes"),
        ({"attributes": {"a": "y" * 1025}}, "1024 bytes at most"),
        ({"attributes": {"a": 1}}, "attributes[0].value"),
    ],
)
def test_a_message_that_is_none(client: TestClient, message: dict[str, Any], reason: str) -> None:
    create(client)

    answer = client.post(f"/v1/{TOPIC}:publish", json={"messages": [message]})

    assert (answer.status_code, reason in complaint(answer)) == (400, True), answer.text
    assert client.post(f"/v1/{NAME}:pull", json={"maxMessages": 1}).json() == {}


def test_both_alphabets_of_base64_are_read(client: TestClient) -> None:
    create(client)
    messages = [{"data": "-_8", "attributes": None, "messageId": "7"}, {"data": "+/8="}]
    client.post(f"/v1/{TOPIC}:publish", json={"messages": messages}).raise_for_status()

    pulled = client.post(f"/v1/{NAME}:pull", json={"maxMessages": "2"}).json()

    received = [each["message"] for each in pulled["receivedMessages"]]
    assert [message["data"] for message in received] == ["+/8=", "+/8="]
    assert received[0]["messageId"] != "7"


@pytest.mark.parametrize(
    ("verb", "body"),
    [
        ("pull", {}),
        ("pull", {"maxMessages": "ten"}),
        ("acknowledge", {"ackIds": []}),
        ("acknowledge", {"ackIds": [None]}),
        ("modifyAckDeadline", {"ackIds": ["a"], "ackDeadlineSeconds": "601"}),
        ("modifyAckDeadline", {"ackIds": ["a"], "ackDeadlineSeconds": -1}),
    ],
)
def test_a_request_that_is_none(client: TestClient, verb: str, body: dict[str, Any]) -> None:
    create(client)

    assert client.post(f"/v1/{NAME}:{verb}", json=body).status_code == 400


def test_the_service_has_to_be_enabled(client: TestClient, cloud: Cloud) -> None:
    url = "/v1/projects/other-project/subscriptions"

    assert client.get(url).status_code == 403
    assert client.put(f"{url}/watch", json={"topic": TOPIC}).status_code == 403
