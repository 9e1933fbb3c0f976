"""Retrieving what is stored: WADO-RS (PS3.18 10.4)."""

import io
import logging
from collections.abc import Iterable, Iterator
from errno import ENOENT
from http import HTTPStatus
from pathlib import Path
from sqlite3 import Row
from typing import BinaryIO

import pydicom
from pydicom.encaps import get_frame
from pydicom.uid import UID

from emulator.errors import ApiError, data_loss, invalid_argument, not_acceptable, not_found
from emulator.healthcare.dicom import decoding, dicom_json, encoding, syntaxes
from emulator.healthcare.dicom.encoding import NotEncodableError
from emulator.healthcare.dicom.malformed import UNDECODABLE, reading
from emulator.healthcare.dicom.models import DicomContents
from emulator.healthcare.dicom.places import Place

LOG = logging.getLogger(__name__)
CHUNK_BYTES = 1 << 20
ANY_SYNTAX, DEFAULT_SYNTAX = syntaxes.ANY, syntaxes.DEFAULT
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


def lost(contents: DicomContents, store: str, missing: FileNotFoundError) -> ApiError:
    """Say why an instance's file is not there: 404 if it was deleted, else 500, and in the log."""
    rows = contents.select(
        "SELECT study, series, sop FROM dicom_instances WHERE store = ? AND sha256 = ? ORDER BY id",
        [store, Path(missing.filename).name],
    )
    if not rows:
        return not_found("The instance has just been deleted.")
    study, series, sop = rows[0]
    name = f"{store}/dicomWeb/studies/{study}/series/{series}/instances/{sop}"
    LOG.error("the file %s of %s is lost", missing.filename, name)
    return data_loss(
        f"The file of {name} is lost: somebody else removed it from the emulator's state folder. "
        "Delete the instance, and store it again."
    )


def require_files(contents: DicomContents, store: str, rows: Iterable[Row]) -> None:
    """Refuse to give instances of which a file is lost: better than to leave it out.

    Raises:
        ApiError: 500, naming the instance.
    """
    for row in rows:
        path = contents.blobs.path(row["sha256"])
        if not path.exists():
            error = lost(contents, store, FileNotFoundError(ENOENT, "", str(path)))
            if error.code != HTTPStatus.NOT_FOUND:
                raise error


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
                encoding.compress(dataset, UID(syntax))
            buffer = io.BytesIO()
            dataset.file_meta.TransferSyntaxUID = UID(syntax)
            _resolve(dataset)
            little, implicit = UID(syntax).is_little_endian, UID(syntax).is_implicit_VR
            pydicom.dcmwrite(buffer, dataset, little_endian=little, implicit_vr=implicit)
    except NotEncodableError as error:
        raise not_acceptable(
            f"The instance can't be given in transfer syntax {syntax}: {error}."
        ) from error
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
    contents: DicomContents, row: Row, numbers: list[int], kind: str, wanted: str
) -> list[tuple[str, bytes]]:
    """Give frames, each with its transfer syntax.

    Args:
        contents: the stores.
        row: of the instance.
        numbers: from 1.
        kind: the media type that is asked for.
        wanted: a transfer syntax, `*` for the stored one, empty for the media type's own.

    Raises:
        ApiError: 400 without pixels, 406 where they can't be given so.
    """
    dataset = decoding.read(contents.blobs.path(row["sha256"]))
    if not any(keyword in dataset for keyword in decoding.PIXELS):
        raise invalid_argument("The instance has no pixel data.")
    try:
        with reading():
            return _frames(dataset, row, numbers, kind, wanted)
    except NotEncodableError as error:
        raise not_acceptable(f"Frames can't be given as {kind} {wanted}: {error}.") from error
    except UNDECODABLE as error:
        raise decoding.undecodable(dataset, error) from error


def _frames(
    dataset: pydicom.FileDataset, row: Row, numbers: list[int], kind: str, wanted: str
) -> list[tuple[str, bytes]]:
    stored = dataset.file_meta.TransferSyntaxUID
    syntax = _syntax_of_frames(stored, kind, wanted)
    if syntax == stored and stored.is_encapsulated:
        encoded, count = dataset.PixelData, row["frames"]
        return [(syntax, get_frame(encoded, one - 1, number_of_frames=count)) for one in numbers]
    if kind == syntaxes.OCTETS:
        return [(syntax, decoding.frame(dataset, one)) for one in numbers]
    return [(syntax, encoding.frame(dataset, one, UID(syntax))) for one in numbers]


def _syntax_of_frames(stored: UID, kind: str, wanted: str) -> str:
    """Choose the transfer syntax of frames, of those that their media type has.

    Raises:
        ApiError: 406, it has none such.
    """
    if kind == syntaxes.OCTETS:
        # What is not compressed is given as values in little-endian order, whichever way it lies.
        whole = stored if stored.is_encapsulated else DEFAULT_SYNTAX
        allowed = {"": DEFAULT_SYNTAX, DEFAULT_SYNTAX: DEFAULT_SYNTAX, ANY_SYNTAX: str(whole)}
    else:
        known = syntaxes.ENCODED[kind]
        own = {ANY_SYNTAX: str(stored)} if stored in known else {}
        allowed = {one: one for one in known} | {"": own.get(ANY_SYNTAX, known[0])} | own
    if wanted not in allowed:
        raise not_acceptable(
            f"Frames of transfer syntax {stored} can't be given as {kind}; "
            f"transfer-syntax={wanted}: served is {', '.join(filter(None, allowed))}."
        )
    return allowed[wanted]
