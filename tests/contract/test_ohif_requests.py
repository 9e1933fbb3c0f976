"""OHIF's requests, as a browser sent them: the study list, its filters, two studies, an upload.

`recordings/ohif.json` holds the requests of OHIF itself, which showed each picture of this test. No
browser runs here. UIDs are placeholders in the recording.
"""

import io
import json
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.data import get_testdata_file
from pydicom.uid import JPEGBaseline8Bit

from emulator.server.server_file import ServerInfo
from emulator.services.storage.public_bucket import BUCKET
from tests.support import http

pytestmark = pytest.mark.sockets

STEPS: dict[str, list[dict[str, str]]] = json.loads(
    (Path(__file__).parent / "recordings" / "ohif.json").read_text()
)["steps"]
CHEST = "dicom/00000088_000.dcm"
COLOURS, UPLOADED = (
    Path(str(get_testdata_file(name))) for name in ("SC_rgb_jpeg_dcmtk.dcm", "MR_small.dcm")
)


@pytest.fixture
def web(emulator: ServerInfo, project: str) -> str:
    """The DICOMweb address of a store with the chest X-ray and the picture in colours."""
    api = f"{emulator.url}/v1/projects/{project}/locations/us-central1/datasets"
    http.post(f"{api}?datasetId=d", json={}).raise_for_status()
    http.post(f"{api}/d/dicomStores?dicomStoreId=viewed", json={}).raise_for_status()
    address = f"{api}/d/dicomStores/viewed/dicomWeb"
    for content in (chest(emulator), COLOURS.read_bytes()):
        headers = {"Content-Type": "application/dicom"}
        http.post(f"{address}/studies", content=content, headers=headers).raise_for_status()
    return address


def chest(emulator: ServerInfo) -> bytes:
    """The file of patient 88 in the lab's public bucket."""
    name = CHEST.replace("/", "%2F")
    return http.get(f"{emulator.url}/storage/v1/b/{BUCKET}/o/{name}?alt=media").content


def get(web: str, request: dict[str, str], **uids: str) -> httpx.Response:
    url = f"{web}{request['path']}?{request['query']}".format(**uids)
    answer = http.get(url, headers={"Accept": request["accept"]})
    assert answer.is_success, answer.text
    return answer


def get_study(web: str, dataset: pydicom.Dataset) -> list[httpx.Response]:
    """The responses to the requests by which OHIF opens a study."""
    uids = {
        "patient": dataset.PatientID,
        "study": dataset.StudyInstanceUID,
        "series": dataset.SeriesInstanceUID,
        "instance": dataset.SOPInstanceUID,
    }
    return [get(web, request, **uids) for request in STEPS["study"]]


def part_of(answer: httpx.Response) -> tuple[str, bytes]:
    """The only part of a response: its Content-Type and its content."""
    boundary = answer.headers["content-type"].partition("boundary=")[2].strip('"').encode()
    empty, part, end = (b"\r\n" + answer.content).split(b"\r\n--" + boundary)
    assert (empty.strip(), end.strip()) == (b"", b"--")
    head, _, content = part.partition(b"\r\n\r\n")
    return head.decode().partition(": ")[2], content


def row_of(item: dict[str, Any]) -> list[Any]:
    """Return the values of a row of the study list."""
    tags = ("00100010", "00100020", "00080020", "00080061", "00081030", "00080050", "00201208")
    values = [item.get(tag, {}).get("Value", [None])[0] for tag in tags]
    return [values[0]["Alphabetic"], *values[1:]]


def test_the_study_list_and_its_filters(web: str) -> None:
    chest_row = [
        *("Synthetic^Patient 88", "88", "20000103", "DX"),
        *("Cardiomegaly|Effusion", "00000088_000", 1),
    ]
    colours_row = ["Lestrade^G", "ID1", "20170101", "OT", None, None, 1]
    [listed] = [get(web, request).json() for request in STEPS["list"]]
    assert sorted(map(row_of, listed)) == [colours_row, chest_row]
    for name in ("patient", "record number", "modality", "dates", "accession"):
        [found] = [get(web, request).json() for request in STEPS[name]]
        assert list(map(row_of, found)) == [chest_row], name


def test_the_filter_by_description_is_refused_as_google_refuses_it(web: str) -> None:
    """StudyDescription is not among the attributes that the service searches by."""
    [request] = STEPS["description"]
    answer = http.get(f"{web}{request['path']}?{request['query']}")
    assert answer.status_code == 400
    assert "StudyDescription" in answer.json()["error"]["message"]


def test_a_study_opens_with_its_pixels(web: str, emulator: ServerInfo) -> None:
    dataset = pydicom.dcmread(io.BytesIO(chest(emulator)))
    study, series, of_patient, metadata, thumbnail, frame = get_study(web, dataset)
    assert row_of(study.json()[0])[1] == row_of(of_patient.json()[0])[1] == "88"
    [listed] = series.json()
    seen = [listed[tag]["Value"] for tag in ("0020000E", "0008103E", "00080060", "00200011")]
    assert seen == [[dataset.SeriesInstanceUID], ["Chest PA"], ["DX"], [1]]
    [model] = metadata.json()
    shape = [model[tag]["Value"][0] for tag in ("00280010", "00280011", "00280100", "00280004")]
    assert shape == [dataset.Rows, dataset.Columns, 8, "MONOCHROME2"]
    content_type, pixels = part_of(frame)
    assert content_type == "application/octet-stream; transfer-syntax=1.2.840.10008.1.2.1"
    assert pixels == dataset.PixelData
    assert thumbnail.headers["content-type"] == "image/jpeg"
    with Image.open(io.BytesIO(thumbnail.content)) as picture:
        shown = np.asarray(picture).astype(int)
    assert np.abs(shown - dataset.pixel_array).max() < 20


def test_a_study_in_colours_opens_with_the_jpeg_that_is_stored(web: str) -> None:
    dataset = pydicom.dcmread(COLOURS)
    *_, metadata, thumbnail, frame = get_study(web, dataset)
    assert metadata.json()[0]["00280004"]["Value"] == [dataset.PhotometricInterpretation]
    content_type, jpeg = part_of(frame)
    assert content_type == f"image/jpeg; transfer-syntax={JPEGBaseline8Bit}"
    assert jpeg == next(pydicom.encaps.generate_frames(dataset.PixelData, number_of_frames=1))
    with Image.open(io.BytesIO(thumbnail.content)) as picture:
        shown = np.asarray(picture).astype(int)
    assert np.abs(shown - dataset.pixel_array).mean() < 5  # pydicom returns these as RGB


def test_an_upload_is_stored_as_it_is(web: str) -> None:
    content, boundary = UPLOADED.read_bytes(), "07836849-9696-da67-a067-c9d4167b998c"
    [request] = STEPS["upload"]
    headers = {
        "Content-Type": request["content-type"].format(boundary=boundary),
        "Accept": request["accept"],
    }
    head = f"\r\n--{boundary}\r\nContent-Type: application/dicom\r\n\r\n".encode()
    body = head + content + f"\r\n--{boundary}--".encode()
    answer = http.post(f"{web}{request['path']}", content=body, headers=headers)
    assert answer.status_code == 200
    one = pydicom.dcmread(UPLOADED)
    path = f"studies/{one.StudyInstanceUID}/series/{one.SeriesInstanceUID}"
    accept = {"Accept": "application/dicom; transfer-syntax=*"}
    stored = http.get(f"{web}/{path}/instances/{one.SOPInstanceUID}", headers=accept)
    assert stored.content == content
