"""DICOMweb, by dicomweb-client."""

import io
import time
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pydicom
import pytest
from dicomweb_client.api import DICOMwebClient
from PIL import Image
from pydicom.uid import RLELossless
from requests import HTTPError

from emulator.seed import dicom_file, records
from emulator.server.server_file import ServerInfo
from tests.support import http

pytestmark = pytest.mark.sockets

STUDIES = ("00000088_000", "00000001_000", "00000001_001")
NO_DICOM = "Not a DICOM file: the DICM prefix is missing."


def example(image: str) -> pydicom.Dataset:
    record = next(one for one in records.load() if one.image == image)
    return pydicom.dcmread(io.BytesIO(dicom_file.build(record)))


@pytest.fixture
def root(emulator: ServerInfo, project: str) -> str:
    """The DICOMweb service of an empty store."""
    dataset = f"{emulator.url}/v1/projects/{project}/locations/us-central1/datasets"
    http.post(f"{dataset}?datasetId=d", json={}).raise_for_status()
    http.post(f"{dataset}/d/dicomStores?dicomStoreId=s", json={}).raise_for_status()
    return f"{dataset}/d/dicomStores/s/dicomWeb"


@pytest.fixture
def client(root: str) -> DICOMwebClient:
    return DICOMwebClient(root)


@pytest.fixture
def filled(client: DICOMwebClient) -> list[pydicom.Dataset]:
    """Three stored instances, each a study."""
    datasets = [example(image) for image in STUDIES]
    client.store_instances(datasets)
    return datasets


def test_store_reports_what_was_stored(client: DICOMwebClient, root: str) -> None:
    dataset = example(STUDIES[0])
    answer = client.store_instances([dataset])
    [reference] = answer.ReferencedSOPSequence
    assert reference.ReferencedSOPInstanceUID == dataset.SOPInstanceUID
    assert reference.RetrieveURL.startswith(f"{root}/studies/{dataset.StudyInstanceUID}/series/")
    assert "FailedSOPSequence" not in answer
    again = client.store_instances([dataset])
    assert len(again.ReferencedSOPSequence) == 1
    assert len(client.search_for_instances()) == 1


def test_store_fails_for_other_bytes_of_the_same_uids(
    client: DICOMwebClient, filled: list[pydicom.Dataset], root: str
) -> None:
    changed = example(STUDIES[0])
    changed.PatientName = "Nobody^Known"
    fresh = example("00000002_000")
    bodies = []
    for dataset in (changed, fresh):
        buffer = io.BytesIO()
        dataset.save_as(buffer)
        bodies.append(buffer.getvalue())
    parts = b"".join(
        b"--b\r\nContent-Type: application/dicom\r\n\r\n" + body + b"\r\n"
        for body in [*bodies, b"no dicom"]
    )
    headers = {"Content-Type": 'multipart/related; type="application/dicom"; boundary=b'}
    answer = http.post(f"{root}/studies", content=parts + b"--b--", headers=headers)
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/dicom+xml"
    assert b"Nobody" not in answer.content
    unreadable, exists = details(answer.content)
    assert unreadable == NO_DICOM
    assert exists.startswith("already exists: checksum mismatch: an instance with the same study, ")
    headers["Accept"] = "application/dicom+json"
    answer = http.post(f"{root}/studies", content=parts + b"--b--", headers=headers)
    assert answer.headers["content-type"] == "application/dicom+json"
    failed = answer.json()["00081198"]["Value"]
    assert [item["00081197"]["Value"] for item in failed] == [[272], [272]]
    assert failed[0]["00091097"] == {"vr": "LT", "Value": [NO_DICOM]}
    assert failed[1]["00081155"]["Value"] == [changed.SOPInstanceUID]
    assert failed[1]["00091097"] == {"vr": "LT", "Value": [exists]}
    assert "Nobody" not in answer.text
    assert answer.json()["00081199"]["Value"][0]["00081155"]["Value"] == [fresh.SOPInstanceUID]
    assert len(client.search_for_instances()) == 4


def details(answer: bytes) -> list[str]:
    """Why each instance was refused, by an answer in XML."""
    space = "{http://dicom.nema.org/PS3.19/models/NativeDICOM}"
    tree = ET.fromstring(answer)
    found = []
    for item in tree.findall(f"{space}DicomAttribute[@tag='00081198']/{space}Item"):
        detail = item[-1]
        assert detail.attrib == {
            "tag": "00090097",
            "vr": "LT",
            "keyword": "FailureDetail",
            "privateCreator": "GOOGLE",
        }
        [value] = detail
        found.append(value.text or "")
    return found


def test_dicomweb_client_is_reported_why_nothing_was_stored(
    client: DICOMwebClient, filled: list[pydicom.Dataset]
) -> None:
    with pytest.raises(HTTPError) as caught:
        client.store_instances([filled[0]], study_instance_uid=filled[1].StudyInstanceUID)
    answer = caught.value.response
    assert answer is not None
    assert answer.status_code == 409
    assert details(answer.content) == [
        "study mismatch: the instance is of another study than the request"
    ]


def test_the_detail_of_a_failure_in_json_is_a_private_element_of_its_creator(
    root: str,
) -> None:
    headers = {"Content-Type": "application/dicom", "Accept": "application/dicom+json"}
    for content, why in ((b"", "The file is empty."), (b"no dicom", NO_DICOM)):
        answer = http.post(f"{root}/studies", content=content, headers=headers)
        assert answer.status_code == 409
        [item] = pydicom.Dataset.from_json(answer.json()).FailedSOPSequence
        assert item.FailureReason == 272
        assert item.private_block(0x0009, "GOOGLE")[0x97].value == why
        assert "ReferencedSOPInstanceUID" not in item


@pytest.mark.parametrize("media_type", ["text/plain", "application/dicom+json", ""])
def test_store_takes_no_other_media_type(root: str, media_type: str) -> None:
    answer = http.post(f"{root}/studies", content=b"x", headers={"Content-Type": media_type})
    assert answer.status_code == 400  # as Google has it, where others have a 415
    error = answer.json()["error"]
    assert error["status"] == "INVALID_ARGUMENT"
    assert error["message"] == (
        f"Content-Type '{media_type}' is not supported: multipart/related or application/dicom"
    )


def test_store_one_part_into_a_study(root: str) -> None:
    dataset = example(STUDIES[0])
    buffer = io.BytesIO()
    dataset.save_as(buffer)
    headers = {"Content-Type": "application/dicom"}
    wrong = http.post(f"{root}/studies/1.2.3", content=buffer.getvalue(), headers=headers)
    assert wrong.status_code == 409
    url = f"{root}/studies/{dataset.StudyInstanceUID}"
    assert http.post(url, content=buffer.getvalue(), headers=headers).status_code == 200


def test_search_at_every_level(client: DICOMwebClient, filled: list[pydicom.Dataset]) -> None:
    first = filled[0]
    study, series = first.StudyInstanceUID, first.SeriesInstanceUID
    [found] = client.search_for_studies(search_filters={"PatientID": "88"})
    assert found["0020000D"]["Value"] == [study]
    # Google's list of what a search returns unasked has no description.
    assert "00081030" not in found
    [more] = client.search_for_studies(
        fields=["StudyDescription"], search_filters={"PatientID": "88"}
    )
    assert more["00081030"]["Value"] == ["Cardiomegaly|Effusion"]
    assert found["00201206"]["Value"] == found["00201208"]["Value"] == [1]
    assert found["00080061"]["Value"] == ["DX"]
    assert len(client.search_for_studies(search_filters={"PatientID": "1"})) == 2
    assert len(client.search_for_series()) == len(client.search_for_instances()) == 3
    [one] = client.search_for_series(study)
    assert one["0020000E"]["Value"] == [series]
    assert "00200011" not in one
    [all_] = client.search_for_series(study, fields=["all"])
    assert all_["00200011"]["Value"] == [first.SeriesNumber]
    assert len(client.search_for_instances(study)) == 1
    [instance] = client.search_for_instances(study, series)
    assert instance["00080018"]["Value"] == [first.SOPInstanceUID]
    assert instance["00280010"]["Value"] == [first.Rows]


@pytest.mark.parametrize(
    ("filters", "number"),
    [
        ({"StudyInstanceUID": "1.2.3"}, 0),
        ({"PatientName": "synthetic^patient 88"}, 1),
        ({"PatientName": "Synthetic*"}, 3),
        ({"PatientName": "*patient ?"}, 2),
        ({"00100020": "88"}, 1),
        ({"PatientID": "8*"}, 1),
        ({"AccessionNumber": "00000001_001"}, 1),
        ({"StudyDate": "20000103"}, 2),
        ({"StudyDate": "20000104-"}, 1),
        ({"StudyDate": "-20000103"}, 2),
        ({"StudyDate": "20000101-20101231"}, 3),
        ({"ModalitiesInStudy": "CT"}, 0),
        ({"PatientID": "*"}, 3),
    ],
)
def test_match_keys(
    client: DICOMwebClient, filled: list[Any], filters: dict[str, str], number: int
) -> None:
    assert len(client.search_for_studies(search_filters=filters)) == number


def test_fuzzy_names_pages_and_fields(client: DICOMwebClient, filled: list[Any]) -> None:
    fuzzy = {"PatientName": "pat syn"}
    assert len(client.search_for_studies(search_filters=fuzzy, fuzzymatching=True)) == 3
    assert client.search_for_studies(search_filters=fuzzy) == []
    either = {"PatientName": "unknown syn"}
    assert len(client.search_for_studies(search_filters=either, fuzzymatching=True)) == 3
    assert (
        client.search_for_studies(search_filters={"PatientName": "tic"}, fuzzymatching=True) == []
    )
    pages = [client.search_for_instances(limit=2, offset=start) for start in (0, 2, 4)]
    assert [len(page) for page in pages] == [2, 1, 0]
    uids = {one["00080018"]["Value"][0] for page in pages for one in page}
    assert len(uids) == 3
    [plain] = client.search_for_instances(limit=1)
    assert "00185101" not in plain
    [more] = client.search_for_instances(limit=1, fields=["ViewPosition"])
    assert more["00185101"]["Value"] == ["PA"]
    [everything] = client.search_for_instances(limit=1, fields=["all"])
    assert "00204000" in everything


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("limit=x", 400),
        ("limit=50001", 400),
        ("offset=-1", 400),
        ("Nonsense=1", 400),
        ("includefield=Nonsense", 400),
        ("StudyDate=2000-2001", 400),
        ("fuzzymatching=maybe", 400),
        ("PatientID=absent", 204),
    ],
)
def test_searches_refused_or_empty(root: str, query: str, code: int) -> None:
    answer = http.get(f"{root}/instances?{query}")
    assert answer.status_code == code
    assert (answer.content == b"") == (code == 204)


def test_metadata(client: DICOMwebClient, filled: list[pydicom.Dataset], root: str) -> None:
    first = filled[0]
    uids = (first.StudyInstanceUID, first.SeriesInstanceUID, first.SOPInstanceUID)
    for given in (
        client.retrieve_study_metadata(uids[0]),
        client.retrieve_series_metadata(*uids[:2]),
        [client.retrieve_instance_metadata(*uids)],
    ):
        assert len(given) == 1
        read = pydicom.Dataset.from_json(given[0], bulk_data_uri_handler=lambda _t, _v, _u: b"")
        assert read.StudyDescription == "Cardiomegaly|Effusion"
        assert read.ViewCodeSequence[0].CodingSchemeDesignator == "SCT"
    uri = given[0]["7FE00010"]["BulkDataURI"]
    assert uri == f"{root}/studies/{uids[0]}/series/{uids[1]}/instances/{uids[2]}/bulkdata/7FE00010"
    [pixels] = client.retrieve_bulkdata(uri)
    assert pixels == first.PixelData
    answer = http.get(f"{root}/studies/{uids[0]}/metadata")
    assert answer.headers["content-type"] == "application/dicom+json"


def test_retrieve_gives_the_bytes_that_were_stored(
    client: DICOMwebClient, filled: list[pydicom.Dataset], root: str
) -> None:
    first = filled[0]
    uids = (first.StudyInstanceUID, first.SeriesInstanceUID, first.SOPInstanceUID)
    assert client.retrieve_instance(*uids) == first
    assert client.retrieve_series(*uids[:2]) == [first]
    assert client.retrieve_study(uids[0]) == [first]
    url = f"{root}/studies/{uids[0]}/series/{uids[1]}/instances/{uids[2]}"
    answer = http.get(url, headers={"Accept": "application/dicom; transfer-syntax=*"})
    assert answer.content == dicom_file.build(
        next(one for one in records.load() if one.image == STUDIES[0])
    )
    assert http.get(url, headers={"Accept": "text/html"}).status_code == 406
    assert http.get(f"{root}/studies/1.2.3").status_code == 404


def test_frames(client: DICOMwebClient, filled: list[pydicom.Dataset], root: str) -> None:
    first = filled[0]
    uids = (first.StudyInstanceUID, first.SeriesInstanceUID, first.SOPInstanceUID)
    [frame] = client.retrieve_instance_frames(*uids, frame_numbers=[1])
    shape = (first.Rows, first.Columns)
    assert (np.frombuffer(frame, np.uint8).reshape(shape) == first.pixel_array).all()
    png = client.retrieve_instance_rendered(*uids, media_types=("image/png",))
    picture = Image.open(io.BytesIO(png))
    assert picture.format == "PNG"
    assert picture.size == (first.Columns, first.Rows)
    # The window of these files spans all 8-bit values.
    assert np.abs(np.asarray(picture).astype(int) - first.pixel_array).max() <= 1
    url = f"{root}/studies/{uids[0]}/series/{uids[1]}/instances/{uids[2]}"
    assert http.get(f"{url}/frames/2").status_code == 404
    assert http.get(f"{url}/frames/0").status_code == 400
    assert http.get(f"{url}/frames/x").status_code == 400


def test_rendered(client: DICOMwebClient, filled: list[pydicom.Dataset], root: str) -> None:
    first = filled[0]
    url = (
        f"{root}/studies/{first.StudyInstanceUID}/series/{first.SeriesInstanceUID}"
        f"/instances/{first.SOPInstanceUID}"
    )
    default = http.get(f"{url}/rendered")
    assert default.headers["content-type"] == "image/jpeg"
    assert Image.open(io.BytesIO(default.content)).format == "JPEG"
    png = {"Accept": "image/png"}
    small = http.get(f"{url}/frames/1/rendered?viewport=64,64", headers=png)
    assert max(Image.open(io.BytesIO(small.content)).size) == 64
    window = http.get(f"{url}/rendered?window=250,2,linear", headers=png)
    values = np.asarray(Image.open(io.BytesIO(window.content)))
    assert (values == 0).mean() > 0.8  # only the burnt-in marks are that bright
    for query in ("window=1", "viewport=0,0", "quality=200"):
        assert http.get(f"{url}/rendered?{query}").status_code == 400
    assert http.get(f"{url}/rendered", headers={"Accept": "video/mpeg"}).status_code == 406
    several = http.get(f"{url}/frames/1,1/rendered")
    assert several.status_code == 400
    assert "one frame" in several.json()["error"]["message"]


def test_compressed_instances_are_decoded_unless_asked_otherwise(
    client: DICOMwebClient, root: str
) -> None:
    plain = example(STUDIES[1])
    packed = example(STUDIES[1])
    packed.compress(RLELossless, generate_instance_uid=False)
    client.store_instances([packed])
    uids = (plain.StudyInstanceUID, plain.SeriesInstanceUID, plain.SOPInstanceUID)
    url = f"{root}/studies/{uids[0]}/series/{uids[1]}/instances/{uids[2]}"
    stored = http.get(url, headers={"Accept": "application/dicom; transfer-syntax=*"})
    kept = pydicom.dcmread(io.BytesIO(stored.content))
    assert kept.file_meta.TransferSyntaxUID == RLELossless
    assert kept.PixelData == packed.PixelData
    decoded = http.get(url, headers={"Accept": "application/dicom"})
    read = pydicom.dcmread(io.BytesIO(decoded.content))
    assert read.file_meta.TransferSyntaxUID == pydicom.uid.ExplicitVRLittleEndian
    assert (read.pixel_array == plain.pixel_array).all()
    assert read.SOPInstanceUID == uids[2]
    [frame] = client.retrieve_instance_frames(*uids, frame_numbers=[1])
    assert frame == plain.pixel_array.tobytes()
    other = {"Accept": "application/dicom; transfer-syntax=1.2.840.10008.1.2.4.100"}
    assert http.get(url, headers=other).status_code == 406


def test_delete(
    client: DICOMwebClient,
    filled: list[pydicom.Dataset],
    root: str,
    emulator: ServerInfo,
) -> None:
    first, second, _ = filled
    client.delete_instance(first.StudyInstanceUID, first.SeriesInstanceUID, first.SOPInstanceUID)
    assert len(client.search_for_instances()) == 2
    operation = http.delete(f"{root}/studies/{second.StudyInstanceUID}").json()

    def deletion() -> Any:
        return http.get(f"{emulator.url}/v1/{operation['name']}").json()

    while not deletion().get("done"):
        time.sleep(0.01)
    assert deletion()["metadata"]["counter"] == {"success": "1"}
    assert len(client.search_for_instances()) == 1
    assert http.delete(f"{root}/studies/{second.StudyInstanceUID}").status_code == 404
