"""The requests of the console without a browser: what its tables and pictures are made of."""

import base64
import io
from typing import Any

import pytest
from PIL import Image

from emulator.server.server_file import ServerInfo
from tests.support import hl7v2_messages, http, viewer_pages
from tests.support.console_requests import path

pytestmark = pytest.mark.sockets

IN_DATASET = {"location": "us-central1", "dataset": "dataset1"}


@pytest.fixture
def names(emulator: ServerInfo, project: str) -> dict[str, str]:
    """The names of a project with a DICOM store, an HL7v2 store and a topic."""
    viewer_pages.fill_store(emulator.url, project, "88")
    dataset = f"{emulator.url}/v1/projects/{project}/locations/us-central1/datasets/dataset1"
    http.post(f"{dataset}/hl7V2Stores?hl7V2StoreId=reports", json={}).raise_for_status()
    admission = hl7v2_messages.body(hl7v2_messages.admission())
    http.post(f"{dataset}/hl7V2Stores/reports/messages", json=admission).raise_for_status()
    topic = f"projects/{project}/topics/events"
    http.put(f"{emulator.url}/v1/{topic}", json={}).raise_for_status()
    http.put(
        f"{emulator.url}/v1/projects/{project}/subscriptions/watch", json={"topic": topic}
    ).raise_for_status()
    return {"project": project, **IN_DATASET}


def get(emulator: ServerInfo, name: str, **values: str) -> Any:
    answer = http.get(f"{emulator.url}{path(name, **values)}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_stores_with_counts_and_sizes(emulator: ServerInfo, names: dict[str, str]) -> None:
    project = names["project"]
    assert project in [each["projectId"] for each in get(emulator, "projects")["projects"]]
    [dataset] = get(emulator, "datasets", project=project)["datasets"]
    assert dataset == f"projects/{project}/locations/us-central1/datasets/dataset1"
    for collection, store in ("dicomStores", "dicomstore1"), ("hl7V2Stores", "reports"):
        [found] = get(emulator, "stores", collection=collection, **names)[collection]
        assert found["name"] == f"{dataset}/{collection}/{store}"
    counted = get(emulator, "DICOM metrics", store="dicomstore1", **names)
    assert (counted["studyCount"], counted["instanceCount"]) == ("1", "1")
    assert int(counted["blobStorageSizeBytes"]) > 10_000
    [metric] = get(emulator, "HL7v2 metrics", store="reports", **names)["metrics"]
    assert metric["count"] == "1"
    operations = get(emulator, "operations", **names)["operations"]
    assert [each["metadata"]["apiMethodName"].rpartition(".")[2] for each in operations] == [
        "CreateDataset"
    ]


def test_a_study_and_its_picture(emulator: ServerInfo, names: dict[str, str]) -> None:
    in_store = {**names, "store": "dicomstore1"}
    [study] = get(emulator, "studies", **in_store)
    assert study["00100020"]["Value"] == ["88"]
    assert study["00081030"]["Value"] == ["Cardiomegaly|Effusion"]
    uid = study["0020000D"]["Value"][0]
    [first] = get(emulator, "first instance", study=uid, **in_store)
    series, instance = (first[tag]["Value"][0] for tag in ("0020000E", "00080018"))
    address = path("picture", study=uid, series=series, instance=instance, **in_store)
    # As an <img> of Chromium asks.
    accept = {"Accept": "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"}
    answer = http.get(f"{emulator.url}{address}", headers=accept)
    picture = Image.open(io.BytesIO(answer.content))
    assert picture.width > 100
    assert len(picture.getcolors(maxcolors=1 << 24) or ()) > 100


def test_messages_name_no_patient_until_one_is_opened(
    emulator: ServerInfo, names: dict[str, str]
) -> None:
    in_store = {**names, "store": "reports"}
    [listed] = get(emulator, "messages", **in_store)["hl7V2Messages"]
    assert listed.keys() == {"name", "createTime", "sendTime", "messageType", "sendFacility"}
    message = listed["name"].rpartition("/")[2]
    opened = get(emulator, "message", message=message, **in_store)
    assert base64.b64decode(opened["data"]) == hl7v2_messages.admission()
    assert "parsedData" not in opened


def test_resources_name_no_patient_until_one_is_opened(
    emulator: ServerInfo, names: dict[str, str]
) -> None:
    stores = f"{emulator.url}{path('stores', collection='fhirStores', **names)}".partition("?")[0]
    settings = {"version": "R4", "enableUpdateCreate": True}
    http.post(f"{stores}?fhirStoreId=records", json=settings).raise_for_status()
    patient = {"resourceType": "Patient", "id": "ann", "name": [{"family": "Muster"}]}
    headers = {"Content-Type": "application/fhir+json"}
    http.put(f"{stores}/records/fhir/Patient/ann", json=patient, headers=headers).raise_for_status()

    in_store = {**names, "store": "records"}
    [metric] = get(emulator, "FHIR metrics", **in_store)["metrics"]
    assert (metric["resourceType"], metric["count"]) == ("Patient", "1")
    [entry] = get(emulator, "resources", type="Patient", **in_store)["entry"]
    assert entry["resource"]["id"] == "ann"
    assert "name" not in entry["resource"]
    opened = get(emulator, "resource", type="Patient", id="ann", **in_store)
    assert opened["name"] == [{"family": "Muster"}]


def test_topics_with_their_messages(emulator: ServerInfo, names: dict[str, str]) -> None:
    project = names["project"]
    [topic] = get(emulator, "topics", project=project)["topics"]
    [subscription] = get(emulator, "subscriptions", project=project)["subscriptions"]
    assert subscription["topic"] == topic["name"]
    body = {"messages": [{"data": "aMOp", "attributes": {"a": "b"}}]}
    published = http.post(
        f"{emulator.url}{path('publish', project=project, topic='events')}", json=body
    ).json()
    shown = get(emulator, "topic messages", project=project, topic="events")
    assert shown["subscriptions"] == [{"name": subscription["name"], "undelivered": 1}]
    [message] = shown["messages"]
    assert [message["messageId"]] == published["messageIds"]
    assert (message["data"], message["attributes"]) == ("aMOp", {"a": "b"})


def test_tables_queries_and_failures(emulator: ServerInfo, project: str) -> None:
    root = f"{emulator.url}/bigquery/v2/projects/{project}"
    reference = {"projectId": project, "datasetId": "warehouse"}
    http.post(f"{root}/datasets", json={"datasetReference": reference}).raise_for_status()
    create = {"query": "CREATE TABLE warehouse.findings AS SELECT 88 AS patient"}
    http.post(f"{root}/queries", json={**create, "useLegacySql": False}).raise_for_status()

    in_dataset = {"project": project, "dataset": "warehouse"}
    [dataset] = get(emulator, "BigQuery datasets", project=project)["datasets"]
    assert dataset["datasetReference"] == reference
    [table] = get(emulator, "tables", **in_dataset)["tables"]
    assert table["tableReference"]["tableId"] == "findings"
    counted = get(emulator, "table", table="findings", **in_dataset)
    assert (counted["type"], counted["numRows"]) == ("TABLE", "1")
    body = {"query": "SELECT * FROM warehouse.findings", "useLegacySql": False, "maxResults": 100}
    answer = http.post(f"{emulator.url}{path('query', project=project)}", json=body).json()
    assert [each["name"] for each in answer["schema"]["fields"]] == ["patient"]
    assert (answer["totalRows"], answer["rows"]) == ("1", [{"f": [{"v": "88"}]}])

    entry = {
        "logName": f"projects/{project}/logs/test",
        "resource": {"type": "global"},
        "severity": "ERROR",
        "textPayload": "the disk refuses",
    }
    http.post(f"{emulator.url}/v2/entries:write", json={"entries": [entry]}).raise_for_status()
    body = {
        "resourceNames": [f"projects/{project}"],
        "filter": "severity>=ERROR",
        "orderBy": "timestamp desc",
        "pageSize": 100,
    }
    entries = http.post(f"{emulator.url}{path('log entries')}", json=body).json()["entries"]
    assert [each["textPayload"] for each in entries] == ["the disk refuses"]


def test_who_can_do_what(emulator: ServerInfo, project: str) -> None:
    bucket = f"{project}-shared"
    http.post(f"{emulator.url}/storage/v1/b?project={project}", json={"name": bucket})
    binding = {"role": "roles/storage.objectViewer", "members": ["user:ann@example.com"]}
    address = path("bucket policy", bucket=bucket)
    http.put(f"{emulator.url}{address}", json={"bindings": [binding], "version": 3})
    root = f"{emulator.url}/bigquery/v2/projects/{project}"
    reference = {"projectId": project, "datasetId": "shared"}
    access = [{"role": "READER", "userByEmail": "bob@example.com"}]
    body = {"datasetReference": reference, "access": access}
    http.post(f"{root}/datasets", json=body).raise_for_status()

    [whole] = get(emulator, "policies", project=project)["policies"]
    assert "roles/owner" in [each["role"] for each in whole["bindings"]]
    assert whole["resource"] == f"projects/{project}"
    assert bucket in [each["name"] for each in get(emulator, "buckets", project=project)["items"]]
    assert binding in get(emulator, "bucket policy", bucket=bucket)["bindings"]
    shown = get(emulator, "BigQuery dataset", project=project, dataset="shared")
    assert access[0] in shown["access"]
