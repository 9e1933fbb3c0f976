"""Audit logs of the Healthcare API: who did what, as the project's policy asks."""

from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from emulator.cloud import Cloud
from tests.support.emulator_names import LOCATION
from tests.support.secrets import SecretsApi

ANNA = {"Authorization": "Bearer local:user:anna@example.com"}
DATA_ACCESS = 'log_id("cloudaudit.googleapis.com/data_access")'
ACTIVITY = 'log_id("cloudaudit.googleapis.com/activity")'
Audit = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def logged(client: TestClient) -> Audit:
    """Returns the entries that match a filter."""

    def call(text: str) -> list[dict[str, Any]]:
        body = {"resourceNames": ["projects/local-project"], "filter": text}
        found: list[dict[str, Any]] = (
            client.post("/v2/entries:list", json=body).json().get("entries", [])
        )
        return found

    return call


@pytest.fixture
def store(client: TestClient, dataset: str) -> str:
    client.post(f"/v1/{dataset}/dicomStores?dicomStoreId=s1", json={}).raise_for_status()
    return f"{dataset}/dicomStores/s1"


def ask_for(client: TestClient, service: str, *types: str, exempted: tuple[str, ...] = ()) -> None:
    logs = [{"logType": type_, "exemptedMembers": list(exempted)} for type_ in types]
    policy = {"auditConfigs": [{"service": service, "auditLogConfigs": logs}]}
    client.post(
        "/v1/projects/local-project:setIamPolicy",
        json={"policy": policy, "updateMask": "auditConfigs"},
    ).raise_for_status()


def test_changes_are_always_logged(client: TestClient, dataset: str, logged: Audit) -> None:
    client.patch(
        f"/v1/{dataset}?updateMask=timeZone", json={"timeZone": "Europe/Zurich"}, headers=ANNA
    ).raise_for_status()
    created = logged(f"{ACTIVITY} CreateDataset")[0]
    [updated] = logged(f"{ACTIVITY} UpdateDataset")
    assert created["severity"] == "NOTICE"
    assert created["protoPayload"]["authenticationInfo"] == {"principalEmail": "you@example.com"}
    payload = updated["protoPayload"]
    assert payload["@type"] == "type.googleapis.com/google.cloud.audit.AuditLog"
    assert payload["serviceName"] == "healthcare.googleapis.com"
    assert payload["methodName"] == (
        "google.cloud.healthcare.v1.dataset.DatasetService.UpdateDataset"
    )
    assert payload["resourceName"] == dataset
    assert payload["authenticationInfo"] == {"principalEmail": "anna@example.com"}
    [authorization] = payload["authorizationInfo"]
    assert authorization["permission"] == "healthcare.datasets.update"
    assert authorization["granted"] is True
    assert payload["status"] == {}


def test_a_change_that_is_refused_is_logged_with_its_error(
    client: TestClient, dataset: str, logged: Audit
) -> None:
    assert client.delete(f"/v1/{dataset}x").status_code == 404
    [entry] = logged(f"{ACTIVITY} AND severity=ERROR")
    assert entry["protoPayload"]["status"]["code"] == 5
    assert "dataset1x" in entry["protoPayload"]["status"]["message"]


def test_reads_are_logged_as_the_policy_asks(client: TestClient, store: str, logged: Audit) -> None:
    url = f"/v1/{store}/dicomWeb/studies/1.2.3/metadata"
    client.get(url, headers=ANNA)
    assert logged(DATA_ACCESS) == []

    ask_for(client, "healthcare.googleapis.com", "DATA_READ", exempted=("user:you@example.com",))
    client.get(url)
    client.get(f"/v1/{store}")
    client.get(url, headers={**ANNA, "User-Agent": "viewer/1"})

    [entry] = logged(f'{DATA_ACCESS} AND protoPayload.resourceName:"studies/1.2.3"')
    assert len(logged(DATA_ACCESS)) == 1
    payload = entry["protoPayload"]
    assert payload["authenticationInfo"]["principalEmail"] == "anna@example.com"
    assert payload["methodName"].endswith(".DicomWebService.RetrieveStudyMetadata")
    assert payload["requestMetadata"]["callerSuppliedUserAgent"] == "viewer/1"
    assert entry["resource"]["labels"]["project_id"] == "local-project"


def test_all_services_are_asked_for_at_once(client: TestClient, store: str, logged: Audit) -> None:
    ask_for(client, "allServices", "ADMIN_READ")
    client.get(f"/v1/{store}")
    [entry] = logged(DATA_ACCESS)
    assert entry["protoPayload"]["methodName"].endswith("DicomService.GetDicomStore")


def test_an_operation_is_logged_at_its_start_and_at_its_end(
    client: TestClient, cloud: Cloud, dataset: str, logged: Audit
) -> None:
    answer = client.post(f"/v1/{LOCATION}/datasets?datasetId=d2", json={}).json()
    cloud.operations.wait(answer["name"], 30)
    first, last = logged(f'operation.id="{answer["name"]}"')
    assert (first["operation"]["first"], last["operation"]["last"]) == (True, True)
    assert first["protoPayload"]["methodName"] == last["protoPayload"]["methodName"]
    assert first["logName"] == last["logName"]


def test_an_audit_config_of_an_earlier_process_counts(
    client: TestClient, store: str, open_cloud: Callable[..., Cloud]
) -> None:
    ask_for(client, "healthcare.googleapis.com", "DATA_READ")
    assert open_cloud().iam.policies.have_audit_configs()


TOPIC = "/v1/projects/local-project/topics/topic1"


def test_a_change_of_any_service_is_logged_with_its_caller(
    client: TestClient, logged: Audit
) -> None:
    client.put(TOPIC, json={}, headers=ANNA).raise_for_status()
    [entry] = logged(f"{ACTIVITY} CreateTopic")
    assert entry["resource"]["type"] == "pubsub_topic"
    payload = entry["protoPayload"]
    assert payload["serviceName"] == "pubsub.googleapis.com"
    assert payload["methodName"] == "google.pubsub.v1.Publisher.CreateTopic"
    assert payload["resourceName"] == "projects/local-project/topics/topic1"
    assert payload["authenticationInfo"] == {"principalEmail": "anna@example.com"}


def test_a_policy_of_the_project_is_logged(client: TestClient, logged: Audit) -> None:
    ask_for(client, "allServices", "DATA_READ")
    [entry] = logged(f'{ACTIVITY} AND protoPayload.methodName="SetIamPolicy"')
    assert entry["protoPayload"]["serviceName"] == "cloudresourcemanager.googleapis.com"
    assert entry["protoPayload"]["resourceName"] == "projects/local-project"
    [authorization] = entry["protoPayload"]["authorizationInfo"]
    assert authorization["permission"] == "resourcemanager.projects.setIamPolicy"


def test_the_settings_of_one_service_and_of_all_add_up(client: TestClient, logged: Audit) -> None:
    client.put(TOPIC, json={})
    configs = [
        {"service": "allServices", "auditLogConfigs": [{"logType": "DATA_READ"}]},
        {
            "service": "pubsub.googleapis.com",
            "auditLogConfigs": [
                {"logType": "DATA_READ", "exemptedMembers": ["user:anna@example.com"]}
            ],
        },
    ]
    client.post(
        "/v1/projects/local-project:setIamPolicy",
        json={"policy": {"auditConfigs": configs}, "updateMask": "auditConfigs"},
    ).raise_for_status()
    client.get(TOPIC, headers=ANNA)
    client.get(TOPIC)
    [entry] = logged(f"{DATA_ACCESS} GetTopic")
    assert entry["protoPayload"]["authenticationInfo"] == {"principalEmail": "you@example.com"}


def test_a_service_account_that_names_its_project_by_its_address(
    client: TestClient, logged: Audit
) -> None:
    accounts = "/v1/projects/local-project/serviceAccounts"
    client.post(accounts, json={"accountId": "importer"}).raise_for_status()
    email = "importer@local-project.iam.gserviceaccount.com"
    client.post(f"/v1/projects/-/serviceAccounts/{email}/keys", json={}).raise_for_status()
    [entry] = logged(f"{ACTIVITY} CreateServiceAccountKey")
    name = f"projects/local-project/serviceAccounts/{email}"
    assert entry["protoPayload"]["resourceName"] == name
    assert entry["resource"]["labels"] == {"project_id": "local-project", "email_id": email}
    assert "privateKeyData" not in str(entry)


def test_an_access_to_a_secret_is_logged_without_its_payload(
    client: TestClient, cloud: Cloud, logged: Audit
) -> None:
    cloud.service_usage.services.enable("local-project", ["secretmanager.googleapis.com"])
    ask_for(client, "secretmanager.googleapis.com", "DATA_READ")
    api = SecretsApi(client)
    api.create().raise_for_status()
    api.add(b"payload").raise_for_status()
    assert api.content() == b"payload"
    [accessed] = logged(f"{DATA_ACCESS} AccessSecretVersion")
    [added] = logged(f"{ACTIVITY} AddSecretVersion")
    secret = "projects/local-project/secrets/tls"
    assert accessed["protoPayload"]["resourceName"] == f"{secret}/versions/latest"
    assert added["protoPayload"]["resourceName"] == secret
    assert "cGF5bG9hZA" not in str(logged(""))
