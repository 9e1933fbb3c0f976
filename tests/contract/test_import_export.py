"""Import and export, by Google's own clients, over real sockets and processes."""

import io
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pydicom
import pytest
from google.cloud import bigquery
from googleapiclient.errors import HttpError
from pydicom.data import get_testdata_file

from emulator.server import lifecycle
from emulator.server.server_file import ServerInfo
from emulator.services.healthcare.clients.agent_reads import MAX_BYTES
from tests.support import http
from tests.support.import_export import Lab, healthcare, refused
from tests.support.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.sockets

LAB = "gs://gcs-public-data--healthcare-nih-chest-xray/dicom/000000*.dcm"
FEW = "gs://gcs-public-data--healthcare-nih-chest-xray/dicom/0000008*.dcm"
STORAGE = "roles/storage.objectAdmin"
BIGQUERY_ADMIN = "roles/bigquery.admin"


@pytest.fixture
def lab(emulator: ServerInfo, project: str, grant: Callable[..., None]) -> Lab:
    grant(STORAGE, BIGQUERY_ADMIN)
    return Lab(emulator, project)


def test_the_labs_import_export_and_queries(lab: Lab) -> None:
    done = lab.import_(LAB)
    assert "error" not in done
    assert done["metadata"]["counter"] == {"success": "405"}
    assert done["metadata"]["apiMethodName"].endswith(".dicom.DicomService.ImportDicomData")
    assert lab.count() == 405
    exported = lab.export()
    assert exported["metadata"]["counter"] == {"success": "405"}
    first = "SELECT StudyDescription FROM dataset1.dicomstore1 WHERE PatientID='88'"
    assert lab.query(first) == [("Cardiomegaly|Effusion",)]
    second = "SELECT PatientID FROM dataset1.dicomstore1 WHERE StudyDescription='No Finding'"
    assert len(lab.query(second)) == 151
    schema = {
        field.name: field for field in lab.bigquery_client.get_table("dataset1.dicomstore1").schema
    }
    assert schema["StudyDate"].field_type == "DATE"
    assert schema["PixelSpacing"].mode == "REPEATED"
    assert schema["AnatomicRegionSequence"].field_type in {"RECORD", "STRUCT"}
    assert [field.name for field in schema["PatientName"].fields] == [
        "Alphabetic",
        "Ideographic",
        "Phonetic",
    ]
    assert "PixelData" not in schema
    nested = "SELECT DISTINCT PatientName.Alphabetic.FamilyName, v.CodeMeaning"
    rows = lab.query(f"{nested} FROM dataset1.dicomstore1, UNNEST(ViewCodeSequence) v ORDER BY 2")
    assert rows == [("Synthetic", "antero-posterior"), ("Synthetic", "postero-anterior")]
    again = lab.import_(LAB)
    assert again["metadata"]["counter"] == {"success": "405"}
    assert lab.count() == 405


def test_all_elements_in_a_column_of_json_and_two_stores_in_one_table(lab: Lab) -> None:
    second = lab.add_store("dicomstore2")
    for store in (lab.store, second):
        lab.import_(FEW, store)
        options = {"schemaJson": {}, "includeSourceStore": True, "writeDisposition": "WRITE_APPEND"}
        assert "error" not in lab.export(store, **options)
    sources = lab.query("SELECT SourceDicomStore, COUNT(*) FROM dataset1.dicomstore1 GROUP BY 1")
    assert sorted(sources) == [(store, lab.count()) for store in (lab.store, second)]
    found = lab.query(
        "SELECT DISTINCT JSON_VALUE(Metadata, '$.00100020.Value[0]'), Type"
        " FROM dataset1.dicomstore1 ORDER BY 1"
    )
    assert ("88", "CREATE") in found
    assert {patient[:1] for patient, _ in found} == {"8"}
    schema = {
        field.name: field for field in lab.bigquery_client.get_table("dataset1.dicomstore1").schema
    }
    assert schema["Metadata"].field_type == "JSON"
    assert "PatientID" not in schema
    # The columns of elements, when the other layout is not asked for.
    lab.export(includeSourceStore=True, writeDisposition="WRITE_TRUNCATE")
    row = lab.query(
        "SELECT DISTINCT SourceDicomStore FROM dataset1.dicomstore1 WHERE PatientID='88'"
    )
    assert row == [(lab.store,)]
    both = refused(lambda: lab.export(schemaJson={}, schemaFlattened={}))
    assert both[0] == 400
    assert "schema_flattened" in both[1]


def test_write_dispositions(lab: Lab) -> None:
    lab.import_(FEW, blobStorageSettings={"blobStorageClass": "NEARLINE"})
    number = lab.count()
    count = "SELECT COUNT(*), MIN(StorageClass) FROM dataset1.dicomstore1"
    assert "error" not in lab.export()
    assert lab.query(count) == [(number, "NEARLINE")]
    taken = lab.export()
    assert taken["error"]["code"] == 6
    assert f"{lab.project}.dataset1.dicomstore1 already exists" in taken["error"]["message"]
    assert lab.query(count) == [(number, "NEARLINE")]
    assert "error" not in lab.export(force=True)
    assert lab.query(count)[0][0] == number
    assert "error" not in lab.export(writeDisposition="WRITE_APPEND")
    assert lab.query(count)[0][0] == 2 * number
    # force is ignored beside a disposition.
    assert lab.export(writeDisposition="WRITE_EMPTY", force=True)["error"]["code"] == 6
    assert "error" not in lab.export(writeDisposition="WRITE_TRUNCATE")
    assert lab.query(count)[0][0] == number


def test_columns_that_a_table_lacks_are_added(lab: Lab) -> None:
    lab.import_(FEW)
    assert "error" not in lab.export()
    other = lab.add_store("other")
    plan = Path(str(get_testdata_file("rtplan.dcm")))
    bucket = lab.buckets.create_bucket(f"{lab.project}-plans")
    bucket.blob("plan.dcm").upload_from_filename(plan)
    lab.import_(f"gs://{bucket.name}/*.dcm", other)
    assert "error" not in lab.export(other, writeDisposition="WRITE_APPEND")
    label = pydicom.dcmread(plan).RTPlanLabel
    query = "SELECT RTPlanLabel, COUNT(*) FROM dataset1.dicomstore1 GROUP BY 1 ORDER BY 1"
    assert lab.query(query) == [(None, lab.count()), (label, 1)]
    assert "error" not in lab.export(other, writeDisposition="WRITE_TRUNCATE")
    columns = {field.name for field in lab.bigquery_client.get_table("dataset1.dicomstore1").schema}
    assert "RTPlanLabel" in columns
    assert "PatientOrientation" not in columns  # of the images, which are gone


def test_a_filter_exports_a_part(lab: Lab) -> None:
    lab.import_(FEW)
    rows = lab.query_all()
    study, _, _ = rows[0]
    _, series, sop = rows[-1]
    other = rows[-1][0]
    lines = f"/studies/{study}\n/studies/{other}/series/{series}/instances/{sop}\n"
    bucket = lab.buckets.create_bucket(f"{lab.project}-filters")
    bucket.blob("part").upload_from_string(lines)
    wanted = {row for row in rows if row[0] == study or row[2] == sop}
    assert 0 < len(wanted) < len(rows)
    part = {"resourcePathsGcsUri": f"gs://{bucket.name}/part"}
    body: dict[str, Any] = {"filterConfig": part}
    body["bigqueryDestination"] = {"tableUri": lab.table_uri("part")}
    done = lab.wait(lab.stores.export(name=lab.store, body=body).execute()["name"])
    assert done["metadata"]["counter"] == {"success": str(len(wanted))}
    sops = {row[0] for row in lab.query("SELECT SOPInstanceUID FROM dataset1.part")}
    assert sops == {row[2] for row in wanted}
    body = {"filterConfig": part, "gcsDestination": {"uriPrefix": f"gs://{bucket.name}/out"}}
    lab.wait(lab.stores.export(name=lab.store, body=body).execute()["name"])
    names = {blob.name for blob in bucket.list_blobs(prefix="out/")}
    assert names == {f"out/{'/'.join(row)}.dcm" for row in wanted}
    settings = {"blobStorageSettings": {"blobStorageClass": "COLDLINE"}, "filterConfig": part}
    request = lab.stores.setBlobStorageSettings(resource=lab.store, body=settings)
    changed = lab.wait(request.execute()["name"])
    assert changed["metadata"]["counter"] == {"success": str(len(wanted))}


@pytest.mark.parametrize(
    ("content", "message"),
    [("studies/1.2", "line 1"), ("/studies/1.2\n/series/1", "line 2"), ("\n", "lists nothing")],
)
def test_a_filter_that_is_none_is_refused(lab: Lab, content: str, message: str) -> None:
    bucket = lab.buckets.create_bucket(f"{lab.project}-filters")
    bucket.blob("wrong").upload_from_string(content)
    bucket.blob("long").upload_from_string(b"\n" * (MAX_BYTES + 1))
    cases = {"wrong": message, "no": "exist", "long": f"longer than {MAX_BYTES} bytes"}
    for name, reason in cases.items():
        uri = f"gs://{bucket.name}/{name}"
        body = {
            "filterConfig": {"resourcePathsGcsUri": uri},
            "bigqueryDestination": {"tableUri": lab.table_uri("part")},
        }
        _, complaint = refused(lab.stores.export(name=lab.store, body=body).execute)
        assert reason in complaint


def test_an_empty_table_is_filled_and_an_empty_store_makes_an_empty_table(lab: Lab) -> None:
    assert "error" not in lab.export()
    assert lab.bigquery_client.get_table("dataset1.dicomstore1").num_rows == 0
    lab.bigquery_client.delete_table("dataset1.dicomstore1")
    lab.bigquery_client.create_table(
        bigquery.Table(
            f"{lab.project}.dataset1.dicomstore1", [bigquery.SchemaField("PatientID", "STRING")]
        )
    )
    lab.import_(FEW)
    assert "error" not in lab.export()
    assert lab.query("SELECT COUNT(*) FROM dataset1.dicomstore1") == [(lab.count(),)]
    table = lab.bigquery_client.get_table("dataset1.dicomstore1")
    [(names,)] = lab.query("SELECT SUM(2 + BYTE_LENGTH(PatientID)) FROM dataset1.dicomstore1")
    assert table.num_bytes > names > 0


def test_files_that_cant_be_imported_are_counted_and_logged(lab: Lab) -> None:
    public = lab.buckets.bucket("gcs-public-data--healthcare-nih-chest-xray")
    good = public.blob("dicom/00000088_000.dcm").download_as_bytes()
    without_uids = good.replace(b"\x20\x00\x0d\x00UI", b"\x20\x00\x0f\x00UI", 1)
    files = {
        "good.dcm": good,
        "other/again.dcm": good,
        "text.dcm": b"no image at all",
        "empty.dcm": b"",
        "cut.dcm": good[:-1000],
        "no-uids.dcm": without_uids,
        "other-bytes.dcm": good[:-1] + bytes([good[-1] ^ 1]),
    }
    bucket = lab.buckets.create_bucket(f"{lab.project}-bad-files")
    for name, content in files.items():
        bucket.blob(name).upload_from_string(content, content_type="application/dicom")
    done = lab.import_(f"gs://{bucket.name}/**.dcm")
    assert done["error"]["code"] != 0
    assert done["metadata"]["counter"] == {"success": "2", "failure": "5"}
    assert lab.count() == 1
    logged = [entry["jsonPayload"] for entry in lab.log(done["name"])]
    errors = {entry["source"].rpartition("/")[2]: entry["error"]["message"] for entry in logged}
    assert len(errors) == len(logged) == 5
    assert set(errors) == {"text.dcm", "empty.dcm", "cut.dcm", "no-uids.dcm"} | (
        set(errors) & {"other-bytes.dcm", "good.dcm", "again.dcm"}
    )
    assert "Not a DICOM file" in errors["text.dcm"]
    assert "empty" in errors["empty.dcm"]
    assert "truncated" in errors["cut.dcm"]
    assert "StudyInstanceUID" in errors["no-uids.dcm"]
    assert sum("checksum mismatch" in error for error in errors.values()) >= 1


def test_what_becomes_of_an_object_later_changes_no_instance(lab: Lab) -> None:
    public = lab.buckets.bucket("gcs-public-data--healthcare-nih-chest-xray")
    files = [
        public.blob(f"dicom/0000000{number}_000.dcm").download_as_bytes() for number in range(1, 5)
    ]
    bucket = lab.buckets.create_bucket(f"{lab.project}-changing")
    names = ["kept.dcm", "written over.dcm", "written-over.dcm", "deleted.dcm"]
    for name, content in zip(names, files, strict=True):
        bucket.blob(name).upload_from_string(content, content_type="application/dicom")
    assert lab.import_(f"gs://{bucket.name}/*.dcm")["metadata"]["counter"] == {"success": "4"}

    for name in names[1:3]:
        bucket.blob(name).upload_from_string(b"something else")
    bucket.blob(names[3]).delete()

    for content in files:
        image = pydicom.dcmread(io.BytesIO(content), stop_before_pixels=True)
        path = f"studies/{image.StudyInstanceUID}/series/{image.SeriesInstanceUID}"
        answer = http.get(
            f"{lab.root}/v1/{lab.store}/dicomWeb/{path}/instances/{image.SOPInstanceUID}",
            headers={"Accept": "application/dicom; transfer-syntax=*"},
        )
        assert answer.content == content
    assert bucket.blob(names[0]).download_as_bytes() == files[0]


@pytest.mark.parametrize(
    ("uri", "code", "text"),
    [
        (LAB.replace("000000*", "999*"), 400, "resolves to zero GCS objects"),
        (LAB.replace("000000*", "**x"), 400, "only at the end or before an extension"),
        ("gs://no-such-bucket-here/*.dcm", 404, "no-such-bucket-here does not exist"),
        ("dicom/*.dcm", 400, "must begin with gs://"),
        ("", 400, "gcs_source.uri is required"),
    ],
)
def test_sources_that_are_refused(lab: Lab, uri: str, code: int, text: str) -> None:
    assert refused(lambda: lab.begin_import(uri))[0] == code
    assert text in refused(lambda: lab.begin_import(uri))[1]


def test_an_unknown_store(lab: Lab) -> None:
    code, message = refused(lambda: lab.begin_import(LAB, f"{lab.dataset}/dicomStores/none"))
    assert code == 404
    assert "dicomStores/none" in message


def test_import_needs_the_storage_role(lab: Lab, grant: Callable[..., None]) -> None:
    bucket = lab.buckets.create_bucket(f"{lab.project}-closed").name
    grant(BIGQUERY_ADMIN)
    code, message = refused(lambda: lab.begin_import(f"gs://{bucket}/*.dcm"))
    assert code == 403
    assert "does not have storage.objects.list access" in message
    assert "@gcp-sa-healthcare.iam.gserviceaccount.com" in message
    assert lab.count() == 0


def test_export_needs_the_bigquery_roles(lab: Lab, grant: Callable[..., None]) -> None:
    for roles, missing in (
        ([STORAGE], "roles/bigquery.dataEditor"),
        (["roles/bigquery.dataEditor"], "roles/bigquery.jobUser"),
    ):
        grant(*roles)
        code, message = refused(lab.export)
        assert code == 403
        assert missing in message
    grant("roles/bigquery.dataEditor", "roles/bigquery.jobUser")
    assert "error" not in lab.export()


@pytest.mark.parametrize(
    ("destination", "text"),
    [
        ({"tableUri": "bq://no.table"}, "invalid BigQuery table URI"),
        ({"tableUri": "projects/p/datasets/d/tables/t"}, "invalid BigQuery table URI"),
        ({"writeDisposition": "WRITE_SOMEHOW"}, "WRITE_SOMEHOW"),
    ],
)
def test_destinations_that_are_refused(lab: Lab, destination: dict[str, str], text: str) -> None:
    code, message = refused(lambda: lab.export(**destination))
    assert code == 400
    assert text in message


def test_a_dataset_that_is_not_there_is_refused(lab: Lab) -> None:
    code, message = refused(lambda: lab.export(tableUri=f"bq://{lab.project}.absent.t"))

    assert (code, message) == (
        400,
        f"failed to verify dataset ({lab.project}.absent): it does not exist",
    )


def test_a_dataset_of_another_project_needs_a_role_there(lab: Lab) -> None:
    code, message = refused(lambda: lab.export(tableUri="bq://contract-x.absent.t"))

    assert code == 403
    assert "failed to verify dataset (contract-x.absent)" in message


def test_exactly_one_destination(lab: Lab) -> None:
    assert refused(lambda: lab.stores.export(name=lab.store, body={}).execute())[0] == 400


def test_export_to_cloud_storage(lab: Lab, grant: Callable[..., None]) -> None:
    one = FEW.replace("0000008*", "00000088_000")
    lab.import_(one)
    bucket = lab.buckets.create_bucket(f"{lab.project}-exports")

    def export(prefix: str, mime_type: str) -> dict[str, Any]:
        destination = {"uriPrefix": f"gs://{bucket.name}/{prefix}", "mimeType": mime_type}
        body = {"gcsDestination": destination}
        return lab.wait(lab.stores.export(name=lab.store, body=body).execute()["name"])

    for prefix, mime_type, ending in (
        ("plain", "", ".dcm"),
        ("jpeg/", "image/jpeg", ".jpg"),
        ("png", "image/png", ".png"),
        ("implicit", "application/dicom; transfer-syntax=1.2.840.10008.1.2", ".dcm"),
        ("raw", "application/octet-stream; transfer-syntax=*", ""),
    ):
        done = export(prefix, mime_type)
        assert done["metadata"]["counter"] == {"success": "1"}
        [blob] = bucket.list_blobs(prefix=prefix.rstrip("/"))
        study, series, instance = blob.name.removesuffix(ending).split("/")[1:]
        assert all(uid.startswith("2.25.") for uid in (study, series, instance))
        if not mime_type:
            public = lab.buckets.bucket("gcs-public-data--healthcare-nih-chest-xray")
            original = public.blob("dicom/00000088_000.dcm").download_as_bytes()
            assert blob.download_as_bytes() == original
        if prefix == "implicit":
            given = pydicom.dcmread(io.BytesIO(blob.download_as_bytes()))
            assert given.file_meta.TransferSyntaxUID == pydicom.uid.ImplicitVRLittleEndian
        if prefix == "raw":
            assert blob.download_as_bytes() == pydicom.dcmread(io.BytesIO(original)).PixelData
    grant("roles/storage.objectViewer", BIGQUERY_ADMIN)
    code, message = refused(lambda: export("x", ""))
    assert code == 403
    assert "storage.objects.create" in message


def cancelled(lab: Lab) -> tuple[str, dict[str, Any]]:
    """Cancel an import before it ends; return its store and its operation.

    On a busy machine an import may end before the call that cancels it: the next one does not.
    """
    for number in range(5):
        store = lab.add_store(f"cancelled{number}")
        name = lab.begin_import(LAB, store)
        with suppress(HttpError):  # it has ended
            lab.api.operations().cancel(name=name, body={}).execute()
        done = lab.wait(name)
        if "error" in done:
            return store, done
    raise AssertionError("every import ended before it was cancelled")


def test_cancel(lab: Lab, emulator: ServerInfo) -> None:
    store, done = cancelled(lab)
    assert done["error"]["code"] == 1
    dataset = done["name"].split("/operations/")[0]
    imports = "metadata.apiMethodName:ImportDicomData AND "
    for wanted, is_found in ("error.code=1", True), ("NOT error.code=1", False):
        listed = lab.api.operations().list(name=dataset, filter=imports + wanted).execute()
        assert (done in listed.get("operations", [])) == is_found
    assert lab.count(store) < 405
    incoming = emulator.state / "dicom" / "incoming"
    deadline = time.monotonic() + PATIENCE_SECONDS
    while list(incoming.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not list(incoming.iterdir())


@pytest.fixture
def own_emulator(tmp_path: Path) -> Iterator[ServerInfo]:
    """An emulator that a test may kill."""
    state = tmp_path / "emulator"
    yield lifecycle.start(state)
    lifecycle.stop(state)


def test_an_import_goes_on_after_kill_9(own_emulator: ServerInfo) -> None:
    """No instance is lost, none is there twice, and the operation ends by itself."""
    base = f"{own_emulator.url}/v1/projects/killed"
    for service in ("healthcare", "bigquery", "storage"):
        http.post(f"{base}/services/{service}.googleapis.com:enable", json={}).raise_for_status()
    http.post(f"{base}/services/healthcare.googleapis.com:generateServiceIdentity")
    number = http.get(base).json()["projectNumber"]
    agent = f"serviceAccount:service-{number}@gcp-sa-healthcare.iam.gserviceaccount.com"
    policy = {"bindings": [{"role": STORAGE, "members": [agent]}]}
    http.post(f"{base}:setIamPolicy", json={"policy": policy}).raise_for_status()
    lab = Lab(own_emulator, "killed")
    name = lab.begin_import(LAB)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while lab.count() == 0 and time.monotonic() < deadline:
        time.sleep(0.01)
    process = psutil.Process(own_emulator.pid)
    workers = process.children(recursive=True)
    os.kill(own_emulator.pid, signal.SIGKILL)
    process.wait(PATIENCE_SECONDS)
    _, alive = psutil.wait_procs(workers, timeout=PATIENCE_SECONDS)
    assert not alive
    running = lifecycle.start(own_emulator.state)
    lab.api = healthcare(running).projects().locations().datasets()
    lab.stores = lab.api.dicomStores()
    assert 0 < lab.count() <= 405
    done = lab.wait(name)
    assert "error" not in done
    assert done["metadata"]["counter"] == {"success": "405"}
    assert lab.count() == 405
    found = http.get(f"{running.url}/v1/{lab.store}/dicomWeb/instances?limit=5000").json()
    assert len({one["00080018"]["Value"][0] for one in found}) == len(found) == 405
    blobs = running.state / "dicom" / "sha256"
    assert len(list(blobs.iterdir())) == 405
    assert not list((running.state / "dicom" / "incoming").iterdir())
