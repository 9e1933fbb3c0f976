"""Messages of Pub/Sub, audit logs and permissions of FHIR resources."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from emulator.app import create_app
from emulator.cloud import Cloud
from tests.support.emulator_names import LOCATION
from tests.support.fhir_resources import entry, observation, patient

TOPIC = "projects/local-project/topics/fhir"
SUBSCRIPTION = "projects/local-project/subscriptions/fhir"
AGENT_ROLE = "roles/pubsub.publisher"


@pytest.fixture
def listening(client: TestClient, cloud: Cloud) -> Callable[[], list[Any]]:
    """A topic that the service agent may publish to; returns its messages so far."""
    client.put(f"/v1/{TOPIC}", json={}).raise_for_status()
    client.put(f"/v1/{SUBSCRIPTION}", json={"topic": TOPIC}).raise_for_status()
    agent = cloud.healthcare.context.agent.email("local-project")
    binding = {"role": AGENT_ROLE, "members": [f"serviceAccount:{agent}"]}
    policy = {"policy": {"bindings": [binding]}}
    client.post(f"/v1/{TOPIC}:setIamPolicy", json=policy).raise_for_status()

    def pull() -> list[Any]:
        answer = client.post(f"/v1/{SUBSCRIPTION}:pull", json={"maxMessages": 100})
        return [each["message"] for each in answer.json().get("receivedMessages", [])]

    return pull


def decoded(message: Any) -> str:
    return base64.b64decode(message["data"]).decode()


def test_each_change_is_published_by_name(
    make_fhir: Callable[..., Any], listening: Callable[[], list[Any]]
) -> None:
    fhir = make_fhir(notificationConfigs=[{"pubsubTopic": TOPIC}])
    version = fhir.put(patient("a"))["meta"]["versionId"]
    fhir.put(patient("a"))
    fhir.patch("Patient/a", [])
    fhir.ok("DELETE", "Patient/a")
    messages = listening()
    actions = ["CreateResource", "UpdateResource", "PatchResource", "DeleteResource"]
    assert [each["attributes"]["action"] for each in messages] == actions
    assert {decoded(each) for each in messages} == {f"{fhir.store}/fhir/Patient/a"}
    first = messages[0]["attributes"]
    assert first.pop("lastUpdatedTime").endswith(" GMT")
    assert first == {
        "action": "CreateResource",
        "payloadType": "NameOnly",
        "resourceType": "Patient",
        "storeName": fhir.store,
        "versionId": version,
    }


def test_a_message_may_hold_the_whole_resource(
    make_fhir: Callable[..., Any], listening: Callable[[], list[Any]]
) -> None:
    config = {"pubsubTopic": TOPIC, "sendFullResource": True, "sendPreviousResourceOnDelete": True}
    fhir = make_fhir(notificationConfigs=[config])
    stored = fhir.put(patient("a"))
    fhir.ok("DELETE", "Patient/a")
    created, deleted = listening()
    assert decoded(created) == json.dumps(stored, indent=2, sort_keys=True)
    assert decoded(deleted) == decoded(created)
    assert deleted["attributes"]["payloadType"] == "FullResource"


def test_a_transaction_that_fails_publishes_nothing(
    make_fhir: Callable[..., Any], listening: Callable[[], list[Any]]
) -> None:
    fhir = make_fhir(notificationConfigs=[{"pubsubTopic": TOPIC}])
    first = entry("PUT", "Patient/a", patient("a"))
    fhir.bundle("transaction", first, entry("POST", "Observation", observation("Patient/b")))
    assert listening() == []
    fhir.bundle("transaction", first, entry("POST", "Observation", observation("Patient/a")))
    types = [each["attributes"]["resourceType"] for each in listening()]
    assert sorted(types) == ["Observation", "Patient"]


def test_the_log_of_a_dropped_message_has_no_patient_data(
    make_fhir: Callable[..., Any], client: TestClient
) -> None:
    client.put(f"/v1/{TOPIC}", json={}).raise_for_status()
    fhir = make_fhir(notificationConfigs=[{"pubsubTopic": TOPIC, "sendFullResource": True}])
    fhir.put(patient("a", name=[{"family": "Secret"}]))
    body = {"resourceNames": ["projects/local-project"]}
    entries = client.post("/v2/entries:list", json=body).json()["entries"]
    [found] = [each for each in entries if each["logName"].endswith("fhir_notification")]
    assert found["jsonPayload"]["resourceName"] == f"{fhir.store}/fhir/Patient/a"
    assert "Secret" not in json.dumps(entries)


def test_roles_decide_what_a_member_may_do(open_cloud: Callable[..., Cloud]) -> None:
    cloud = open_cloud(enforce_iam=True)
    cloud.service_usage.services.enable("local-project", ["healthcare.googleapis.com"])
    store = f"{LOCATION}/datasets/d/fhirStores/s"
    reader = {"Authorization": "Bearer local:user:reader@example.com"}
    with TestClient(create_app(cloud), "http://127.0.0.1") as client:
        client.post(f"/v1/{LOCATION}/datasets?datasetId=d", json={}).raise_for_status()
        body = {"version": "R4", "enableUpdateCreate": True}
        client.post(f"/v1/{LOCATION}/datasets/d/fhirStores?fhirStoreId=s", json=body)
        members = ["user:reader@example.com"]
        binding = {"role": "roles/healthcare.fhirResourceReader", "members": members}
        policy = {"policy": {"bindings": [binding]}}
        client.post(f"/v1/{store}:setIamPolicy", json=policy).raise_for_status()
        url = f"/v1/{store}/fhir/Patient/a"
        client.put(url, json=patient("a")).raise_for_status()
        assert client.get(url, headers=reader).status_code == 200
        refused = client.put(url, json=patient("a"), headers=reader)
        assert refused.status_code == 403
        assert "healthcare.fhirResources.update" in refused.text
        assert client.delete(url, headers=reader).status_code == 403
