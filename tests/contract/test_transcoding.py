"""Transfer syntaxes of retrieved files and frames, by the Accept header."""

import io
import shutil
import subprocess
from pathlib import Path

import httpx
import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.encaps import encapsulate, get_frame
from pydicom.pixels.utils import pixel_array
from pydicom.uid import UID

from emulator.server.server_file import ServerInfo
from emulator.services.healthcare.dicom.dicomweb import multipart
from tests.support import http
from tests.support.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.sockets
ROOT = "1.2.840.10008.1.2"
EXPLICIT = f"{ROOT}.1"
LOSSLESS = {
    "4.57": "image/jpeg",
    "4.70": "image/jpeg",
    "4.80": "image/jls",
    "4.81": "image/jls",
    "4.90": "image/jp2",
    "4.91": "image/jp2",
    "5": "image/dicom-rle",
}


@pytest.fixture
def web(emulator: ServerInfo, project: str) -> str:
    """The DICOMweb address of a new store."""
    api = f"{emulator.url}/v1/projects/{project}/locations/us-central1/datasets"
    http.post(f"{api}?datasetId=clinic", json={}).raise_for_status()
    http.post(f"{api}/clinic/dicomStores?dicomStoreId=s", json={}).raise_for_status()
    return f"{api}/clinic/dicomStores/s/dicomWeb"


def put(web: str, name: str) -> tuple[str, pydicom.FileDataset]:
    """Store a file; gives the instance's address, and what it holds."""
    path = Path(str(get_testdata_file(name)))
    headers = {"Content-Type": "application/dicom"}
    content = path.read_bytes()
    http.post(f"{web}/studies", content=content, headers=headers).raise_for_status()
    dataset = pydicom.dcmread(path)
    series = f"{web}/studies/{dataset.StudyInstanceUID}/series/{dataset.SeriesInstanceUID}"
    return f"{series}/instances/{dataset.SOPInstanceUID}", dataset


def parts(answer: httpx.Response) -> list[tuple[str, bytes]]:
    """The parts of an answer, each with its Content-Type."""
    answer.raise_for_status()
    boundary = multipart.boundary_of(answer.headers["content-type"])
    pieces = answer.content.split(b"\r\n--" + boundary)[1:-1]
    heads = [piece.partition(b"\r\n\r\n") for piece in pieces]
    return [(head.decode().partition("Content-Type: ")[2], body) for head, _, body in heads]


def get(url: str, accept: str) -> httpx.Response:
    return http.get(url, headers={"Accept": accept}, timeout=PATIENCE_SECONDS)


def in_parts(media_type: str, syntax: str) -> str:
    return f'multipart/related; type="{media_type}"; transfer-syntax={syntax}'


def decoded(image: pydicom.FileDataset, frame: bytes, syntax: str) -> np.ndarray:
    """The pixels of a frame that was retrieved by itself."""
    one = pydicom.Dataset()
    one.update(image)
    one.PixelData = encapsulate([frame])
    one["PixelData"].is_undefined_length = True
    one["PixelData"].VR = "OB"
    one.NumberOfFrames = 1
    one.file_meta = pydicom.dataset.FileMetaDataset()
    one.file_meta.TransferSyntaxUID = UID(syntax)
    if one.SamplesPerPixel > 1:
        one.PlanarConfiguration = 0
    return pixel_array(one, index=0, raw=True)


@pytest.mark.parametrize("last", LOSSLESS)
@pytest.mark.parametrize("name", ["CT_small.dcm", "SC_rgb_rle_2frame.dcm", "JPEG2000.dcm"])
def test_files_and_frames_in_each_lossless_syntax(web: str, name: str, last: str) -> None:
    url, image = put(web, name)
    syntax, count = f"{ROOT}.{last}", int(image.get("NumberOfFrames") or 1)
    expected = [pixel_array(image, index=index, raw=True) for index in range(count)]
    file = get(url, f"application/dicom; transfer-syntax={syntax}")
    assert file.headers["content-type"] == f"application/dicom; transfer-syntax={syntax}"
    given = pydicom.dcmread(io.BytesIO(file.content))
    assert given.file_meta.TransferSyntaxUID == syntax
    [(media_type, body)] = parts(
        get(url.partition("/series/")[0], in_parts("application/dicom", syntax))
    )
    assert media_type == f"application/dicom; transfer-syntax={syntax}"
    assert pydicom.dcmread(io.BytesIO(body)) == given
    numbers = ",".join(str(number) for number in range(1, count + 1))
    frames = parts(get(f"{url}/frames/{numbers}", in_parts(LOSSLESS[last], syntax)))
    assert len(frames) == count
    for index, (media_type, frame) in enumerate(frames):
        assert media_type == f"{LOSSLESS[last]}; transfer-syntax={syntax}"
        assert np.array_equal(pixel_array(given, index=index, raw=True), expected[index])
        assert np.array_equal(decoded(image, frame, syntax), expected[index])


def test_frames_as_they_are_stored_say_what_they_are(web: str) -> None:
    for name, media_type in (
        ("MR_small_RLE.dcm", "image/dicom-rle"),
        ("JPEG2000.dcm", "image/jp2"),
        ("SC_rgb_small_odd_jpeg.dcm", "image/jpeg"),
    ):
        url, image = put(web, name)
        syntax = image.file_meta.TransferSyntaxUID
        stored = get_frame(image.PixelData, 0, number_of_frames=image.get("NumberOfFrames") or 1)
        for accept in (in_parts("application/octet-stream", "*"), in_parts(media_type, "*")):
            assert parts(get(f"{url}/frames/1", accept)) == [
                (f"{media_type}; transfer-syntax={syntax}", stored)
            ]
        own = f'multipart/related; type="{media_type}"'
        assert parts(get(f"{url}/frames/1", own))[0][1] == stored
        assert get(f"{url}/frames/1", media_type).content == stored
    url, image = put(web, "CT_small.dcm")
    plain = (f"application/octet-stream; transfer-syntax={EXPLICIT}", image.PixelData)
    for accept in ("*/*", in_parts("application/octet-stream", "*")):
        assert parts(get(f"{url}/frames/1", accept)) == [plain]


@pytest.mark.parametrize(
    ("name", "path", "accept", "code", "culprit"),
    [
        ("CT_small.dcm", "", f"application/dicom; transfer-syntax={ROOT}.2", 406, f"{ROOT}.2"),
        ("CT_small.dcm", "", "application/dicom; transfer-syntax=x", 406, "syntax x"),
        ("CT_small.dcm", "", f"application/dicom; transfer-syntax={ROOT}.4.50", 406, "8 bits"),
        ("CT_small.dcm", "", f"application/dicom; transfer-syntax={ROOT}.4.201", 406, "encoder"),
        ("liver_1frame.dcm", "", f"application/dicom; transfer-syntax={ROOT}.5", 406, "single bit"),
        ("CT_small.dcm", "/frames/1", in_parts("image/jp2", f"{ROOT}.4.50"), 406, "image/jp2"),
        ("CT_small.dcm", "/frames/1", in_parts("image/jls", "*"), 406, "image/jls"),
        ("CT_small.dcm", "/frames/1", in_parts("image/png", f"{ROOT}.4.50"), 406, "image/png"),
        ("CT_small.dcm", "/frames/1", "text/plain", 406, "application/octet-stream"),
        ("rtplan.dcm", "/frames/1", "*/*", 400, "no pixel data"),
        ("rtplan.dcm", "/rendered", "*/*", 400, "no pixel data"),
    ],
)
def test_what_can_not_be_given(
    web: str, name: str, path: str, accept: str, code: int, culprit: str
) -> None:
    url, _ = put(web, name)
    answer = get(url + path, accept)
    assert answer.status_code == code
    assert culprit in answer.json()["error"]["message"]


def test_the_next_best_is_given_where_the_best_can_not_be(web: str) -> None:
    url, image = put(web, "CT_small.dcm")
    best, next_best = in_parts("image/jpeg", f"{ROOT}.4.50"), in_parts("image/jls", f"{ROOT}.4.80")
    [(media_type, frame)] = parts(get(f"{url}/frames/1", f"{best}, {next_best}; q=0.5"))
    assert media_type == f"image/jls; transfer-syntax={ROOT}.4.80"
    assert np.array_equal(decoded(image, frame, f"{ROOT}.4.80"), image.pixel_array)


def test_colours_as_jpeg(web: str) -> None:
    url, image = put(web, "examples_rgb_color.dcm")
    syntax = f"{ROOT}.4.50"
    given = pydicom.dcmread(
        io.BytesIO(get(url, f"application/dicom; transfer-syntax={syntax}").content)
    )
    assert np.abs(given.pixel_array.astype(int) - image.pixel_array).mean() < 4
    assert given.LossyImageCompression == "01"
    [(media_type, frame)] = parts(get(f"{url}/frames/1", in_parts("image/jpeg", syntax)))
    assert media_type == f"image/jpeg; transfer-syntax={syntax}"
    assert frame in given.PixelData


@pytest.mark.skipif(shutil.which("dcmdjpeg") is None, reason="DCMTK's dcmdjpeg is not installed")
@pytest.mark.parametrize("name", ["SC_rgb_dcmtk_+eb+cy+s2.dcm", "SC_rgb_dcmtk_+eb+cy+s4.dcm"])
def test_decoded_jpegs_are_those_of_dcmtk(web: str, tmp_path: Path, name: str) -> None:
    url, _ = put(web, name)
    path = tmp_path / "decoded.dcm"
    subprocess.run(["dcmdjpeg", str(get_testdata_file(name)), path], check=True)
    expected = pydicom.dcmread(path)
    file = pydicom.dcmread(
        io.BytesIO(get(url, f"application/dicom; transfer-syntax={EXPLICIT}").content)
    )
    assert file.PhotometricInterpretation == expected.PhotometricInterpretation == "RGB"
    assert file.PixelData == expected.PixelData
    [(_, frame)] = parts(get(f"{url}/frames/1", in_parts("application/octet-stream", EXPLICIT)))
    assert frame == expected.PixelData
