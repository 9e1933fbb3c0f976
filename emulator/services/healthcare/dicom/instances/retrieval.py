"""Retrieval of stored instances: the Retrieve transaction, WADO-RS (PS3.18 10.4).

Inferred (conformance: metadata-missing-text, frame-missing-text, frame-list-text,
frame-no-pixels-text, frame-syntax-text): the texts of refusals.
"""

import io
import logging
from collections.abc import Iterable, Iterator
from errno import ENOENT
from http import HTTPStatus
from pathlib import Path
from sqlite3 import Row
from typing import BinaryIO

import pydicom
from pydicom.uid import UID

from emulator.core.errors import ApiError, data_loss, invalid_argument, not_acceptable, not_found
from emulator.services.healthcare.dicom.instances.models import InstanceStore
from emulator.services.healthcare.dicom.parsing import dicom_json
from emulator.services.healthcare.dicom.parsing.pydicom_errors import (
    DECODE_ERRORS,
    translate_errors,
)
from emulator.services.healthcare.dicom.pixels import (
    decoding,
    encoding,
    stored_frames,
    transfer_syntaxes,
)
from emulator.services.healthcare.dicom.pixels.encoding import NotEncodableError
from emulator.services.healthcare.dicom.resource_path import ResourcePath

LOG = logging.getLogger(__name__)
CHUNK_BYTES = 1 << 20
ANY_SYNTAX, DEFAULT_SYNTAX = transfer_syntaxes.ANY, transfer_syntaxes.DEFAULT
COLUMNS = "study, series, sop, sha256, size, transfer_syntax, frames"


def instances(
    contents: InstanceStore, resource_path: ResourcePath, columns: str = COLUMNS
) -> list[Row]:
    """Return the rows of all instances of a resource.

    Raises:
        ApiError: 404, there is none
    """
    rows = contents.find(resource_path, columns)
    if not rows:
        raise instance_not_found(resource_path)
    return rows


def instance_not_found(resource_path: ResourcePath) -> ApiError:
    """Return the 404 of a study, series or instance."""
    return not_found(f"The {resource_path.level} {resource_path.id} does not exist.")


def missing_file_error(contents: InstanceStore, store: str, missing: FileNotFoundError) -> ApiError:
    """Return the error of a missing file: 404 if its instance was deleted, else a logged 500."""
    rows = contents.select(
        "SELECT study, series, sop FROM dicom_instances WHERE store = ? AND sha256 = ? ORDER BY id",
        [store, Path(missing.filename).name],
    )
    if not rows:
        return not_found("The instance has just been deleted.")
    name = ResourcePath(store, *rows[0])
    LOG.error("The file %s of %s is missing.", missing.filename, name)
    return data_loss(
        f"The file of {name} is missing from the emulator's state folder. "
        "Delete the instance, and store it again."
    )


def require_files(contents: InstanceStore, store: str, rows: Iterable[Row]) -> None:
    """Fail if a file is missing, so that no response silently lacks an instance.

    Raises:
        ApiError: 500, naming the instance
    """
    for row in rows:
        path = contents.blobs.path(row["sha256"])
        if not path.exists():
            error = missing_file_error(contents, store, FileNotFoundError(ENOENT, "", str(path)))
            if error.code != HTTPStatus.NOT_FOUND:
                raise error


def metadata(contents: InstanceStore, resource_path: ResourcePath, root: str) -> Iterator[str]:
    """Return an iterator over the DICOM JSON models, as text, of a resource's instances.

    Raises:
        ApiError: 404, there is none; raised before the iteration
    """
    rows = instances(contents, resource_path, "study, series, sop, metadata")
    return (_metadata(row, root) for row in rows)


def _metadata(row: Row, root: str) -> str:
    url = f"{root}/studies/{row['study']}/series/{row['series']}/instances/{row['sop']}"
    return dicom_json.with_references(row["metadata"], url)


def served_transfer_syntax(row: Row, wanted: str) -> str:
    """Return the transfer syntax in which an instance is served for a requested one."""
    return str(row["transfer_syntax"]) if wanted == ANY_SYNTAX else wanted or DEFAULT_SYNTAX


def content(contents: InstanceStore, row: Row, wanted: str) -> Iterable[bytes]:
    """Return an instance's file in pieces.

    Args:
        contents: the instances of all stores
        row: the row of the instance
        wanted: a transfer syntax, `*` for the stored one, empty for the default

    Raises:
        ApiError: 406, the stored pixels can't be converted to that transfer syntax
        FileNotFoundError: it was deleted after the row was read
    """
    path = contents.blobs.path(row["sha256"])
    syntax = served_transfer_syntax(row, wanted)
    if syntax == row["transfer_syntax"]:
        # Opened now: an open file can be read to its end, even after its deletion.
        return _pieces(path.open("rb"))
    if syntax not in transfer_syntaxes.DICOM:
        raise not_acceptable(
            f"Files are not served in transfer syntax {syntax}. Served here: "
            f"{', '.join(sorted(transfer_syntaxes.DICOM))}."
        )
    return [_transcoded(path, syntax)]


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while piece := file.read(CHUNK_BYTES):
            yield piece


def _transcoded(path: Path, syntax: str) -> bytes:
    dataset = decoding.read(path)
    try:
        with translate_errors():
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
            f"The instance can't be converted to transfer syntax {syntax}: {error}."
        ) from error
    except DECODE_ERRORS as error:
        raise not_acceptable(
            f"The instance can't be converted to transfer syntax {syntax} ({type(error).__name__})."
        ) from error
    return buffer.getvalue()


def _resolve(dataset: pydicom.Dataset) -> None:
    """Look up the VRs that a file leaves out although its transfer syntax has them."""
    if any(getattr(item, "VR", "") is None for item in dataset.values()):
        for _ in dataset.iterall():
            pass


def frame_numbers(text: str, row: Row) -> list[int]:
    """Return the frame numbers of a list such as `1,3`.

    Raises:
        ApiError: 400 for an invalid number, 404 for a frame that does not exist
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
    contents: InstanceStore, row: Row, numbers: list[int], media_type: str, wanted: str
) -> list[tuple[str, bytes]]:
    """Return frames, each with its transfer syntax.

    Args:
        contents: the instances of all stores
        row: the row of the instance
        numbers: frame numbers, from 1
        media_type: the requested media type
        wanted: a transfer syntax, `*` for the stored one, empty for the media type's own

    Raises:
        ApiError: 400 without pixel data, 406 if the frames can't be converted
    """
    dataset = decoding.read(contents.blobs.path(row["sha256"]))
    if not any(keyword in dataset for keyword in stored_frames.PIXELS):
        raise invalid_argument("The instance has no pixel data.")
    try:
        with translate_errors():
            return _frames(dataset, row, numbers, media_type, wanted)
    except NotEncodableError as error:
        raise not_acceptable(
            f"Frames can't be served as {media_type} {wanted}: {error}."
        ) from error
    except DECODE_ERRORS as error:
        raise decoding.undecodable(dataset, error) from error


def _frames(
    dataset: pydicom.FileDataset, row: Row, numbers: list[int], media_type: str, wanted: str
) -> list[tuple[str, bytes]]:
    stored = dataset.file_meta.TransferSyntaxUID
    is_encoded = stored_frames.is_encapsulated(dataset)
    syntax = _syntax_of_frames(stored, is_encoded, media_type, wanted)
    if is_encoded and syntax == stored:
        return [
            (syntax, stored_frames.encapsulated(dataset, one, row["frames"])) for one in numbers
        ]
    if media_type == transfer_syntaxes.OCTET_STREAM:
        frame = decoding.frame if is_encoded else stored_frames.native
        return [(syntax, frame(dataset, one)) for one in numbers]
    return [(syntax, encoding.frame(dataset, one, UID(syntax))) for one in numbers]


def _syntax_of_frames(stored: UID, is_encoded: bool, media_type: str, wanted: str) -> str:
    """Return the transfer syntax of frames, one of those of their media type.

    Raises:
        ApiError: 406, the media type has no such transfer syntax
    """
    if media_type == transfer_syntaxes.OCTET_STREAM:
        # Uncompressed frames are served as values in little-endian order.
        whole = str(stored) if is_encoded else DEFAULT_SYNTAX
        allowed = {"": DEFAULT_SYNTAX, DEFAULT_SYNTAX: DEFAULT_SYNTAX, ANY_SYNTAX: whole}
        allowed |= {whole: whole}
    else:
        known = transfer_syntaxes.COMPRESSED_MEDIA_TYPES[media_type]
        own = {ANY_SYNTAX: str(stored)} if stored in known else {}
        allowed = {one: one for one in known} | {"": own.get(ANY_SYNTAX, known[0])} | own
    if wanted not in allowed:
        raise not_acceptable(
            f"Frames of transfer syntax {stored} can't be served as {media_type}; "
            f"transfer-syntax={wanted}. Served here: {', '.join(filter(None, allowed))}."
        )
    return allowed[wanted]
