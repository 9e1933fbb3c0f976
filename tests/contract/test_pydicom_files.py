"""Every DICOM file that comes with pydicom goes in, comes back, and is decoded and exported."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pydicom
import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery
from google.cloud.storage import Client as StorageClient
from pydicom.errors import InvalidDicomError
from pydicom.uid import ExplicitVRLittleEndian

from emulator.core import http_client
from emulator.server.server_file import ServerInfo
from tests.support import http
from tests.support.waiting import finished

pytestmark = pytest.mark.sockets

FOLDER = Path(pydicom.__file__).parent / "data" / "test_files"
UIDS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID")
CUT_OFF = {"MR_truncated.dcm", "rtplan_truncated.dcm"}
"""Files whose last element is cut off: refused, as by the service."""
UNDECODABLE = {
    "SC_rgb_jpeg_dcmd.dcm": "claims to be uncompressed and holds JPEG",
    "JPEG2000-embedded-sequence-delimiter.dcm": "a JPEG 2000 stream that no decoder here accepts",
}
"""File -> why its pixels can't be decoded; all else about it works."""
FRAMES_UNREADABLE = {"badVR.dcm"}
"""Files whose NumberOfFrames is not a number, which pydicom alone does not decode."""
TWELVE_BITS = {"JPEG-lossy.dcm"}
"""Files that pydicom decodes only in a process with the emulator's decoders."""


@dataclass(frozen=True)
class Case:
    """A file that is valid DICOM."""

    name: str
    content: bytes
    dataset: pydicom.FileDataset

    @property
    def path(self) -> str:
        study, series, sop, _ = (str(self.dataset.get(uid)) for uid in UIDS)
        return f"studies/{study}/series/{series}/instances/{sop}"


def read(path: Path) -> pydicom.FileDataset | None:
    """Read a file as DICOM; None if it is none, by its magic word."""
    try:
        return pydicom.dcmread(path)
    except InvalidDicomError:
        return None


def cases() -> tuple[list[Case], list[str]]:
    """Return the valid files, one for each instance, and the names of invalid ones."""
    good: dict[str, Case] = {}
    bad: list[str] = []
    for path in sorted(FOLDER.rglob("*")):
        if not path.is_file() or path.suffix in (".json", ".txt", ".dump", ".icc", ".gz"):
            continue
        name = str(path.relative_to(FOLDER))
        dataset = read(path)
        complete = dataset is not None and all(dataset.get(uid) for uid in UIDS)
        syntax = dataset.file_meta.get("TransferSyntaxUID") if dataset is not None else None
        if dataset is None or not complete or not syntax or name in CUT_OFF:
            bad.append(name)
        else:
            case = Case(name, path.read_bytes(), dataset)
            good.setdefault(case.path, case)
    return list(good.values()), bad


GOOD, BAD = cases()


@pytest.fixture(scope="module")
def url(emulator: ServerInfo) -> str:
    """The root of a dataset's URL, in a project of its own."""
    project = f"{emulator.url}/v1/projects/pydicom-files"
    services = [f"{name}.googleapis.com" for name in ("healthcare", "bigquery", "storage")]
    http.post(f"{project}/services:batchEnable", json={"serviceIds": services}).raise_for_status()
    api = f"{project}/locations/us-central1/datasets"
    http.post(f"{api}?datasetId=files", json={}).raise_for_status()
    number = http.get(project).json()["projectNumber"]
    agent = f"serviceAccount:service-{number}@gcp-sa-healthcare.iam.gserviceaccount.com"
    roles = ("roles/storage.objectAdmin", "roles/bigquery.admin")
    policy: dict[str, Any] = http.post(f"{project}:getIamPolicy", json={}).json()
    given = [{"role": role, "members": [agent]} for role in roles]
    body = {"policy": {**policy, "bindings": [*policy.get("bindings", []), *given]}}
    http.post(f"{project}:setIamPolicy", json=body).raise_for_status()
    return f"{api}/files/dicomStores"


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with http_client.client(seconds=120) as client:
        yield client


def new_store(client: httpx.Client, url: str, name: str) -> str:
    client.post(f"{url}?dicomStoreId={name}", json={}).raise_for_status()
    return f"{url}/{name}"


@pytest.fixture(scope="module")
def stored(client: httpx.Client, url: str) -> str:
    """A store that holds every file, by STOW-RS."""
    store = new_store(client, url, "stowed")
    headers = {"Content-Type": "application/dicom", "Accept": "application/dicom+json"}
    for case in GOOD:
        answer = client.post(f"{store}/dicomWeb/studies", content=case.content, headers=headers)
        assert answer.status_code == 200, (case.name, answer.text)
    return store


def file_of(client: httpx.Client, store: str, case: Case, syntax: str) -> bytes:
    accept = f"application/dicom; transfer-syntax={syntax}"
    answer = client.get(f"{store}/dicomWeb/{case.path}", headers={"Accept": accept})
    assert answer.status_code == 200, (case.name, answer.text[:500])
    return answer.content


def test_most_files_are_valid() -> None:
    assert len(GOOD) > 100
    assert {Path(name).name for name in BAD} >= {"no_meta.dcm", "DICOMDIR", "rtstruct.dcm"}


def test_every_file_comes_back_bit_by_bit(client: httpx.Client, stored: str) -> None:
    changed = [case.name for case in GOOD if file_of(client, stored, case, "*") != case.content]
    assert changed == []


def test_every_file_decodes_to_what_pydicom_decodes(client: httpx.Client, stored: str) -> None:
    decoded = 0
    for case in GOOD:
        if "PixelData" not in case.dataset or case.name in {*UNDECODABLE, *TWELVE_BITS}:
            continue
        given = pydicom.dcmread(
            io.BytesIO(file_of(client, stored, case, str(ExplicitVRLittleEndian)))
        )
        assert given.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
        if case.name in FRAMES_UNREADABLE:
            given.NumberOfFrames = case.dataset.NumberOfFrames = 1
        assert np.array_equal(given.pixel_array, case.dataset.pixel_array), case.name
        decoded += 1
    assert decoded > 50


@pytest.mark.parametrize("name", sorted({case.name for case in GOOD} & set(UNDECODABLE)))
def test_what_cannot_be_decoded_says_so_and_harms_nothing(
    client: httpx.Client, stored: str, name: str
) -> None:
    [case] = [case for case in GOOD if case.name == name]
    answer = client.get(f"{stored}/dicomWeb/{case.path}/rendered", headers={"Accept": "image/png"})
    assert answer.status_code == 406
    assert "can't be" in answer.json()["error"]["message"]
    assert file_of(client, stored, case, "*") == case.content


def test_every_picture_can_be_looked_at(client: httpx.Client, stored: str) -> None:
    for case in GOOD:
        if "PixelData" not in case.dataset or case.name in UNDECODABLE:
            continue
        answer = client.get(
            f"{stored}/dicomWeb/{case.path}/rendered", headers={"Accept": "image/png"}
        )
        assert answer.status_code == 200, (case.name, answer.text[:300])
        assert answer.content.startswith(b"\x89PNG")


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_instance_is_refused(client: httpx.Client, stored: str, name: str) -> None:
    headers = {"Content-Type": "application/dicom", "Accept": "application/dicom+json"}
    answer = client.post(
        f"{stored}/dicomWeb/studies", content=(FOLDER / name).read_bytes(), headers=headers
    )
    assert answer.status_code == 409
    [item] = answer.json()["00081198"]["Value"]
    assert item["00081197"]["Value"] == [272]
    [why] = item["00091097"]["Value"]
    assert why.startswith(("The DICOM file ", "Not a DICOM file: ", "Invalid DICOM file: ")), why


def test_every_file_is_imported_and_the_others_are_reported_of(
    client: httpx.Client, url: str, emulator: ServerInfo
) -> None:
    credentials: Any = AnonymousCredentials  # it has no types
    bucket = StorageClient("pydicom-files", credentials()).create_bucket("pydicom-files")
    for case in GOOD:
        bucket.blob(f"good/{case.name}").upload_from_string(case.content)
    for name in BAD:
        bucket.blob(f"bad/{name}").upload_from_filename(FOLDER / name)
    store = new_store(client, url, "imported")
    body = {"gcsSource": {"uri": "gs://pydicom-files/**"}}
    done = finished(client, emulator, client.post(f"{store}:import", json=body))
    assert done["metadata"]["counter"] == {"success": str(len(GOOD)), "failure": str(len(BAD))}
    log = client.get(done["metadata"]["logsUrl"]).text
    assert [name for name in BAD if f"bad/{name}" not in log] == []
    assert [case.name for case in GOOD if file_of(client, store, case, "*") != case.content] == []


def test_every_file_has_its_row(client: httpx.Client, stored: str, emulator: ServerInfo) -> None:
    credentials: Any = AnonymousCredentials
    bigquery_client = bigquery.Client(
        "pydicom-files",
        credentials(),
        client_options={"api_endpoint": emulator.environment()["BIGQUERY_EMULATOR_HOST"]},
    )
    bigquery_client.create_dataset("files")
    body = {"bigqueryDestination": {"tableUri": "bq://pydicom-files.files.all"}}
    done = finished(client, emulator, client.post(f"{stored}:export", json=body))
    assert "error" not in done
    assert done["metadata"]["counter"] == {"success": str(len(GOOD))}
    query = (
        "SELECT SOPInstanceUID AS sop, Modality AS modality, PatientID AS patient FROM files.`all`"
    )
    rows = {row.sop: row for row in bigquery_client.query(query).result()}
    assert set(rows) == {str(case.dataset.SOPInstanceUID) for case in GOOD}
    for case in GOOD:
        row = rows[str(case.dataset.SOPInstanceUID)]
        assert (row.modality or "") == str(case.dataset.get("Modality") or "")
        assert (row.patient or "") == str(case.dataset.get("PatientID") or "").rstrip()
