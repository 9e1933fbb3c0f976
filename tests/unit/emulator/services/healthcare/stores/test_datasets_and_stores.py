"""Datasets and stores as resources."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from emulator.cloud import Cloud
from tests.support.emulator_names import AGENT, LOCATION, PROJECT

STORES = [
    ("dicomStores", "dicomStoreId", {}),
    ("fhirStores", "fhirStoreId", {"version": "R4"}),
    ("hl7V2Stores", "hl7V2StoreId", {"parserConfig": {"version": "V3"}}),
    ("consentStores", "consentStoreId", {"defaultConsentTtl": "90000s"}),
]


def error(answer: Any) -> dict[str, Any]:
    content: dict[str, Any] = answer.json()["error"]
    return content


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_a_dataset_is_created_by_an_operation(client: TestClient, version: str) -> None:
    # The Google provider sends the short name in the body, reads at once and wants a name.
    url = f"/{version}/{LOCATION}/datasets?datasetId=dataset1&alt=json"
    operation = client.post(url, json={"name": "dataset1", "timeZone": "America/New_York"}).json()
    dataset = client.get(f"/{version}/{LOCATION}/datasets/dataset1?alt=json").json()

    assert dataset == {
        "name": f"{LOCATION}/datasets/dataset1",
        "timeZone": "America/New_York",
    }
    assert list(operation) == ["name"]
    while not (done := client.get(f"/{version}/{operation['name']}").json()).get("done"):
        pass
    type_url = f"type.googleapis.com/google.cloud.healthcare.{version}.dataset.Dataset"
    assert done["response"] == {"@type": type_url, **dataset}
    assert done["metadata"]["apiMethodName"] == (
        f"google.cloud.healthcare.{version}.dataset.DatasetService.CreateDataset"
    )
    assert error(client.post(url, json={}))["status"] == "ALREADY_EXISTS"


def test_a_time_zone_is_patched(client: TestClient, dataset: str) -> None:
    url = f"/v1/{dataset}?updateMask=timeZone"

    assert client.patch(url, json={"timeZone": "Asia/Tokyo"}).json()["timeZone"] == "Asia/Tokyo"
    assert "Asia/Tokio" in error(client.patch(url, json={"timeZone": "Asia/Tokio"}))["message"]
    assert client.get(f"/v1/{dataset}").json()["timeZone"] == "Asia/Tokyo"
    wrong = client.patch(f"/v1/{dataset}?updateMask=name", json={"name": "other"})
    assert "name can't be changed" in error(wrong)["message"]


@pytest.mark.parametrize(
    ("location", "dataset_id", "body", "complaint"),
    [
        ("mars-north1", "d", {}, "Location mars-north1 is not supported"),
        ("us-central1", "", {}, "invalid dataset_id ''"),
        ("us-central1", "a b", {}, "invalid dataset_id 'a b'"),
        ("us-central1", "x" * 257, {}, "invalid dataset_id"),
        ("us-central1", "d", {"zone": "UTC"}, "Unknown name \"zone\" at 'dataset': Cannot find"),
        (
            "us-central1",
            "d",
            {"timeZone": 7},
            "Invalid value at 'dataset.time_zone' (TYPE_STRING), 7",
        ),
    ],
)
def test_a_bad_dataset_is_refused(
    client: TestClient, location: str, dataset_id: str, body: dict[str, Any], complaint: str
) -> None:
    url = f"/v1/{PROJECT}/locations/{location}/datasets"

    answer = error(client.post(url, params={"datasetId": dataset_id}, json=body))

    assert answer["code"] == 400
    assert complaint in answer["message"]
    assert client.get(f"/v1/{LOCATION}/datasets").json() == {}


@pytest.mark.parametrize(("collection", "parameter", "body"), STORES)
def test_a_store_is_created_changed_and_deleted(
    client: TestClient, dataset: str, collection: str, parameter: str, body: dict[str, Any]
) -> None:
    stores, name = f"/v1beta1/{dataset}/{collection}", f"{dataset}/{collection}/store1"
    given = {"name": "store1", **body, "labels": {"site": "a"}}
    created = client.post(f"{stores}?{parameter}=store1", json=given).json()

    assert created == {**body, "labels": {"site": "a"}, "name": name}
    assert client.get(f"/v1/{name}").json() == created
    assert client.get(stores).json() == {collection: [created]}
    assert error(client.post(f"{stores}?{parameter}=store1", json=given))["code"] == 409
    patched = client.patch(f"/v1/{name}?updateMask=labels", json={"labels": {"site": "b"}}).json()
    assert patched == {**created, "labels": {"site": "b"}}
    assert "labels" not in client.patch(f"/v1/{name}?updateMask=labels", json={}).json()
    assert client.delete(f"/v1/{name}").json() == {}
    assert error(client.get(f"/v1/{name}"))["code"] == 404
    assert client.get(stores).json() == {}


@pytest.mark.parametrize(
    ("collection", "parameter", "body", "complaint"),
    [
        ("dicomStores", "dicomStoreId", {"label": {}}, "Unknown name \"label\" at 'dicom_store'"),
        ("dicomStores", "dicomStoreId", {"labels": {"A": "b"}}, "invalid label key 'A'"),
        ("dicomStores", "dicomStoreId", {"labels": {"a": "B c"}}, "invalid label value 'B c'"),
        ("dicomStores", "dicomStoreId", {"labels": {f"k{n}": "" for n in range(65)}}, "65 labels"),
        ("fhirStores", "fhirStoreId", {}, "version is required"),
        (
            "fhirStores",
            "fhirStoreId",
            {"version": "R9"},
            "Invalid value at 'fhir_store.version' (one of",
        ),
        (
            "dicomStores",
            "dicomStoreId",
            {"notificationConfig": {"pubsubTopic": f"{PROJECT}/topics/none"}},
            "Resource not found (resource=none).",
        ),
        (
            "dicomStores",
            "dicomStoreId",
            {"notificationConfig": {"pubsubTopic": ""}, "notificationConfigs": [{}]},
            "please use NotificationConfigs instead",
        ),
        (
            "dicomStores",
            "dicomStoreId",
            {"streamConfigs": [{"bigqueryDestination": {"tableUri": "bq://p.d.t"}}]},
            "failed to verify dataset (p.d), please add the required bigquery.dataEditor role",
        ),
    ],
)
def test_a_bad_store_is_refused(
    client: TestClient,
    dataset: str,
    collection: str,
    parameter: str,
    body: dict[str, Any],
    complaint: str,
) -> None:
    stores = f"/v1/{dataset}/{collection}"

    answer = error(client.post(f"{stores}?{parameter}=store1", json=body))

    assert complaint in answer["message"]
    assert client.get(stores).json() == {}


def test_a_complaint_says_which_field_in_googles_form(client: TestClient, dataset: str) -> None:
    body = {"notificationConfigs": [{"topic": "x"}]}

    answer = error(client.post(f"/v1/{dataset}/dicomStores?dicomStoreId=store1", json=body))

    message = (
        'Invalid JSON payload received. Unknown name "topic" at '
        "'dicom_store.notification_configs[0]': Cannot find field."
    )
    assert answer == {
        "code": 400,
        "message": message,
        "status": "INVALID_ARGUMENT",
        "details": [
            {
                "@type": "type.googleapis.com/google.rpc.BadRequest",
                "fieldViolations": [
                    {"description": message, "field": "dicom_store.notification_configs[0]"}
                ],
            }
        ],
    }


@pytest.mark.parametrize(
    "body",
    [
        {"streamConfigs": [None]},
        {"streamConfigs": [{"bigqueryDestination": None}]},
        {"notificationConfigs": [None]},
        {"labels": ["a"]},
        {"labels": {"a": None}},
        {"labels": {"a": "\ud800"}},
        {"\ud800": 1},
    ],
)
def test_what_is_no_store_is_the_clients_fault(
    client: TestClient, dataset: str, body: dict[str, Any]
) -> None:
    answer = client.post(f"/v1/{dataset}/dicomStores?dicomStoreId=store1", content=json.dumps(body))

    assert error(answer)["code"] == 400


def test_defaults_are_left_out_as_google_leaves_them_out(client: TestClient, dataset: str) -> None:
    given = {
        "version": "R4",
        "enableUpdateCreate": False,
        "labels": {},
        "complexDataTypeReferenceParsing": "COMPLEX_DATA_TYPE_REFERENCE_PARSING_UNSPECIFIED",
        "validationConfig": {"disableProfileValidation": False},
        "streamConfigs": [],
    }
    created = client.post(f"/v1/{dataset}/fhirStores?fhirStoreId=store1", json=given).json()

    assert created == {
        "name": f"{dataset}/fhirStores/store1",
        "version": "R4",
        "validationConfig": {},
    }


def test_each_version_answers_its_own_fields(client: TestClient, dataset: str) -> None:
    given = {"version": "R4", "enableHistoryModifications": True}
    store = f"{dataset}/fhirStores/store1"
    created = client.post(f"/v1beta1/{dataset}/fhirStores?fhirStoreId=store1", json=given).json()

    assert created["enableHistoryModifications"] is True
    assert client.get(f"/v1/{store}").json() == {"name": store, "version": "R4"}
    wrong = client.patch(f"/v1/{store}?updateMask=enableHistoryModifications", json={})
    assert "can't be changed" in error(wrong)["message"]


def test_a_mask_may_name_one_label(client: TestClient, dataset: str) -> None:
    store = f"/v1/{dataset}/dicomStores/store1"
    labels = {"site": "a", "team": "b"}
    client.post(f"/v1/{dataset}/dicomStores?dicomStoreId=store1", json={"labels": labels})

    patched = client.patch(f"{store}?updateMask=labels.site", json={"labels": {"site": "c"}})
    assert patched.json()["labels"] == {"site": "c", "team": "b"}
    cleared = client.patch(f"{store}?updateMask=labels.team", json={})
    assert cleared.json()["labels"] == {"site": "c"}
    assert error(client.patch(store, json={}))["message"] == "update_mask is required"


def test_a_mask_takes_the_key_of_a_label_as_it_is(client: TestClient, dataset: str) -> None:
    store = f"/v1/{dataset}/dicomStores/store1"
    client.post(f"/v1/{dataset}/dicomStores?dicomStoreId=store1", json={"labels": {"a_b": "1"}})
    patched = client.patch(f"{store}?updateMask=labels.a_b", json={"labels": {"a_b": "2"}})
    assert patched.json()["labels"] == {"a_b": "2"}


def test_the_first_dataset_brings_the_service_agent(client: TestClient) -> None:
    url = "/v1/projects/fresh-project"
    client.post(f"{url}/services/healthcare.googleapis.com:enable").raise_for_status()
    number = client.get(url).json()["projectNumber"]
    agent = f"service-{number}@gcp-sa-healthcare.iam.gserviceaccount.com"
    binding = {"role": "roles/storage.objectViewer", "members": [f"serviceAccount:{agent}"]}
    body = {"policy": {"bindings": [binding]}}
    assert "does not exist" in error(client.post(f"{url}:setIamPolicy", json=body))["message"]

    client.post(f"{url}/locations/us/datasets?datasetId=d", json={}).raise_for_status()

    assert client.post(f"{url}:setIamPolicy", json=body).json()["bindings"] == [binding]


def test_stores_are_found_by_their_labels(client: TestClient, dataset: str) -> None:
    stores = f"/v1/{dataset}/dicomStores"
    for name, site in (("one", "a"), ("two", "b")):
        client.post(f"{stores}?dicomStoreId={name}", json={"labels": {"site": site}})

    def found(wanted: str) -> list[str]:
        listed = client.get(stores, params={"filter": wanted}).json().get("dicomStores", [])
        return [one["name"].rpartition("/")[2] for one in listed]

    assert found("labels.site=b") == ["two"]
    assert found("labels.site:*") == ["one", "two"]
    assert found("labels.other:*") == []
    assert found('labels.site:* AND labels.site="a"') == ["one"]
    assert "invalid filter" in error(client.get(stores, params={"filter": "x"}))["message"]


def test_a_deleted_dataset_takes_all_with_it(
    client: TestClient, cloud: Cloud, dataset: str
) -> None:
    store = f"{dataset}/dicomStores/store1"
    client.post(f"/v1/{dataset}/dicomStores?dicomStoreId=store1", json={}).raise_for_status()
    binding = {"role": "roles/healthcare.dicomViewer", "members": ["user:a@b.example"]}
    client.post(f"/v1/{store}:setIamPolicy", json={"policy": {"bindings": [binding]}})
    assert client.get(f"/v1/{store}:getIamPolicy").json()["bindings"] == [binding]

    assert client.delete(f"/v1/{dataset}").json() == {}

    assert error(client.get(f"/v1/{store}"))["code"] == 404
    assert error(client.get(f"/v1/{store}:getIamPolicy"))["code"] == 404
    assert cloud.iam.policies.get(store).get("bindings") is None
    tested = client.post(f"/v1/{store}:testIamPermissions", json={"permissions": ["a.b.c"]})
    assert tested.json() == {}


def test_what_a_crash_left_of_a_deletion_does_not_come_back(
    open_cloud: Callable[..., Cloud],
) -> None:
    before, name = open_cloud(), f"{LOCATION}/datasets/dataset1"
    before.iam.policies.set(name, {"bindings": [{"role": "roles/viewer", "members": ["allUsers"]}]})
    before.close()

    assert "bindings" not in open_cloud().iam.policies.get(name)


def test_a_stream_needs_the_agents_role(client: TestClient, cloud: Cloud, dataset: str) -> None:
    binding = {"role": "roles/bigquery.dataEditor", "members": [f"serviceAccount:{AGENT}"]}
    cloud.iam.policies.set(PROJECT, {"bindings": [binding]})
    streams = [{"bigqueryDestination": {"tableUri": "bq://local-project.d.t"}}]

    url = f"/v1/{dataset}/dicomStores?dicomStoreId=store1"
    assert client.post(url, json={"streamConfigs": streams}).json()["streamConfigs"] == streams


def test_locations_are_listed(client: TestClient) -> None:
    listed = client.get(f"/v1/{PROJECT}/locations").json()["locations"]

    assert {"name": LOCATION, "locationId": "us-central1"} in listed
    assert len(listed) == 28
    assert client.get(f"/v1/{LOCATION}").json()["locationId"] == "us-central1"
    assert error(client.get(f"/v1/{PROJECT}/locations/nowhere"))["code"] == 400


def test_a_field_that_is_null_is_absent(client: TestClient, dataset: str) -> None:
    body = {"labels": None, "streamConfigs": None, "notificationConfig": None}
    answer = client.post(f"/v1/{dataset}/dicomStores?dicomStoreId=nulls", json=body)
    assert answer.json() == {"name": f"{dataset}/dicomStores/nulls"}
    settings = {"blobStorageSettings": None}
    path = f"/v1/{dataset}/dicomStores/nulls:setBlobStorageSettings"
    assert client.post(path, json=settings).status_code == 400


@pytest.mark.parametrize("size", ["9" * 5000, "-1", "1.5", "\u0661"])
def test_a_page_size_that_is_none_is_refused(client: TestClient, dataset: str, size: str) -> None:
    answer = client.get(f"/v1/{dataset}/dicomStores", params={"pageSize": size})
    assert answer.status_code == 400
    assert "page_size" in answer.json()["error"]["message"]


def test_a_page_token_is_good_for_its_filter_only(client: TestClient, dataset: str) -> None:
    stores = f"/v1/{dataset}/dicomStores"
    for name in ("a", "b", "c"):
        body = {"labels": {"kind": "x"}}
        client.post(f"{stores}?dicomStoreId={name}", json=body).raise_for_status()
    query = {"filter": "labels.kind=x", "pageSize": "1"}
    token = client.get(stores, params=query).json()["nextPageToken"]
    client.delete(f"{stores}/a").raise_for_status()
    second = client.get(stores, params={**query, "pageToken": token}).json()
    assert [store["name"] for store in second["dicomStores"]] == [f"{dataset}/dicomStores/b"]
    refused = client.get(stores, params={"pageSize": "1", "pageToken": token})
    assert refused.status_code == 400
    assert "another list or filter" in refused.json()["error"]["message"]
