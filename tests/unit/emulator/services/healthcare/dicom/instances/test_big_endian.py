"""A big-endian instance is served little-endian, every word of it (PS3.5 7.3)."""

import io
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)
from starlette.testclient import TestClient

from emulator.services.healthcare.dicom.dicomweb import multipart
from emulator.services.healthcare.dicom.pixels import decoding
from tests.support.dicom_files import make_dicom

VALUES = np.arange(256, dtype=np.uint16).reshape(16, 16) + 300
OCTETS = 'multipart/related; type="application/octet-stream"'


def words(of: str, *values: float) -> bytes:
    return struct.pack(f">{len(values)}{of}", *values)


def add_words(dataset: Dataset) -> None:
    """Add an element of each VR that holds words."""
    dataset.add_new(0x60000010, "US", 4)
    dataset.add_new(0x60000011, "US", 8)
    dataset.add_new(0x60000100, "US", 1)
    dataset.add_new(0x60000102, "US", 0)
    dataset.add_new(0x60003000, "OW", b"\x01\x02\x03\x04")
    dataset.add_new(0x00281101, "US", [4, 0, 16])
    dataset.add_new(0x00281201, "OW", words("H", 1, 2, 3, 4))
    dataset.add_new(0x00660016, "OF", words("f", 1.5, 2.5))
    dataset.add_new(0x00720073, "OD", words("d", 1.5))
    dataset.add_new(0x00720075, "OL", words("L", 7))
    dataset.add_new(0x00720081, "OV", words("Q", 7))


@pytest.fixture
def put(client: TestClient, store: str) -> Callable[[bytes], str]:
    """Stores an instance; gives its path."""

    def put(content: bytes) -> str:
        web = f"/v1/{store}/dicomWeb/studies"
        headers = {"Content-Type": "application/dicom"}
        client.post(web, content=content, headers=headers).raise_for_status()
        return f"{web}/1.2.3/series/1.2.3.4/instances/1.2.3.4.5"

    return put


@pytest.fixture
def path(put: Callable[[bytes], str]) -> str:
    """The path of a big-endian instance with words on two levels."""
    item, extra = Dataset(), Dataset()
    add_words(item)
    add_words(extra)
    content = pydicom.dcmread(
        io.BytesIO(make_dicom(pixels=VALUES.astype(">u2"), syntax=ExplicitVRBigEndian))
    )
    content.update(extra)
    content["PixelData"].VR = "OW"
    content.ModalityLUTSequence = [item]
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, content, little_endian=False, implicit_vr=False)
    return put(buffer.getvalue())


def first_part(answer: Any) -> tuple[str, bytes]:
    answer.raise_for_status()
    boundary = multipart.boundary_of(answer.headers["content-type"])
    head, _, body = answer.content.split(b"--" + boundary)[1].partition(b"\r\n\r\n")
    return head.decode(), body.removesuffix(b"\r\n")


SYNTAXES = (
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    DeflatedExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)


def test_every_word_of_a_file_is_converted(client: TestClient, path: str) -> None:
    for syntax in SYNTAXES:
        headers = {"Accept": f"application/dicom; transfer-syntax={syntax}"}
        answer = client.get(path, headers=headers)
        answer.raise_for_status()
        given = pydicom.dcmread(io.BytesIO(answer.content))
        assert given.file_meta.TransferSyntaxUID == syntax
        assert np.array_equal(given.pixel_array, VALUES)
        for dataset in (given, given.ModalityLUTSequence[0]):
            assert dataset[0x60003000].value == b"\x02\x01\x04\x03"
            assert dataset[0x00281201].value == struct.pack("<4H", 1, 2, 3, 4)
            assert dataset[0x00660016].value == struct.pack("<2f", 1.5, 2.5)
            assert dataset[0x00720073].value == struct.pack("<d", 1.5)
            assert dataset[0x00720075].value == struct.pack("<L", 7)
            assert dataset[0x00720081].value == struct.pack("<Q", 7)


def test_frames_are_little_endian(client: TestClient, path: str) -> None:
    for accept in (OCTETS, f"{OCTETS}; transfer-syntax=*"):
        head, body = first_part(client.get(f"{path}/frames/1", headers={"Accept": accept}))
        assert "transfer-syntax=1.2.840.10008.1.2.1" in head
        assert body == VALUES.astype("<u2").tobytes()


def test_encoded_frames_hold_the_same_values(client: TestClient, path: str) -> None:
    media_type = 'multipart/related; type="image/dicom-rle"'
    _, encoded = first_part(client.get(f"{path}/frames/1", headers={"Accept": media_type}))
    given = pydicom.dcmread(io.BytesIO(make_dicom(pixels=VALUES)))
    given.file_meta.TransferSyntaxUID = RLELossless
    given.PixelData = pydicom.encaps.encapsulate([encoded])
    assert np.array_equal(given.pixel_array, VALUES)


def test_bulk_data_is_little_endian(client: TestClient, path: str) -> None:
    headers = {"Accept": "application/octet-stream"}
    for where, value in (
        ("7FE00010", VALUES.astype("<u2").tobytes()),
        ("00281201", struct.pack("<4H", 1, 2, 3, 4)),
        ("00283000/0/60003000", b"\x02\x01\x04\x03"),
    ):
        assert client.get(f"{path}/bulkdata/{where}", headers=headers).content == value


def test_many_numbers_of_bulk_data_are_little_endian(client: TestClient, put: Any) -> None:
    numbers = [float(number) for number in range(600)]
    path = put(make_dicom(syntax=ExplicitVRBigEndian, SelectorFLValue=numbers))
    headers = {"Accept": "application/octet-stream"}
    given = client.get(f"{path}/bulkdata/00720076", headers=headers)
    assert given.content == struct.pack("<600f", *numbers)


def test_the_stored_syntax_is_the_stored_file(client: TestClient, put: Any) -> None:
    content = make_dicom(pixels=VALUES.astype(">u2"), syntax=ExplicitVRBigEndian)
    path = put(content)
    headers = {"Accept": "application/dicom; transfer-syntax=*"}
    assert client.get(path, headers=headers).content == content


@pytest.mark.parametrize(
    ("allocated", "vr", "stored", "expected"),
    [
        (8, "OW", b"\2\1\4\3", b"\1\2\3\4"),
        (8, "OB", b"\1\2\3\4", b"\1\2\3\4"),
        (16, "OB", b"\1\2\3\4", b"\2\1\4\3"),
        (32, "OW", b"\1\2\3\4", b"\4\3\2\1"),
        (1, "OW", b"\1\2\3\4", b"\2\1\4\3"),
    ],
)
def test_pixels_are_words_by_their_size_and_vr(
    tmp_path: Any, allocated: int, vr: str, stored: bytes, expected: bytes
) -> None:
    dataset = pydicom.dcmread(io.BytesIO(make_dicom(syntax=ExplicitVRBigEndian)))
    dataset.BitsAllocated = allocated
    dataset.add_new("PixelData", vr, stored)
    pydicom.dcmwrite(tmp_path / "x", dataset, little_endian=False, implicit_vr=False)
    read = decoding.read(tmp_path / "x")
    assert read.PixelData == expected
    assert read.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian


def test_a_value_of_half_a_word_is_kept(tmp_path: Any) -> None:
    dataset = pydicom.dcmread(io.BytesIO(make_dicom(syntax=ExplicitVRBigEndian)))
    dataset.add_new(0x00660016, "OF", words("f", 1.5) + b"\1\2")
    pydicom.dcmwrite(tmp_path / "x", dataset, little_endian=False, implicit_vr=False)
    assert decoding.read(tmp_path / "x")[0x00660016].value == struct.pack("<f", 1.5) + b"\1\2"
