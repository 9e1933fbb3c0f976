"""BigQuery streams of DICOM stores, read by google-cloud-bigquery."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pydicom
import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery
from google.cloud.exceptions import NotFound
from pydicom.data import get_testdata_file

from emulator.core import http_client
from emulator.server.server_file import ServerInfo
from tests.support import http
from tests.support.dicom_files import make_dicom
from tests.support.waiting import PATIENCE_SECONDS, finished, wait_until

pytestmark = pytest.mark.sockets

LAB = "gs://gcs-public-data--healthcare-nih-chest-xray/dicom/0000008*.dcm"


@pytest.fixture
def bigquery_client(
    emulator: ServerInfo, project: str, grant: Callable[..., None]
) -> bigquery.Client:
    grant("roles/bigquery.admin", "roles/storage.objectViewer")
    credentials: Any = AnonymousCredentials
    client = bigquery.Client(
        project,
        credentials(),
        client_options={"api_endpoint": emulator.environment()["BIGQUERY_EMULATOR_HOST"]},
    )
    client.create_dataset("streamed")
    return client


@pytest.fixture
def store(emulator: ServerInfo, project: str, bigquery_client: bigquery.Client) -> str:
    """The URL of a store that streams into two tables."""
    api = f"{emulator.url}/v1/projects/{project}/locations/us-central1/datasets"
    http.post(f"{api}?datasetId=clinic", json={}).raise_for_status()
    tables = [f"bq://{project}.streamed.{name}" for name in ("instances", "copies")]
    body = {"streamConfigs": [{"bigqueryDestination": {"tableUri": uri}} for uri in tables]}
    http.post(f"{api}/clinic/dicomStores?dicomStoreId=s", json=body).raise_for_status()
    return f"{api}/clinic/dicomStores/s"


def put(store: str, name: str) -> pydicom.FileDataset:
    path = Path(str(get_testdata_file(name)))
    headers = {"Content-Type": "application/dicom"}
    answer = http.post(f"{store}/dicomWeb/studies", content=path.read_bytes(), headers=headers)
    answer.raise_for_status()
    return pydicom.dcmread(path)


def wait_for(bigquery_client: bigquery.Client, table: str, count: int) -> None:
    """Wait until a table has so many rows."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    found = 0
    while found < count and time.monotonic() < deadline:
        try:
            query = bigquery_client.query(f"SELECT COUNT(*) AS number FROM streamed.{table}")
            [row] = query.result()
            found = row.number
        except NotFound:
            found = 0
        time.sleep(0.2)
    assert found == count


def rows(
    bigquery_client: bigquery.Client, table: str, count: int, columns: str = "SOPInstanceUID"
) -> list[dict[str, Any]]:
    """Wait until a table has so many rows, and give columns of them.

    Not by `SELECT *`: the stand-in keeps to the columns of a table that it has seen once.
    """
    wait_for(bigquery_client, table, count)
    query = bigquery_client.query(f"SELECT {columns} FROM streamed.{table}")
    return [dict(row) for row in query.result()]


def test_every_new_instance_has_a_row_in_every_table(
    store: str, bigquery_client: bigquery.Client
) -> None:
    first, second = put(store, "CT_small.dcm"), put(store, "rtplan.dcm")
    put(store, "CT_small.dcm")  # it is there already: nothing is new
    columns = "SOPInstanceUID, Modality, `Rows`, RTPlanLabel, StorageClass"
    for table in ("instances", "copies"):
        found = {row["SOPInstanceUID"]: row for row in rows(bigquery_client, table, 2, columns)}
        assert found[first.SOPInstanceUID]["Modality"] == "CT"
        assert found[first.SOPInstanceUID]["Rows"] == 128
        # Columns that only the second one needs were added to the table.
        assert found[second.SOPInstanceUID]["RTPlanLabel"] == second.RTPlanLabel
        assert found[second.SOPInstanceUID]["StorageClass"] == "STANDARD"


def planned(uid: str, **elements: Any) -> bytes:
    """A file whose request has one item with these elements."""
    item = pydicom.Dataset()
    for keyword, value in elements.items():
        setattr(item, keyword, value)
    return make_dicom(SOPInstanceUID=uid, RequestAttributesSequence=[item])


def store_file(store: str, content: bytes) -> None:
    headers = {"Content-Type": "application/dicom"}
    http.post(f"{store}/dicomWeb/studies", content=content, headers=headers).raise_for_status()


def test_a_table_gets_nested_columns_too(store: str, bigquery_client: bigquery.Client) -> None:
    code = pydicom.Dataset()
    code.CodeValue, code.CodeMeaning = "36643-5", "Chest two views"
    store_file(store, planned("1.1", ScheduledProcedureStepID="first"))
    wait_for(bigquery_client, "instances", 1)
    store_file(
        store,
        planned(
            "1.2", RequestedProcedureDescription="later", RequestedProcedureCodeSequence=[code]
        ),
    )
    found = rows(bigquery_client, "instances", 2, "SOPInstanceUID, RequestAttributesSequence")
    [first] = next(row for row in found if row["SOPInstanceUID"] == "1.1").popitem()[1]
    [second] = next(row for row in found if row["SOPInstanceUID"] == "1.2").popitem()[1]
    assert first["ScheduledProcedureStepID"] == "first"
    assert first["RequestedProcedureDescription"] is None
    assert second["ScheduledProcedureStepID"] is None
    assert second["RequestedProcedureDescription"] == "later"
    [meaning] = second["RequestedProcedureCodeSequence"]
    assert (meaning["CodeValue"], meaning["CodeMeaning"]) == ("36643-5", "Chest two views")
    fields = {field.name: field for field in bigquery_client.get_table("streamed.instances").schema}
    names = {field.name for field in fields["RequestAttributesSequence"].fields}
    assert {"ScheduledProcedureStepID", "RequestedProcedureDescription"} < names


def test_a_row_that_the_table_refuses_costs_no_other(
    store: str, bigquery_client: bigquery.Client, emulator: ServerInfo
) -> None:
    schema = [bigquery.SchemaField("PatientID", "INTEGER")]
    bigquery_client.create_table(
        bigquery.Table(f"{bigquery_client.project}.streamed.instances", schema)
    )
    patients = {f"1.{number}": str(number) for number in range(1, 6)} | {"1.9": "a name"}
    media_type, parts = "application/dicom", b""
    for uid, patient in patients.items():
        content = make_dicom(SOPInstanceUID=uid, PatientID=patient)
        parts += b"--x\r\nContent-Type: application/dicom\r\n\r\n" + content + b"\r\n"
    headers = {"Content-Type": f'multipart/related; type="{media_type}"; boundary=x'}
    url = f"{store}/dicomWeb/studies"
    http.post(url, content=parts + b"--x--\r\n", headers=headers).raise_for_status()
    found = rows(bigquery_client, "instances", 5, "SOPInstanceUID, PatientID")
    assert {row["SOPInstanceUID"]: str(row["PatientID"]) for row in found} == {
        uid: patient for uid, patient in patients.items() if uid != "1.9"
    }
    assert len(rows(bigquery_client, "copies", 6)) == 6
    log = emulator.state / "emulator.log"
    dropped = f"dropped 1 rows of {store.partition('/v1/')[2]} for"
    wait_until(lambda: dropped in log.read_text(), "the dropped row is not logged")
    assert "a name" not in log.read_text()


def test_imports_and_deletions_are_streamed(
    store: str, bigquery_client: bigquery.Client, emulator: ServerInfo
) -> None:
    with http_client.client(seconds=30) as client:
        begun = client.post(f"{store}:import", json={"gcsSource": {"uri": LAB}})
        done = finished(client, emulator, begun)
        count = int(done["metadata"]["counter"]["success"])
        assert count > 1
        sops = {row["SOPInstanceUID"] for row in rows(bigquery_client, "instances", count)}
        instance = client.get(f"{store}/dicomWeb/instances").json()[0]
        study, series, sop = (
            instance[tag]["Value"][0] for tag in ("0020000D", "0020000E", "00080018")
        )
        path = f"{store}/dicomWeb/studies/{study}/series/{series}/instances/{sop}"
        client.delete(path).raise_for_status()
    changes = rows(bigquery_client, "instances", count + 1, "SOPInstanceUID, Type, LastUpdated")
    assert {row["SOPInstanceUID"] for row in changes} == sops
    types = [row["Type"] for row in sorted(changes, key=lambda row: row["LastUpdated"])]
    assert types == [*["CREATE"] * count, "DELETE"]
    # The query of docs/dicom.md for what the store holds now.
    latest = bigquery_client.query(
        "SELECT SOPInstanceUID FROM streamed.instances WHERE TRUE QUALIFY ROW_NUMBER() OVER ("
        "PARTITION BY StudyInstanceUID, SeriesInstanceUID, SOPInstanceUID ORDER BY LastUpdated DESC"
        ") = 1 AND Type = 'CREATE'"
    )
    assert {row.SOPInstanceUID for row in latest.result()} == sops - {sop}


def test_a_table_that_may_not_be_written_costs_rows_and_no_instance(
    store: str, bigquery_client: bigquery.Client, grant: Callable[..., None], emulator: ServerInfo
) -> None:
    grant("roles/storage.objectViewer")
    put(store, "CT_small.dcm")
    log = emulator.state / "emulator.log"
    name = store.partition("/v1/")[2]
    message = f"rows of {name} for bq://{bigquery_client.project}.streamed.copies"
    wait_until(lambda: message in log.read_text(), "the refusal is not logged")
    [line] = [one for one in log.read_text().splitlines() if message in one]
    assert "roles/bigquery.dataEditor" in line
    assert len(http.get(f"{store}/dicomWeb/instances").json()) == 1
    with pytest.raises(NotFound):
        bigquery_client.get_table("streamed.copies")


def test_rows_as_json_with_the_name_of_the_store(
    emulator: ServerInfo, project: str, store: str, bigquery_client: bigquery.Client
) -> None:
    name = store.removeprefix(f"{emulator.url}/v1/")
    destinations = {"as_json": {"schemaJson": {}, "includeSourceStore": True}}
    destinations["named"] = {"schemaFlattened": {}, "includeSourceStore": True}
    streams = [
        {"bigqueryDestination": {"tableUri": f"bq://{project}.streamed.{table}", **layout}}
        for table, layout in destinations.items()
    ]
    changed = http.patch(f"{store}?updateMask=streamConfigs", json={"streamConfigs": streams})
    assert changed.raise_for_status().json()["streamConfigs"] == streams
    image = put(store, "CT_small.dcm")
    study, series, sop = image.StudyInstanceUID, image.SeriesInstanceUID, image.SOPInstanceUID
    path = f"{store}/dicomWeb/studies/{study}/series/{series}/instances/{sop}"
    [metadata] = http.get(f"{path}/metadata").raise_for_status().json()
    http.delete(path).raise_for_status()
    columns = "Type, SourceDicomStore, StudyInstanceUID, SOPInstanceUID, StorageClass"
    for table, further in (("as_json", ", TO_JSON_STRING(Metadata) AS M"), ("named", ", Modality")):
        found = {row["Type"]: row for row in rows(bigquery_client, table, 2, columns + further)}
        assert set(found) == {"CREATE", "DELETE"}
        for row in found.values():
            assert (row["SourceDicomStore"], row["StorageClass"]) == (name, "STANDARD")
            assert (row["StudyInstanceUID"], row["SOPInstanceUID"]) == (study, sop)
            assert row.get("Modality", "CT") == "CT"
            assert json.loads(row.get("M", json.dumps(metadata))) == metadata
    types = {
        field.name: field.field_type
        for field in bigquery_client.get_table("streamed.as_json").schema
    }
    assert types["Metadata"] == "JSON"
    assert "Modality" not in types
