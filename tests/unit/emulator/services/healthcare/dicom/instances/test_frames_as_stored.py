"""Frames that no client asks to decode: the stored bytes, whatever they stand for."""

import io
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.encaps import encapsulate
from pydicom.uid import HTJ2KLossless
from starlette.testclient import TestClient

from emulator.services.healthcare.dicom.dicomweb import multipart
from emulator.services.healthcare.dicom.pixels import stored_frames
from tests.support.dicom_files import make_dicom

OCTETS = 'multipart/related; type="application/octet-stream"'
ANY = f"{OCTETS}; transfer-syntax=*"
UNKNOWN = "1.2.840.10008.1.2.4.999"
JPEG_XL = "1.2.840.10008.1.2.4.110"


def picture(
    pixels: bytes, keyword: str = "PixelData", vr: str = "OB", syntax: str = "", **elements: Any
) -> bytes:
    dataset = pydicom.dcmread(io.BytesIO(make_dicom(**elements)))
    dataset.add_new(keyword, vr, pixels + b"\0" * (len(pixels) % 2))
    if syntax:
        dataset.file_meta.TransferSyntaxUID = HTJ2KLossless
        dataset[keyword].is_undefined_length = True
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, dataset, little_endian=True, implicit_vr=False)
    return buffer.getvalue().replace(HTJ2KLossless.encode(), syntax.encode() or b"-")


def frame(pixels: bytes, number: int = 1, **elements: Any) -> bytes:
    """Return a frame of an instance of these elements."""
    return stored_frames.native(pydicom.dcmread(io.BytesIO(picture(pixels, **elements))), number)


def put(client: TestClient, store: str, content: bytes) -> str:
    """Store an instance; return its path."""
    web = f"/v1/{store}/dicomWeb/studies"
    headers = {"Content-Type": "application/dicom"}
    client.post(web, content=content, headers=headers).raise_for_status()
    return f"{web}/1.2.3/series/1.2.3.4/instances/1.2.3.4.5"


def retrieved(client: TestClient, path: str, number: int, accept: str) -> bytes:
    answer = client.get(f"{path}/frames/{number}", headers={"Accept": accept})
    assert answer.status_code == 200, answer.text
    boundary = multipart.boundary_of(answer.headers["content-type"])
    body = answer.content.split(b"--" + boundary)[1].partition(b"\r\n\r\n")[2]
    return bytes(body.removesuffix(b"\r\n"))


def form(photometric: str, bits: int = 8, samples: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "Rows": 4,
        "Columns": 6,
        "PhotometricInterpretation": photometric,
        "BitsAllocated": bits,
        "BitsStored": bits,
        "HighBit": bits - 1,
        "PixelRepresentation": 0,
        "SamplesPerPixel": samples,
    } | more


COLOURS = bytes(range(72))
VALUES = np.arange(24, dtype="<u2").tobytes()
FORMS = {
    "planar RGB": (COLOURS, form("RGB", samples=3, PlanarConfiguration=1)),
    "planar YBR_FULL": (COLOURS, form("YBR_FULL", samples=3, PlanarConfiguration=1)),
    "YBR_FULL": (COLOURS, form("YBR_FULL", samples=3, PlanarConfiguration=0)),
    "no planar configuration": (COLOURS, form("RGB", samples=3)),
    "YBR_FULL_422": (COLOURS[:48], form("YBR_FULL_422", samples=3, PlanarConfiguration=0)),
    "ARGB, retired": (bytes(96), form("ARGB", samples=4, PlanarConfiguration=0)),
    "palette without its palette": (COLOURS[:24], form("PALETTE COLOR")),
    "unknown photometric interpretation": (COLOURS[:24], form("XYZ")),
    "no photometric interpretation": (COLOURS[:24], form("X", PhotometricInterpretation="")),
    "high bit above BitsStored": (VALUES, form("MONOCHROME2", 16, BitsStored=12, HighBit=15)),
    "more bits stored than allocated": (VALUES, form("MONOCHROME2", 16, BitsStored=20)),
    "signed": (VALUES, form("MONOCHROME2", 16, PixelRepresentation=1, BitsStored=12)),
    "24 bits": (COLOURS, form("MONOCHROME2", 24)),
    "12 bits allocated": (COLOURS[:36], form("MONOCHROME2", 12)),
    "32 bits": (VALUES * 2, form("MONOCHROME2", 32)),
}


@pytest.mark.parametrize("name", FORMS)
def test_a_frame_is_the_stored_bytes(name: str) -> None:
    content, elements = FORMS[name]
    assert frame(content, **elements) == content


@pytest.mark.parametrize("name", FORMS)
def test_so_is_the_second_of_two(name: str) -> None:
    content, elements = FORMS[name]
    other = bytes(reversed(content))
    assert frame(content + other, 2, NumberOfFrames=2, **elements) == other


def test_so_it_is_retrieved(client: TestClient, store: str) -> None:
    content, elements = FORMS["planar YBR_FULL"]
    path = put(client, store, picture(content, **elements))
    assert [retrieved(client, path, 1, accept) for accept in (OCTETS, ANY)] == [content] * 2


@pytest.mark.parametrize(
    ("keyword", "vr", "bits"), [("FloatPixelData", "OF", 32), ("DoubleFloatPixelData", "OD", 64)]
)
def test_so_are_numbers_with_a_fraction(keyword: str, vr: str, bits: int) -> None:
    values = np.linspace(-1, 1, 24, dtype=f"<f{bits // 8}").tobytes()
    elements = form("MONOCHROME2", bits)
    assert frame(values * 2, 2, keyword=keyword, vr=vr, NumberOfFrames=2, **elements) == values


def test_frames_of_single_bits_stay_packed() -> None:
    elements = form("MONOCHROME2", 1, Rows=8, Columns=8, NumberOfFrames=2)
    assert frame(bytes(range(1, 17)), 1, **elements) == bytes(range(1, 9))
    assert frame(bytes(range(1, 17)), 2, **elements) == bytes(range(9, 17))


def test_a_frame_that_begins_within_a_byte_is_shifted() -> None:
    bits = np.random.default_rng(1).integers(0, 2, (3, 5, 5), dtype=np.uint8)
    content = np.packbits(bits.ravel(), bitorder="little").tobytes()
    elements = form("MONOCHROME2", 1, Rows=5, Columns=5, NumberOfFrames=3)
    for number in (1, 2, 3):
        expected = np.packbits(bits[number - 1].ravel(), bitorder="little").tobytes()
        assert frame(content, number, **elements) == expected


def test_a_frame_that_is_cut_off_is_refused_by_name(client: TestClient, store: str) -> None:
    path = put(client, store, picture(COLOURS[:24], **form("MONOCHROME2", NumberOfFrames=2)))
    assert client.get(f"{path}/frames/2").status_code == 406


def test_a_compressed_frame_is_its_fragment_whether_or_not_it_can_be_decoded(
    client: TestClient, store: str
) -> None:
    content = encapsulate([b"one ", b"two "])
    for last, syntax in enumerate([UNKNOWN, JPEG_XL, str(HTJ2KLossless)]):
        elements = form("MONOCHROME2", NumberOfFrames=2, SOPInstanceUID=f"1.2.3.4.{last}")
        path = put(client, store, picture(content, syntax=syntax, **elements))
        path = f"{path[:-1]}{last}"
        for accept in (ANY, f"{OCTETS}; transfer-syntax={syntax}"):
            assert retrieved(client, path, 2, accept) == b"two "
        assert client.get(f"{path}/frames/1", headers={"Accept": OCTETS}).status_code == 406
        for asked in ("*", syntax):
            accept = f"application/dicom; transfer-syntax={asked}"
            answer = client.get(path, headers={"Accept": accept})
            assert answer.status_code == 200, answer.text
            assert content in answer.content
