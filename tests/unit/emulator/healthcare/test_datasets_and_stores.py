"""Datasets and stores as resources."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from emulator.cloud import Cloud
from tests.unit.emulator.conftest import AGENT, LOCATION, PROJECT

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
    assert done["response"]["name"] == dataset["name"]
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
        ("us-central1", "d", {"zone": "UTC"}, 'Unknown name "zone": Cannot find field.'),
        ("us-central1", "d", {"timeZone": 7}, "Invalid value at 'timeZone' (string): 7"),
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
def test_a_store_lives_and_dies(
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
        ("dicomStores", "dicomStoreId", {"label": {}}, 'Unknown name "label": Cannot find field.'),
        ("dicomStores", "dicomStoreId", {"labels": {"A": "b"}}, "invalid label key 'A'"),
        ("dicomStores", "dicomStoreId", {"labels": {"a": "B c"}}, "invalid label value 'B c'"),
        ("dicomStores", "dicomStoreId", {"labels": {f"k{n}": "" for n in range(65)}}, "65 labels"),
        ("fhirStores", "fhirStoreId", {}, "version is required"),
        ("fhirStores", "fhirStoreId", {"version": "R9"}, "Invalid value at 'version': \"R9\""),
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
    assert cloud.policies.get(store).get("bindings") is None
    tested = client.post(f"/v1/{store}:testIamPermissions", json={"permissions": ["a.b.c"]})
    assert tested.json() == {}


def test_a_stream_needs_the_agents_role(client: TestClient, cloud: Cloud, dataset: str) -> None:
    binding = {"role": "roles/bigquery.dataEditor", "members": [f"serviceAccount:{AGENT}"]}
    cloud.policies.set(PROJECT, {"bindings": [binding]})
    streams = [{"bigqueryDestination": {"tableUri": "bq://local-project.d.t"}}]

    url = f"/v1/{dataset}/dicomStores?dicomStoreId=store1"
    assert client.post(url, json={"streamConfigs": streams}).json()["streamConfigs"] == streams


def test_locations_are_listed(client: TestClient) -> None:
    listed = client.get(f"/v1/{PROJECT}/locations").json()["locations"]

    assert {"name": LOCATION, "locationId": "us-central1"} in listed
    assert len(listed) == 28
    assert client.get(f"/v1/{LOCATION}").json()["locationId"] == "us-central1"
    assert error(client.get(f"/v1/{PROJECT}/locations/nowhere"))["code"] == 400
