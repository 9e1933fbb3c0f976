"""dicomweb-client's whole interface, against the emulator and against Orthanc.

What both servers should do alike is asserted alike. Where Google's service, as its conformance
statement has it, and Orthanc differ, the test says which of the two it asserts, and why.
"""

import inspect
import io
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import numpy as np
import pydicom
import pytest
import requests
from dicomweb_client.api import DICOMwebClient
from PIL import Image
from pydicom.data import get_testdata_file
from pydicom.uid import RLELossless, generate_uid
from requests import HTTPError

from benchmarks import orthanc
from emulator.server.server_file import ServerInfo
from tests.support import http
from tests.support.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.sockets

EMULATOR, ORTHANC = "emulator", "Orthanc"
NAMES = {"a": "Amber^Ada", "b": "Birch"}


def slices(patient: str, series: int, each: int) -> list[pydicom.Dataset]:
    """A study of small CT slices with known values."""
    study = generate_uid(entropy_srcs=[patient])
    found: list[pydicom.Dataset] = []
    for index in range(series * each):
        one = pydicom.dcmread(str(get_testdata_file("CT_small.dcm")))
        one.PatientID, one.PatientName = patient.upper(), NAMES[patient]
        one.StudyInstanceUID, one.StudyDate = study, {"a": "20240105", "b": "20240220"}[patient]
        one.SeriesInstanceUID = generate_uid(entropy_srcs=[patient, str(index // each)])
        one.SOPInstanceUID = generate_uid(entropy_srcs=[patient, "sop", str(index)])
        one.file_meta.MediaStorageSOPInstanceUID = one.SOPInstanceUID
        one.AccessionNumber, one.InstanceNumber = f"acc-{patient}", index + 1
        found.append(one)
    return found


def uids(dataset: pydicom.Dataset) -> tuple[str, str, str]:
    return dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.SOPInstanceUID


def sop(found: list[dict[str, Any]]) -> set[str]:
    return {one["00080018"]["Value"][0] for one in found}


def code(error: HTTPError) -> int:
    assert error.response is not None
    return error.response.status_code


def frames_file() -> pydicom.Dataset:
    """Two frames in colour, uncompressed."""
    dataset = pydicom.dcmread(str(get_testdata_file("SC_rgb_rle_2frame.dcm")))
    dataset.decompress(generate_instance_uid=False)
    dataset.StudyInstanceUID = generate_uid(entropy_srcs=["frames"])
    dataset.PatientID, dataset.PatientName = "F", "Frames^Two"
    return dataset


class _Session(requests.Session):
    """Workarounds that Orthanc needs of a client, and the emulator does not."""

    def send(self, request: requests.PreparedRequest, **more: Any) -> requests.Response:
        url = str(request.url)
        # It takes the wildcards of a query as they are, not percent-encoded.
        for sign in "*?":
            url = url.replace(quote(sign), sign)
        request.url = url
        # It makes its references from the header, from which dicomweb-client leaves out the port.
        request.headers["Host"] = urlsplit(url).netloc
        return super().send(request, **more)


@dataclass(frozen=True)
class Server:
    """A running DICOMweb service with the studies `a` (2 series of 2), `b` (1) and the frames."""

    name: str
    root: str
    a: list[pydicom.Dataset]
    b: list[pydicom.Dataset]
    frames: pydicom.Dataset

    @property
    def client(self) -> DICOMwebClient:
        return DICOMwebClient(self.root, _Session() if self.name == ORTHANC else None)

    @property
    def everything(self) -> list[pydicom.Dataset]:
        return [*self.a, *self.b, self.frames]


@contextmanager
def served(name: str, folder: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The root of an empty service."""
    if name == EMULATOR:
        running: ServerInfo = request.getfixturevalue("emulator")
        api = f"{running.url}/v1/projects/web-{folder.name.lower().strip('_')}"
        enable = f"{api}/services/healthcare.googleapis.com:enable"
        http.post(enable, json={}).raise_for_status()
        datasets = f"{api}/locations/us-central1/datasets"
        http.post(f"{datasets}?datasetId=d", json={}).raise_for_status()
        http.post(f"{datasets}/d/dicomStores?dicomStoreId=s", json={}).raise_for_status()
        yield f"{datasets}/d/dicomStores/s/dicomWeb"
        return
    if reason := orthanc.why_not():
        pytest.skip(reason)
    with orthanc.running(folder) as url:
        yield f"{url}/dicom-web"


@pytest.fixture(scope="module", params=[EMULATOR, ORTHANC])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    with served(request.param, tmp_path_factory.mktemp("served"), request) as root:
        one = Server(request.param, root, slices("a", 2, 2), slices("b", 1, 1), frames_file())
        one.client.store_instances(one.everything)
        yield one


def test_every_public_method_is_called_here() -> None:
    public = {
        name
        for name, _ in inspect.getmembers(DICOMwebClient, inspect.isfunction)
        if not name.startswith("_")
    }
    # They set up the client and send nothing.
    public -= {"set_chunk_size", "set_http_retry_params"}
    text = Path(__file__).read_text()
    assert {name for name in public if f".{name}(" not in text} == set()


def test_search_for_studies(server: Server) -> None:
    found = server.client.search_for_studies()
    ids = {one["0020000D"]["Value"][0] for one in found}
    assert ids == {one.StudyInstanceUID for one in server.everything}
    [one] = server.client.search_for_studies(search_filters={"PatientID": "A"})
    assert one["0020000D"] == {"vr": "UI", "Value": [server.a[0].StudyInstanceUID]}
    assert one["00100010"] == {"vr": "PN", "Value": [{"Alphabetic": NAMES["a"]}]}
    assert one["00201206"]["Value"] == [2]
    assert one["00201208"]["Value"] == [4]


@pytest.mark.parametrize(
    ("filters", "patients"),
    [
        ({"PatientID": "A"}, "A"),
        ({"PatientID": "absent"}, ""),
        ({"PatientID": "*"}, "ABF"),
        ({"PatientName": "Amber*"}, "A"),
        ({"PatientName": "birch"}, "B"),
        ({"PatientName": "?irch"}, "B"),
        ({"AccessionNumber": "acc-b"}, "B"),
        ({"StudyDate": "20240105"}, "A"),
        ({"StudyDate": "20240101-20240131"}, "A"),
        ({"StudyDate": "20240201-", "PatientID": "B"}, "B"),
        ({"StudyDate": "20240101-20240229", "PatientID": "B"}, "B"),
        ({"00100020": "B"}, "B"),
    ],
)
def test_filters_of_studies(server: Server, filters: dict[str, str], patients: str) -> None:
    found = server.client.search_for_studies(search_filters=filters)
    assert sorted(one["00100020"]["Value"][0] for one in found) == list(patients)


def test_search_for_series(server: Server) -> None:
    study, series, _ = uids(server.a[0])
    found = server.client.search_for_series(study)
    assert {one["0020000E"]["Value"][0] for one in found} == {
        one.SeriesInstanceUID for one in server.a
    }
    assert {one["00080060"]["Value"][0] for one in found} == {"CT"}
    [one] = server.client.search_for_series(search_filters={"SeriesInstanceUID": series})
    assert one["0020000D"]["Value"] == [study]
    filters = {"Modality": "CT", "StudyInstanceUID": study}
    assert len(server.client.search_for_series(search_filters=filters)) == 2
    assert server.client.search_for_series(study, search_filters={"Modality": "MR"}) == []


def test_search_for_instances(server: Server) -> None:
    study, series, instance = uids(server.a[0])
    everything = {one.SOPInstanceUID for one in server.everything}
    assert sop(server.client.search_for_instances()) == everything
    assert len(server.client.search_for_instances(study)) == 4
    assert len(server.client.search_for_instances(study, series)) == 2
    filters = {"SOPInstanceUID": instance}
    [one] = server.client.search_for_instances(search_filters=filters)
    assert one["0020000D"]["Value"] == [study]
    assert one["0020000E"]["Value"] == [series]
    assert one["00080016"]["Value"] == [server.a[0].SOPClassUID]


def test_pages(server: Server) -> None:
    pages = [server.client.search_for_instances(limit=2, offset=at) for at in (0, 2, 4, 6)]
    assert [len(page) for page in pages] == [2, 2, 2, 0]
    rest = server.client.search_for_instances(limit=4, get_remaining=True)
    for found in ([one for page in pages for one in page], rest):
        assert sop(found) == {one.SOPInstanceUID for one in server.everything}
    assert len(server.client.search_for_studies(limit=1, get_remaining=True)) == 3
    assert len(server.client.search_for_series(limit=1, get_remaining=True)) == 4


def test_fields(server: Server) -> None:
    study = server.a[0].StudyInstanceUID
    filters = {"SOPInstanceUID": server.a[0].SOPInstanceUID}
    search = server.client.search_for_instances
    [more] = search(study, fields=["SliceThickness", "00180060"], search_filters=filters)
    assert more["00180050"]["Value"] == [float(server.a[0].SliceThickness)]
    assert more["00180060"]["Value"] == [float(server.a[0].KVP)]
    [plain] = search(study, search_filters=filters)
    assert "00180050" not in plain
    [series] = server.client.search_for_series(
        study, fields=["PatientAge"], search_filters={"SeriesInstanceUID": uids(server.a[0])[1]}
    )
    assert series["00101010"]["Value"] == [server.a[0].PatientAge]
    [one] = server.client.search_for_studies(
        fields=["PatientAge"], search_filters={"PatientID": "A"}
    )
    assert one["00101010"]["Value"] == [server.a[0].PatientAge]


def test_fuzzy_matching(server: Server) -> None:
    search = server.client.search_for_studies
    [whole] = search(fuzzymatching=True, search_filters={"PatientName": NAMES["b"]})
    assert whole["00100020"]["Value"] == ["B"]
    part = search(fuzzymatching=True, search_filters={"PatientName": "ad"})
    # Google matches the beginning of every word of a name; Orthanc passes fuzzymatching over.
    assert [one["00100020"]["Value"][0] for one in part] == (
        ["A"] if server.name == EMULATOR else []
    )


def test_metadata_at_every_level(server: Server) -> None:
    study, series, instance = uids(server.a[0])
    whole = server.client.retrieve_study_metadata(study)
    assert sop(whole) == {one.SOPInstanceUID for one in server.a}
    assert len(server.client.retrieve_series_metadata(study, series)) == 2
    one = server.client.retrieve_instance_metadata(study, series, instance)
    read = pydicom.Dataset.from_json(one, bulk_data_uri_handler=lambda _t, _v, _u: b"")
    for keyword in ("PatientName", "StudyDate", "PixelSpacing", "InstanceNumber", "Rows"):
        assert read[keyword] == server.a[0][keyword]


def test_bulk_data(server: Server) -> None:
    first = server.a[0]
    metadata = server.client.retrieve_instance_metadata(*uids(first))
    uri = metadata["7FE00010"]["BulkDataURI"]
    octets = ("application/octet-stream",)
    assert server.client.retrieve_bulkdata(uri, octets) == [first.PixelData]
    assert list(server.client.iter_bulkdata(uri, octets)) == [first.PixelData]
    if server.name == EMULATOR:  # Orthanc refuses those that don't say what they accept.
        assert server.client.retrieve_bulkdata(uri) == [first.PixelData]


def test_retrieve(server: Server) -> None:
    first = server.a[0]
    study, series, _ = uids(first)
    client = server.client
    whole = {one.SOPInstanceUID for one in server.a}
    part = {one.SOPInstanceUID for one in server.a if one.SeriesInstanceUID == series}
    one = client.retrieve_instance(*uids(first))
    assert one == first
    assert (one.pixel_array == first.pixel_array).all()
    for given in (client.retrieve_series(study, series), client.iter_series(study, series)):
        assert {one.SOPInstanceUID for one in given} == part
    for given in (client.retrieve_study(study), client.iter_study(study)):
        assert {one.SOPInstanceUID for one in given} == whole


def test_frames(server: Server) -> None:
    dataset, octets = server.frames, (("application/octet-stream", "1.2.840.10008.1.2.1"),)
    pixels = dataset.pixel_array
    given = server.client.retrieve_instance_frames(
        *uids(dataset), frame_numbers=[1, 2], media_types=octets
    )
    assert [np.frombuffer(one, np.uint8).tolist() for one in given] == [
        frame.ravel().tolist() for frame in pixels
    ]
    given = list(
        server.client.iter_instance_frames(*uids(dataset), frame_numbers=[2], media_types=octets)
    )
    assert given == [pixels[1].tobytes()]
    if server.name == EMULATOR:  # Orthanc refuses those that don't say what they accept.
        plain = server.client.retrieve_instance_frames(*uids(dataset), frame_numbers=[2])
        assert plain == given
    with pytest.raises(HTTPError) as caught:
        server.client.retrieve_instance_frames(
            *uids(dataset), frame_numbers=[3], media_types=octets
        )
    assert code(caught.value) in (400, 404)


def test_rendered(server: Server) -> None:
    first, two = server.a[0], server.frames
    client = server.client
    for media_type, name in (("image/jpeg", "JPEG"), ("image/png", "PNG")):
        picture = Image.open(
            io.BytesIO(client.retrieve_instance_rendered(*uids(first), media_types=(media_type,)))
        )
        assert picture.format == name
        assert picture.size == (first.Columns, first.Rows)
    second = client.retrieve_instance_frames_rendered(
        *uids(two), frame_numbers=[2], media_types=("image/png",)
    )
    pixels = np.asarray(Image.open(io.BytesIO(second)).convert("RGB"))
    assert (pixels == two.pixel_array[1]).all()


def test_a_rendered_series(server: Server) -> None:
    # Orthanc draws one of its images; Google's statement has rendered instances and frames only.
    study, series, _ = uids(server.a[0])
    if server.name == EMULATOR:
        with pytest.raises(HTTPError) as caught:
            server.client.retrieve_series_rendered(study, series, media_types=("image/png",))
        assert code(caught.value) in (404, 501)
    else:
        assert server.client.retrieve_series_rendered(study, series, media_types=("image/png",))


def test_compressed_is_decoded_on_request(server: Server) -> None:
    packed = slices("b", 1, 1)[0]
    packed.PatientID = "P"
    packed.StudyInstanceUID, packed.SOPInstanceUID = generate_uid(), generate_uid()
    packed.file_meta.MediaStorageSOPInstanceUID = packed.SOPInstanceUID
    pixels = packed.pixel_array
    packed.compress(RLELossless, generate_instance_uid=False)
    with stored(server, [packed]):
        given = server.client.retrieve_instance(
            *uids(packed), media_types=(("application/dicom", "1.2.840.10008.1.2.1"),)
        )
        assert given.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.1"
        assert (given.pixel_array == pixels).all()
        kept = server.client.retrieve_instance(
            *uids(packed), media_types=(("application/dicom", "*"),)
        )
        assert kept.file_meta.TransferSyntaxUID == RLELossless
        assert kept.PixelData == packed.PixelData


@contextmanager
def stored(server: Server, datasets: list[pydicom.Dataset]) -> Iterator[pydicom.Dataset]:
    """More for one test; taken away again, by each server's own means."""
    yield server.client.store_instances(datasets)
    for study in {one.StudyInstanceUID for one in datasets}:
        remove(server, study)


def remove(server: Server, study: str) -> None:
    if server.name == EMULATOR:
        http.delete(f"{server.root}/studies/{study}").raise_for_status()
        return
    api = server.root.removesuffix("/dicom-web")
    [found] = http.post(f"{api}/tools/lookup", content=study).json()
    http.delete(f"{api}{found['Path']}").raise_for_status()


def test_store_reports_what_was_stored(server: Server) -> None:
    new = slices("b", 1, 1)
    new[0].StudyInstanceUID, new[0].SOPInstanceUID = generate_uid(), generate_uid()
    new[0].file_meta.MediaStorageSOPInstanceUID = new[0].SOPInstanceUID
    with stored(server, new) as answer:
        [reference] = answer.ReferencedSOPSequence
        assert reference.ReferencedSOPInstanceUID == new[0].SOPInstanceUID
        assert reference.ReferencedSOPClassUID == new[0].SOPClassUID
        assert reference.RetrieveURL.endswith(
            "/studies/{}/series/{}/instances/{}".format(*uids(new[0]))
        )
        assert not answer.get("FailedSOPSequence")
        again = server.client.store_instances(new, new[0].StudyInstanceUID)
        assert len(again.ReferencedSOPSequence) == 1
        assert len(server.client.search_for_instances(new[0].StudyInstanceUID)) == 1


@pytest.mark.parametrize("ask", ["metadata", "instance", "frames", "rendered"])
def test_what_is_absent(server: Server, ask: str) -> None:
    client, absent = server.client, ("1.2.3", "1.2.4", "1.2.5")
    asking: dict[str, Callable[[], object]] = {
        "metadata": lambda: client.retrieve_instance_metadata(*absent),
        "instance": lambda: client.retrieve_instance(*absent),
        "frames": lambda: client.retrieve_instance_frames(*absent, frame_numbers=[1]),
        "rendered": lambda: client.retrieve_instance_rendered(*absent, media_types=("image/png",)),
    }
    with pytest.raises(HTTPError) as caught:
        asking[ask]()
    assert code(caught.value) == 404


def test_delete(server: Server) -> None:
    new = slices("b", 2, 2)
    for at, one in enumerate(new):
        one.StudyInstanceUID, one.SOPInstanceUID = f"1.2.3.{at // 3 + 1}", f"1.2.3.9.{at}"
        one.file_meta.MediaStorageSOPInstanceUID = one.SOPInstanceUID
    client = server.client
    with_all = client.store_instances(new)
    assert len(with_all.ReferencedSOPSequence) == 4
    if server.name == ORTHANC:
        # Its plug-in knows no DELETE, which DICOM PS3.18 leaves to the server.
        with pytest.raises(HTTPError) as caught:
            client.delete_study("1.2.3.1")
        assert code(caught.value) == 405
        for study in ("1.2.3.1", "1.2.3.2"):
            remove(server, study)
        return
    client.delete_instance(*uids(new[0]))
    assert sop(client.search_for_instances("1.2.3.1")) == {"1.2.3.9.1", "1.2.3.9.2"}
    # Google deletes series and studies in operations, whose names the client does not give.
    client.delete_series(*uids(new[1])[:2])
    wait_for("1.2.3.1", {"1.2.3.9.2"}, client)
    for study in ("1.2.3.1", "1.2.3.2"):
        client.delete_study(study)
        wait_for(study, set(), client)


def wait_for(study: str, left: set[str], client: DICOMwebClient) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (found := sop(client.search_for_instances(study))) != left:
        assert time.monotonic() < deadline, f"{found} are left of {study}, not {left}"


def test_keywords_and_tags() -> None:
    assert DICOMwebClient.lookup_keyword("00100010") == "PatientName"
    assert DICOMwebClient.lookup_tag("PatientName") == "00100010"
