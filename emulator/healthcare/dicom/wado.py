"""Retrieving what is stored: WADO-RS (PS3.18 10.4)."""

import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from sqlite3 import Row
from typing import BinaryIO

import pydicom
from pydicom.encaps import get_frame
from pydicom.uid import (
    UID,
    AllTransferSyntaxes,
    ExplicitVRLittleEndian,
    JPEG2000TransferSyntaxes,
    JPEGBaseline8Bit,
)

from emulator.errors import ApiError, invalid_argument, not_acceptable, not_found
from emulator.healthcare.dicom import decoding, dicom_json
from emulator.healthcare.dicom.malformed import UNDECODABLE, reading
from emulator.healthcare.dicom.models import DicomContents
from emulator.healthcare.dicom.places import Place

CHUNK_BYTES = 1 << 20
ANY_SYNTAX = "*"
DEFAULT_SYNTAX = str(ExplicitVRLittleEndian)
UNCOMPRESSED = frozenset(uid for uid in AllTransferSyntaxes if not uid.is_compressed)
COLUMNS = "study, series, sop, sha256, size, transfer_syntax, frames"


def instances(contents: DicomContents, place: Place, columns: str = COLUMNS) -> list[Row]:
    """Give the rows of all instances at a place.

    Raises:
        ApiError: 404, there is none.
    """
    rows = contents.find(place, columns)
    if not rows:
        raise absent(place)
    return rows


def absent(place: Place) -> ApiError:
    """404."""
    kind = "instance" if place.sop else ("series" if place.series else "study")
    return not_found(f"The {kind} {place.sop or place.series or place.study} does not exist.")


def metadata(contents: DicomContents, place: Place, root: str) -> Iterator[str]:
    """Give the DICOM JSON model of each instance at a place, as text.

    Raises:
        ApiError: 404, there is none; before the first is given.
    """
    rows = instances(contents, place, "study, series, sop, metadata")
    return (_metadata(row, root) for row in rows)


def _metadata(row: Row, root: str) -> str:
    url = f"{root}/studies/{row['study']}/series/{row['series']}/instances/{row['sop']}"
    return dicom_json.with_references(row["metadata"], url)


def syntax_given(row: Row, wanted: str) -> str:
    """Tell in which transfer syntax an instance is given to who wants one."""
    return str(row["transfer_syntax"]) if wanted == ANY_SYNTAX else wanted or DEFAULT_SYNTAX


def content(contents: DicomContents, row: Row, wanted: str) -> Iterable[bytes]:
    """Give an instance's file.

    Args:
        contents: the stores.
        row: of the instance.
        wanted: a transfer syntax, `*` for the stored one, empty for the default.

    Raises:
        ApiError: 406, that transfer syntax can't be made of the stored one.
        FileNotFoundError: it has been deleted since the row was read.
    """
    path = contents.blobs.path(row["sha256"])
    if syntax_given(row, wanted) == row["transfer_syntax"]:
        # Opened now: once it is, it can be read to its end, deleted or not.
        return _pieces(path.open("rb"))
    return [_transcoded(path, syntax_given(row, wanted))]


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while piece := file.read(CHUNK_BYTES):
            yield piece


def _transcoded(path: Path, syntax: str) -> bytes:
    dataset = decoding.read(path)
    try:
        with reading():
            if dataset.file_meta.TransferSyntaxUID.is_compressed:
                decoding.decompress(dataset)
            if UID(syntax).is_compressed:
                dataset.compress(UID(syntax), generate_instance_uid=False)
            buffer = io.BytesIO()
            dataset.file_meta.TransferSyntaxUID = UID(syntax)
            _resolve(dataset)
            little, implicit = UID(syntax).is_little_endian, UID(syntax).is_implicit_VR
            pydicom.dcmwrite(buffer, dataset, little_endian=little, implicit_vr=implicit)
    except UNDECODABLE as error:
        raise not_acceptable(
            f"The instance can't be given in transfer syntax {syntax} ({type(error).__name__})."
        ) from error
    return buffer.getvalue()


def _resolve(dataset: pydicom.Dataset) -> None:
    """Look up VRs that a file leaves out against its transfer syntax; pydicom would not."""
    if any(getattr(item, "VR", "") is None for item in dataset.values()):
        for _ in dataset.iterall():
            pass


def frame_numbers(text: str, row: Row) -> list[int]:
    """Read a list of frames such as `1,3`.

    Raises:
        ApiError: 400 for what is no number from 1, 404 for a frame that is not there.
    """
    parts = text.split(",")
    if not all(part.isascii() and part.isdigit() and len(part) < 10 for part in parts):
        raise invalid_argument(f"invalid frame list {text[:100]!r}: numbers from 1, by commas")
    numbers = [int(part) for part in parts]
    for number in numbers:
        if number < 1:
            raise invalid_argument(f"invalid frame number {number}: frames are counted from 1")
        if number > row["frames"]:
            raise not_found(f"The instance has no frame {number}.")
    return numbers


def frames(
    contents: DicomContents, row: Row, numbers: list[int], wanted: str
) -> list[tuple[str, bytes]]:
    """Give frames, each with its media type.

    Args:
        contents: the stores.
        row: of the instance.
        numbers: from 1.
        wanted: a transfer syntax, `*` for the stored one, empty for uncompressed.

    Raises:
        ApiError: 404 without pixels, 406 where they can't be given so.
    """
    dataset = decoding.read(contents.blobs.path(row["sha256"]))
    try:
        with reading():
            return _frames(dataset, row, numbers, wanted)
    except UNDECODABLE as error:
        raise decoding.undecodable(dataset, error) from error


def _frames(
    dataset: pydicom.FileDataset, row: Row, numbers: list[int], wanted: str
) -> list[tuple[str, bytes]]:
    if "PixelData" not in dataset:
        raise not_found("The instance has no pixel data.")
    stored = dataset.file_meta.TransferSyntaxUID
    if stored.is_compressed and wanted in (ANY_SYNTAX, str(stored)):
        kind = encoded_kind(stored)
        encoded = dataset.PixelData
        return [
            (kind, get_frame(encoded, number - 1, number_of_frames=row["frames"]))
            for number in numbers
        ]
    if wanted not in ("", ANY_SYNTAX) and wanted not in UNCOMPRESSED:
        raise not_acceptable(f"Frames of transfer syntax {stored} can't be given in {wanted}.")
    return [("application/octet-stream", decoding.frame(dataset, number)) for number in numbers]


def encoded_kind(syntax: UID) -> str:
    """Give the media type of an encoded frame (PS3.18 table 8.7.3-5)."""
    if syntax in JPEG2000TransferSyntaxes:
        return "image/jp2"
    return "image/jpeg" if syntax == JPEGBaseline8Bit else "application/octet-stream"
