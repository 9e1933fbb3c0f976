"""Members of a hospital in `--enforce-iam` mode: each may do what a role allows, and no more."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from emulator.app import create_app
from emulator.cloud import Cloud
from emulator.core.method_table import AuditedMethod
from emulator.services.healthcare import audited_methods
from tests.support.dicom_files import make_dicom
from tests.support.emulator_names import LOCATION

PROJECT = "/v1/projects/local-project"
RADIOLOGIST, RESEARCHER = "user:radiologist@example.com", "user:researcher@example.com"
DICOM = {"Content-Type": "application/dicom"}
FRESH = {"StudyInstanceUID": "1.2", "SeriesInstanceUID": "1.2.3", "SOPInstanceUID": "1.2.3.4"}


def as_member(member: str) -> dict[str, str]:
    return {"Authorization": f"Bearer local:{member}"}


@pytest.fixture
def enforced(open_cloud: Callable[..., Cloud]) -> Iterator[TestClient]:
    """A client of a project with Healthcare and a bucket, whose owner is the default caller."""
    cloud = open_cloud(enforce_iam=True, all_services_enabled=True)
    cloud.storage.buckets.add("scans", "local-project", {})
    app = create_app(cloud)
    with TestClient(app, "http://127.0.0.1", raise_server_exceptions=False) as client:
        yield client


def grant(client: TestClient, resource: str, role: str, member: str, **more: Any) -> None:
    binding = {"role": role, "members": [member], **more}
    policy = client.get(f"/v1/{resource}:getIamPolicy?options.requestedPolicyVersion=3").json()
    policy = {**policy, "version": 3, "bindings": [*policy.get("bindings", []), binding]}
    answer = client.post(f"/v1/{resource}:setIamPolicy", json={"policy": policy})
    assert answer.status_code == 200, answer.text


@pytest.fixture
def stores(enforced: TestClient) -> dict[str, str]:
    """A dataset with patients and a de-identified one, a store with an instance in each."""
    found = {}
    for dataset in ("patients", "deidentified"):
        enforced.post(f"/v1/{LOCATION}/datasets?datasetId={dataset}", json={}).raise_for_status()
        name = f"{LOCATION}/datasets/{dataset}"
        enforced.post(f"/v1/{name}/dicomStores?dicomStoreId=s", json={}).raise_for_status()
        found[dataset] = f"{name}/dicomStores/s"
        content = make_dicom(**FRESH)
        stored = enforced.post(
            f"/v1/{found[dataset]}/dicomWeb/studies", content=content, headers=DICOM
        )
        assert stored.status_code == 200, stored.text
    return found


def test_a_radiologist_reads_and_cannot_delete(
    enforced: TestClient, stores: dict[str, str]
) -> None:
    store = stores["patients"]
    grant(enforced, store, "roles/healthcare.dicomViewer", RADIOLOGIST)
    headers = as_member(RADIOLOGIST)
    url = f"/v1/{store}/dicomWeb/studies/1.2"
    assert enforced.get(f"{url}/metadata", headers=headers).json()[0]["0020000D"]["Value"] == [
        "1.2"
    ]

    refused = enforced.delete(url, headers=headers)

    error = refused.json()["error"]
    assert (refused.status_code, error["status"]) == (403, "PERMISSION_DENIED")
    assert error["message"] == (
        "Permission 'healthcare.dicomStores.dicomWebDelete' denied on resource "
        f"'//healthcare.googleapis.com/{store}' (or it may not exist)."
    )
    assert error["details"][0]["reason"] == "IAM_PERMISSION_DENIED"
    assert enforced.get(f"{url}/metadata").status_code == 200


def test_changes_of_instances_need_their_own_permission(
    enforced: TestClient, stores: dict[str, str]
) -> None:
    store = stores["patients"]
    web = f"/v1beta1/{store}/dicomWeb/studies"
    grant(enforced, store, "roles/healthcare.dicomViewer", RADIOLOGIST)
    headers = as_member(RADIOLOGIST)
    content = make_dicom(**FRESH, PatientComments="changed")
    patch = [{"op": "remove", "path": "/00100020"}]
    for refused in (
        enforced.put(web, content=content, headers=headers | DICOM),
        enforced.patch(f"{web}/1.2/metadata", json=patch, headers=headers),
        enforced.patch(
            f"{web}/1.2/series/1.2.3/instances/1.2.3.4/metadata", json=patch, headers=headers
        ),
    ):
        assert refused.status_code == 403
        assert "Permission 'healthcare.dicomStores.dicomWebUpdate' denied" in refused.text
    [kept] = enforced.get(f"{web}/1.2/metadata").json()
    assert kept["00100020"]["Value"] == ["p1"]
    assert "00104000" not in kept

    grant(enforced, store, "roles/healthcare.dicomEditor", RADIOLOGIST)
    assert enforced.put(web, content=content, headers=headers | DICOM).status_code == 200


def test_a_researcher_sees_the_deidentified_dataset_only(
    enforced: TestClient, stores: dict[str, str]
) -> None:
    dataset = stores["deidentified"].partition("/dicomStores")[0]
    grant(enforced, dataset, "roles/healthcare.dicomViewer", RESEARCHER)
    headers = as_member(RESEARCHER)
    seen = {
        name: enforced.get(f"/v1/{store}/dicomWeb/studies", headers=headers).status_code
        for name, store in stores.items()
    }
    assert seen == {"patients": 403, "deidentified": 200}
    assert enforced.get(f"/v1/{LOCATION}/datasets", headers=headers).status_code == 403
    assert enforced.get(f"/v1/{dataset}/dicomStores", headers=headers).status_code == 200


def test_the_service_agent_alone_imports(enforced: TestClient, stores: dict[str, str]) -> None:
    agent = "serviceAccount:importer@local-project.iam.gserviceaccount.com"
    grant(enforced, stores["patients"], "roles/healthcare.dicomEditor", agent)
    grant(enforced, stores["patients"], "roles/healthcare.dicomViewer", RADIOLOGIST)
    body = {"gcsSource": {"uri": "gs://none/x.dcm"}}

    def answer(member: str) -> str:
        url = f"/v1/{stores['patients']}:import"
        return enforced.post(url, json=body, headers=as_member(member)).text

    assert "healthcare.dicomStores.import" in answer(RADIOLOGIST)
    assert "healthcare.dicomStores.import" not in answer(agent)


@pytest.mark.parametrize(
    ("expression", "code"),
    [
        ('request.time < timestamp("2020-01-01T00:00:00Z")', 403),
        ('request.time > timestamp("2020-01-01T00:00:00Z")', 200),
        ('resource.type == "healthcare.googleapis.com/DicomStore"', 200),
    ],
)
def test_a_role_counts_while_its_condition_holds(
    enforced: TestClient, stores: dict[str, str], expression: str, code: int
) -> None:
    condition = {"title": "t", "expression": expression}
    role = "roles/healthcare.dicomViewer"
    grant(enforced, stores["patients"], role, RADIOLOGIST, condition=condition)
    url = f"/v1/{stores['patients']}/dicomWeb/studies"
    assert enforced.get(url, headers=as_member(RADIOLOGIST)).status_code == code


def test_a_role_on_the_project_counts_below_it(
    enforced: TestClient, stores: dict[str, str]
) -> None:
    grant(enforced, "projects/local-project", "roles/pubsub.publisher", RESEARCHER)
    enforced.put(f"{PROJECT}/topics/events", json={}).raise_for_status()
    headers = as_member(RESEARCHER)
    messages = {"messages": [{"data": "eA=="}]}
    url = f"{PROJECT}/topics/events"
    assert enforced.post(f"{url}:publish", json=messages, headers=headers).status_code == 200
    refused = enforced.delete(url, headers=headers)
    assert refused.json()["error"]["message"] == "User not authorized to perform this action."


def test_entries_are_read_by_a_role(enforced: TestClient) -> None:
    grant(enforced, "projects/local-project", "roles/logging.viewer", RESEARCHER)
    body = {"resourceNames": ["projects/local-project"]}
    codes = {
        member: enforced.post("/v2/entries:list", json=body, headers=as_member(member)).status_code
        for member in (RESEARCHER, RADIOLOGIST)
    }
    assert codes == {RESEARCHER: 200, RADIOLOGIST: 403}


def test_what_has_no_rule_needs_an_owner(enforced: TestClient) -> None:
    url = f"{PROJECT}/topics/events:detach"
    assert enforced.post(url, headers=as_member(RESEARCHER)).status_code == 403
    assert enforced.post(url).status_code != 403
    assert enforced.get("/_emulator/health", headers=as_member(RESEARCHER)).status_code == 200


def test_the_other_services_word_their_refusals(enforced: TestClient) -> None:
    headers = as_member(RESEARCHER)
    missing = enforced.get("/storage/v1/b/missing/iam", headers=headers).json()["error"]
    assert (missing["code"], missing["errors"][0]["reason"]) == (404, "notFound")
    public = "/storage/v1/b/gcs-public-data--healthcare-nih-chest-xray"
    bucket = enforced.delete(f"{public}/o/a.dcm", headers=headers).json()["error"]
    assert bucket["errors"][0]["reason"] == "forbidden"
    assert bucket["message"].startswith(
        "researcher@example.com does not have storage.objects.delete access to the Google Cloud "
        "Storage object."
    )
    missing = enforced.get("/storage/v1/b/missing/iam", headers=headers).json()["error"]
    assert (missing["code"], missing["errors"][0]["reason"]) == (404, "notFound")
    assert missing["message"] == "The specified bucket does not exist."
    root = "/bigquery/v2/projects/local-project"
    job = enforced.post(f"{root}/queries", json={"query": "SELECT 1"}, headers=headers)
    assert job.json()["error"]["errors"][0]["reason"] == "accessDenied"
    project = enforced.get(PROJECT, headers=headers).json()["error"]
    assert project["message"] == "The caller does not have permission"


def test_a_query_needs_the_data_of_each_table(enforced: TestClient) -> None:
    grant(enforced, "projects/local-project", "roles/bigquery.jobUser", RESEARCHER)
    body = {"query": "SELECT * FROM patients.t", "useLegacySql": False}
    url = "/bigquery/v2/projects/local-project/queries"
    error = enforced.post(url, json=body, headers=as_member(RESEARCHER)).json()["error"]
    assert error["code"] == 403
    assert "Dataset local-project:patients" in error["message"]


def test_permissions_that_are_tested_are_those_of_the_caller(
    enforced: TestClient, stores: dict[str, str]
) -> None:
    store = stores["patients"]
    grant(enforced, store, "roles/healthcare.dicomViewer", RADIOLOGIST)
    asked = ["healthcare.dicomStores.dicomWebRead", "healthcare.dicomStores.dicomWebDelete"]
    url, body = f"/v1/{store}:testIamPermissions", {"permissions": asked}
    assert enforced.post(url, json=body).json() == body
    held = enforced.post(url, json=body, headers=as_member(RADIOLOGIST)).json()
    assert held == {"permissions": asked[:1]}
    assert enforced.post(url, json=body, headers=as_member(RESEARCHER)).json() == {}


def test_a_token_creator_acts_as_an_account_and_others_cannot(enforced: TestClient) -> None:
    account = "importer@local-project.iam.gserviceaccount.com"
    created = enforced.post(f"{PROJECT}/serviceAccounts", json={"accountId": "importer"}).json()
    grant(enforced, created["name"], "roles/iam.serviceAccountTokenCreator", RADIOLOGIST)
    url = f"/v1/projects/-/serviceAccounts/{account}:generateAccessToken"
    body = {"scope": ["https://www.googleapis.com/auth/cloud-platform"]}
    token = enforced.post(url, json=body, headers=as_member(RADIOLOGIST)).json()["accessToken"]
    refused = enforced.post(url, json=body, headers=as_member(RESEARCHER))
    assert refused.status_code == 403
    assert "iam.serviceAccounts.getAccessToken" in refused.json()["error"]["message"]

    grant(
        enforced,
        "projects/local-project",
        "roles/healthcare.datasetViewer",
        f"serviceAccount:{account}",
    )
    as_account = {"Authorization": f"Bearer {token}"}
    assert enforced.get(f"/v1/{LOCATION}/datasets", headers=as_account).status_code == 200
    assert (
        enforced.get(f"/v1/{LOCATION}/datasets", headers=as_member(RADIOLOGIST)).status_code == 403
    )


def test_a_custom_role_grants_what_it_lists(enforced: TestClient, stores: dict[str, str]) -> None:
    role = {"title": "Reader", "includedPermissions": ["healthcare.dicomStores.dicomWebRead"]}
    enforced.post(f"{PROJECT}/roles", json={"roleId": "reader", "role": role}).raise_for_status()
    grant(enforced, stores["patients"], "projects/local-project/roles/reader", RESEARCHER)
    url, headers = f"/v1/{stores['patients']}", as_member(RESEARCHER)
    assert enforced.get(f"{url}/dicomWeb/studies", headers=headers).status_code == 200
    assert enforced.get(url, headers=headers).status_code == 403


def test_the_path_of_a_call_is_parsed_once(
    enforced: TestClient, stores: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed: list[str] = []
    method_of = audited_methods.method_of

    def counted(http_method: str, path: str) -> AuditedMethod | None:
        parsed.append(path)
        return method_of(http_method, path)

    monkeypatch.setattr(audited_methods, "method_of", counted)
    path = f"/v1/{stores['patients']}"
    assert enforced.get(path).status_code == 200
    refused = enforced.get(path, headers=as_member(RESEARCHER))
    assert refused.status_code == 403
    assert parsed == [path, path]


def test_an_editor_reads_no_payload_of_a_secret(enforced: TestClient) -> None:
    body: dict[str, Any] = {"replication": {"automatic": {}}}
    enforced.post(f"{PROJECT}/secrets?secretId=tls", json=body).raise_for_status()
    payload = {"payload": {"data": "a2V5"}}
    enforced.post(f"{PROJECT}/secrets/tls:addVersion", json=payload).raise_for_status()
    grant(enforced, "projects/local-project", "roles/editor", RESEARCHER)
    url = f"{PROJECT}/secrets/tls/versions/1"
    headers = as_member(RESEARCHER)
    assert enforced.get(url, headers=headers).json()["state"] == "ENABLED"
    refused = enforced.get(f"{url}:access", headers=headers)
    assert refused.status_code == 403
    assert "'secretmanager.versions.access' denied" in refused.json()["error"]["message"]
    number = enforced.get("/v1/projects/local-project").json()["projectNumber"]
    condition = {
        "title": "tls alone",
        "expression": f'resource.name.startsWith("projects/{number}/secrets/tls/")',
    }
    accessor = "roles/secretmanager.secretAccessor"
    grant(enforced, "projects/local-project", accessor, RADIOLOGIST, condition=condition)
    answer = enforced.get(f"{url}:access", headers=as_member(RADIOLOGIST))
    assert answer.json()["payload"]["data"] == "a2V5"
    assert enforced.get(url, headers=as_member(RADIOLOGIST)).status_code == 403
