"""Multipart bodies, however they are cut into chunks."""

import itertools
from pathlib import Path

import pytest

from emulator.core.errors import ApiError
from emulator.services.healthcare.dicom.dicomweb import multipart
from emulator.services.healthcare.dicom.dicomweb.body_parts import PartFactory

PARTS = [b"one", b"", b"\r\n--not the boundary\r\n", b"x" * 300 + b"\r\n--BOUND"]
BODY = b"".join(multipart.write([("application/dicom", [part]) for part in PARTS], "BOUNDARY"))


def read(folder: Path, body: bytes, size: int) -> list[bytes]:
    """Read a body whose first half comes in chunks; what begins in the rest is held in memory."""
    numbers = itertools.count()
    new_part = PartFactory(lambda: folder / str(next(numbers)))
    reader = multipart.PartReader(b"BOUNDARY", new_part)
    for start in range(0, len(body), size):
        new_part.held = start > len(body) / 2
        reader.feed(body[start : start + size])
    return [part.persist().read_bytes() for part in reader.close()]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 10_000])
def test_parts_come_out_as_they_went_in(size: int, tmp_path: Path) -> None:
    assert read(tmp_path, BODY, size) == PARTS


def test_preamble_and_epilogue_are_no_parts(tmp_path: Path) -> None:
    body = b"preamble" + BODY + b"\r\nepilogue"
    assert read(tmp_path, body, 5) == PARTS


@pytest.mark.parametrize("end", range(0, len(BODY) - 6, 11))
def test_a_body_that_is_cut_off_is_refused(end: int, tmp_path: Path) -> None:
    with pytest.raises(ApiError, match="cut off"):
        read(tmp_path, BODY[:end], 50)


def test_headers_without_an_end_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ApiError, match="no end"):
        read(tmp_path, b"--BOUNDARY\r\n" + b"X: y\r\n" * 5_000, 4_096)


@pytest.mark.parametrize(
    ("content_type", "boundary"),
    [
        ("multipart/related; boundary=abc", b"abc"),
        ('multipart/related; type="application/dicom"; boundary="a b:c"', b"a b:c"),
        ("multipart/related; BOUNDARY=abc; type=x", b"abc"),
    ],
)
def test_boundaries(content_type: str, boundary: bytes) -> None:
    assert multipart.boundary_of(content_type) == boundary


def test_a_missing_boundary_is_refused() -> None:
    with pytest.raises(ApiError, match="names no boundary"):
        multipart.boundary_of("multipart/related")
