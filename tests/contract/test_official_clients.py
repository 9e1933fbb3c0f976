"""Google's own Python clients, with nothing but the printed environment."""

import base64
import json
import re
from typing import Any

import google.auth
import pytest
from google.auth.transport.requests import Request as Transport
from google.cloud import bigquery, storage
from google.oauth2.service_account import Credentials
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError

from emulator.server.server_file import ServerInfo
from emulator.services.healthcare.stores import schema
from tests.support.dicom_files import make_dicom
from tests.support.waiting import wait_until

pytestmark = pytest.mark.sockets

LOCATION = "us-central1"
BUCKET = "gcs-public-data--healthcare-nih-chest-xray"


@pytest.fixture
def healthcare(emulator: ServerInfo) -> Any:
    credentials, project = google.auth.default(
        scopes=["https://www.googleapis.com/auth/cloud-platform"]
    )
    assert project == "local-project"
    return build(
        "healthcare",
        "v1",
        credentials=credentials,
        client_options={"api_endpoint": emulator.url},
        static_discovery=True,
        cache_discovery=False,
    )


def check(name: str, answer: dict[str, Any]) -> dict[str, Any]:
    """An answer has to be of its schema in the discovery document."""
    schema.check("v1", name, answer)
    return answer


def test_datasets_and_stores(healthcare: Any, project: str) -> None:
    datasets = healthcare.projects().locations().datasets()
    parent = f"projects/{project}/locations/{LOCATION}"
    dataset = f"{parent}/datasets/dataset1"
    operation = datasets.create(parent=parent, datasetId="dataset1", body={}).execute()
    check("Operation", operation)
    check("Operation", datasets.operations().get(name=operation["name"]).execute())
    assert check("Dataset", datasets.get(name=dataset).execute())["name"] == dataset
    listed = check("ListDatasetsResponse", datasets.list(parent=parent).execute())
    assert [one["name"] for one in listed["datasets"]] == [dataset]

    stores = datasets.dicomStores()
    for number in range(1, 6):
        store_id = f"dicomstore{number}"
        body = {"labels": {"number": str(number)}}
        check(
            "DicomStore",
            stores.create(parent=dataset, dicomStoreId=store_id, body=body).execute(),
        )
    names = []
    request = stores.list(parent=dataset, pageSize=2)
    while request is not None:
        page = check("ListDicomStoresResponse", request.execute())
        names += [one["name"] for one in page["dicomStores"]]
        request = stores.list_next(request, page)
    assert names == [f"{dataset}/dicomStores/dicomstore{number}" for number in range(1, 6)]

    fhir = datasets.fhirStores().create(
        parent=dataset, fhirStoreId="fhirstore1", body={"version": "R4"}
    )
    assert check("FhirStore", fhir.execute())["version"] == "R4"
    hl7 = datasets.hl7V2Stores().create(parent=dataset, hl7V2StoreId="hl7v2store1", body={})
    assert check("Hl7V2Store", hl7.execute())["name"] == f"{dataset}/hl7V2Stores/hl7v2store1"


def test_a_stores_policy(healthcare: Any, project: str) -> None:
    datasets = healthcare.projects().locations().datasets()
    parent = f"projects/{project}/locations/{LOCATION}"
    datasets.create(parent=parent, datasetId="dataset1", body={}).execute()
    stores = datasets.dicomStores()
    dataset = f"{parent}/datasets/dataset1"
    stores.create(parent=dataset, dicomStoreId="store1", body={}).execute()
    store = f"{dataset}/dicomStores/store1"

    policy = check("Policy", stores.getIamPolicy(resource=store).execute())
    binding = {
        "role": "roles/healthcare.dicomViewer",
        "members": ["group:readers@hospital.example"],
    }
    policy["bindings"] = [binding]
    written = check(
        "Policy", stores.setIamPolicy(resource=store, body={"policy": policy}).execute()
    )

    assert written["bindings"] == [binding]
    assert stores.getIamPolicy(resource=store).execute() == written
    wanted = {"permissions": ["healthcare.dicomStores.get"]}
    assert stores.testIamPermissions(resource=store, body=wanted).execute() == wanted
    with pytest.raises(HttpError) as caught:
        stores.setIamPolicy(resource=store, body={"policy": {**policy, "etag": "AAAA"}}).execute()
    assert caught.value.status_code == 409


def test_an_error_reads_as_googles(healthcare: Any, project: str) -> None:
    name = f"projects/{project}/locations/{LOCATION}/datasets/none"

    with pytest.raises(HttpError) as caught:
        healthcare.projects().locations().datasets().get(name=name).execute()

    assert caught.value.status_code == 404
    assert json.loads(caught.value.content)["error"]["status"] == "NOT_FOUND"
    assert name in caught.value.reason


def test_a_query_in_bigquery(emulator: ServerInfo, project: str) -> None:
    with bigquery.Client(project=project) as client:
        dataset = bigquery.Dataset(f"{project}.dataset1")
        dataset.location = LOCATION
        dataset.description = "DICOM"
        client.create_dataset(dataset)
        assert client.get_dataset("dataset1").description == "DICOM"
        assert client.get_dataset("dataset1").location == LOCATION
        fields = [bigquery.SchemaField("PatientID", "STRING")]
        client.create_table(bigquery.Table(f"{project}.dataset1.table1", schema=fields))
        assert client.insert_rows_json(f"{project}.dataset1.table1", [{"PatientID": "88"}]) == []
        rows = client.query_and_wait("SELECT PatientID FROM dataset1.table1", location=LOCATION)
        assert [tuple(row) for row in rows] == [("88",)]
        client.delete_dataset("dataset1", delete_contents=True)
        assert list(client.list_datasets()) == []


def test_the_public_bucket(emulator: ServerInfo) -> None:
    client = storage.Client()

    names = [blob.name for blob in client.list_blobs(BUCKET, prefix="dicom/000000")]

    assert len(names) == 405
    assert all(re.fullmatch(r"dicom/000000\d\d_\d{3}\.dcm", name) for name in names)
    blob = client.bucket(BUCKET).get_blob("dicom/00000088_000.dcm")
    assert blob is not None
    assert blob.content_type == "application/dicom"
    content = blob.download_as_bytes()  # the client checks the object's CRC32C
    assert len(content) == blob.size
    assert content[128:132] == b"DICM"


def test_a_bucket_of_ones_own(emulator: ServerInfo, project: str) -> None:
    client = storage.Client(project=project)
    bucket = client.create_bucket(f"{project}-images", location=LOCATION)
    bucket.blob("a/b.dcm").upload_from_string(b"bytes", content_type="application/dicom")

    assert [blob.name for blob in client.list_blobs(bucket.name)] == ["a/b.dcm"]
    assert bucket.blob("a/b.dcm").download_as_bytes() == b"bytes"
    bucket.delete(force=True)
    assert client.lookup_bucket(bucket.name) is None


def test_a_key_of_a_service_account_gets_its_token(emulator: ServerInfo, project: str) -> None:
    iam = build("iam", "v1", client_options={"api_endpoint": emulator.url}, static_discovery=True)
    accounts = iam.projects().serviceAccounts()
    body = {"accountId": "importer"}
    account = accounts.create(name=f"projects/{project}", body=body).execute()
    key = accounts.keys().create(name=account["name"], body={}).execute()

    info = json.loads(base64.b64decode(key["privateKeyData"]))
    credentials = Credentials.from_service_account_info(  # type: ignore[no-untyped-call]
        info, scopes=["cloud-platform"]
    )
    credentials.refresh(Transport())

    assert credentials.token == f"local:serviceAccount:{account['email']}"


def test_instances_are_updated_and_patched(emulator: ServerInfo, project: str) -> None:
    credentials, _ = google.auth.default(scopes=["https://www.googleapis.com/auth/cloud-platform"])
    options = {"api_endpoint": emulator.url}
    beta = build("healthcare", "v1beta1", credentials=credentials, client_options=options)
    datasets = beta.projects().locations().datasets()
    parent = f"projects/{project}/locations/{LOCATION}"
    datasets.create(parent=parent, datasetId="beta", body={}).execute()
    stores = datasets.dicomStores()
    stores.create(parent=f"{parent}/datasets/beta", dicomStoreId="s", body={}).execute()
    store = f"{parent}/datasets/beta/dicomStores/s"

    def update(content: bytes) -> Any:
        request = stores.updateInstances(parent=store, dicomWebPath="studies", body={})
        request.body, request.body_size = content, len(content)
        request.headers |= {"content-type": "application/dicom", "accept": "application/dicom+json"}
        return request.execute()

    def finish(operation: Any) -> Any:
        get = datasets.operations().get(name=operation["name"])
        return wait_until(lambda: (got := get.execute()).get("done") and got, "it does not end")

    update(make_dicom(PatientName="Old"))
    [stored] = update(make_dicom(PatientName="New"))["00081199"]["Value"]
    assert stored["00081155"]["Value"] == ["1.2.3.4.5"]
    instance = "studies/1.2.3/series/1.2.3.4/instances/1.2.3.4.5"
    path = "/00100010/Value/0/Alphabetic"
    patch = [
        {"op": "test", "path": path, "value": "New"},
        {"op": "replace", "path": path, "value": "Patched"},
    ]
    of_instances = stores.studies().series().instances()
    [model] = of_instances.updateMetadata(parent=store, dicomWebPath=instance, body=patch).execute()
    assert model["00100010"]["Value"] == [{"Alphabetic": "Patched"}]
    with pytest.raises(HttpError, match="Operation 0 of the patch tests a value"):
        of_instances.updateMetadata(parent=store, dicomWebPath=instance, body=patch).execute()
    removal = [{"op": "remove", "path": "/00100010"}]
    operation = stores.studies().updateMetadata(
        parent=store, dicomWebPath="studies/1.2.3", body=removal
    )
    assert finish(operation.execute())["metadata"]["counter"] == {"success": "1"}
    operation = (
        stores.studies()
        .series()
        .updateMetadata(parent=store, dicomWebPath="studies/1.2.3/series/1.2.3.4", body=removal)
    )
    assert finish(operation.execute())["metadata"]["counter"] == {"failure": "1"}
