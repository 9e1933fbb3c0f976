"""Read a DICOM file into the one record that everything else is served from.

Runs in worker processes: no state, no database, only picklable results.
"""

import hashlib
import io
import re
import zlib
from dataclasses import dataclass
from pathlib import Path

import pydicom
from pydicom import config
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset, FileDataset
from pydicom.errors import InvalidDicomError
from pydicom.filereader import _read_file_meta_info, read_preamble

from emulator.healthcare.dicom import attributes, plain_files, texts
from emulator.healthcare.dicom.attributes import DicomJson, Level
from emulator.healthcare.dicom.malformed import UNREADABLE, reading

# pydicom's warnings quote the values that they complain of: patient data, which no log may hold.
config.settings.reading_validation_mode = config.IGNORE

DEFERRED_BYTES = 1 << 20
"""Values longer than this stay on disk while the rest is read."""
MOST_INFLATED_BYTES = 64 << 20
MOST_INFLATION = 20
"""A deflated data set may be this large, or this many times as large as its file."""
_CHUNK_BYTES = 1 << 20
_UID = re.compile(r"[0-9]+(\.[0-9]+)*")
_UID_LENGTH = 64
_TAGS = {
    "StudyInstanceUID": attributes.STUDY_UID,
    "SeriesInstanceUID": attributes.SERIES_UID,
    "SOPInstanceUID": attributes.SOP_UID,
    "SOPClassUID": attributes.SOP_CLASS,
}
_UNDEFINED_LENGTH = 0xFFFFFFFF

_File = io.BytesIO | io.BufferedReader


class ParseError(Exception):
    """The bytes are not a DICOM instance that can be stored; the message says why."""


@dataclass(frozen=True, slots=True)
class Record:
    """All that is known of an instance.

    The four JSON texts: `study`, `series` and `instance` hold what searches return at each level,
    `metadata` the whole DICOM JSON model (PS3.18 F), `row` and `schema` the BigQuery row.
    """

    study_uid: str
    series_uid: str
    sop_uid: str
    sop_class: str
    transfer_syntax: str
    sha256: str
    size: int
    frames: int
    patient_id: str
    patient_name: str
    study_date: str
    accession_number: str
    referring_physician: str
    modality: str
    study: str
    series: str
    instance: str
    metadata: str
    row: str
    schema: str


def _digest(file: _File) -> str:
    file.seek(0)
    return hashlib.file_digest(file, "sha256").hexdigest()


def parse(path: Path, sha256: str | None = None) -> Record:
    """Read an instance.

    Args:
        path: the file.
        sha256: its checksum, where the caller has it already.

    Raises:
        ParseError: no DICOM file, cut off, or without the UIDs that name an instance.
        OSError: the file can't be read.
    """
    size = path.stat().st_size
    if size <= DEFERRED_BYTES:
        return parse_content(path.read_bytes(), sha256)
    with path.open("rb") as file:
        return _parse(file, size, sha256)


def parse_content(content: bytes, sha256: str | None = None) -> Record:
    """Read an instance from the bytes of its file.

    pydicom asks a file for every few bytes, so that a small one is better read at once.

    Raises:
        ParseError: as for `parse`.
    """
    if not content:
        raise ParseError("The file is empty.")
    return _parse(io.BytesIO(content), len(content), sha256)


def _parse(file: _File, size: int, sha256: str | None) -> Record:
    dataset = _read(file, size)
    try:
        with reading():
            return _record(dataset, sha256 or _digest(file), size)
    except UNREADABLE as error:
        raise ParseError(f"Invalid DICOM file: {_harmless(error)}.") from error


def _harmless(error: BaseException) -> str:
    """Name an error without its text, which may quote a patient's data."""
    return f"its content can't be decoded ({type(error).__name__})"


def _read(file: _File, size: int) -> Dataset:
    try:
        with reading():
            if isinstance(file, io.BytesIO) and (plain := plain_files.read(file.getvalue())):
                return plain
            _refuse_bomb(file, max(MOST_INFLATED_BYTES, size * MOST_INFLATION))
            dataset = pydicom.dcmread(file, defer_size=DEFERRED_BYTES, force=False)
            _refuse_truncated(dataset, size)
    except InvalidDicomError as error:
        raise ParseError("Not a DICOM file: the DICM prefix is missing.") from error
    except UNREADABLE as error:
        raise ParseError(f"Invalid DICOM file: {_harmless(error)}.") from error
    return dataset


def _refuse_bomb(file: _File, most: int) -> None:
    """Check, in little memory, that a deflated data set is not far larger than its file.

    Raises:
        ParseError: it inflates to more than so many bytes.
        Exception: what pydicom raises on a file that is none, zlib on a damaged stream.
    """
    read_preamble(file, force=False)
    meta = _read_file_meta_info(file)
    if meta.get("TransferSyntaxUID") == pydicom.uid.DeflatedExplicitVRLittleEndian:
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        inflated, waiting = 0, file.read(_CHUNK_BYTES)
        while waiting and not inflater.eof:
            inflated += len(inflater.decompress(waiting, _CHUNK_BYTES))
            if inflated > most:
                raise ParseError(f"The data set of the DICOM file inflates to over {most} bytes.")
            waiting = inflater.unconsumed_tail or file.read(_CHUNK_BYTES)
    file.seek(0)


def _refuse_truncated(dataset: FileDataset, size: int) -> None:
    """Check that the last value ends where the file ends; pydicom accepts less.

    Raises:
        ParseError: it does not.
    """
    if not len(dataset):
        raise ParseError("The DICOM file is truncated: it has no data set.")
    if dataset.file_meta.get("TransferSyntaxUID") == pydicom.uid.DeflatedExplicitVRLittleEndian:
        return  # offsets are those of the inflated stream, whose end zlib has checked
    element = max(dataset.values(), key=_place)
    if not isinstance(element, RawDataElement) or element.length == _UNDEFINED_LENGTH:
        return
    if element.value_tell + element.length != size:
        raise ParseError("The DICOM file is truncated: its last element is cut off.")


def _place(element: DataElement | RawDataElement) -> int:
    """Tell where an element stands in its file; their order may not be that of their tags."""
    if isinstance(element, RawDataElement):
        return element.value_tell
    return element.file_tell or 0


def _uid(metadata: DicomJson, keyword: str) -> str:
    values = metadata.get(_TAGS[keyword], {}).get("Value") or [""]
    value = str(values[0]).strip()
    if not value:
        raise ParseError(f"The DICOM file has no {keyword}.")
    if len(values) > 1:
        raise ParseError(f"The DICOM file's {keyword} is not a valid UID.")
    return _valid_uid(keyword, value)


def _valid_uid(keyword: str, value: str) -> str:
    """Give back a UID that is one: paths and headers of HTTP are made of them."""
    if len(value) > _UID_LENGTH or not _UID.fullmatch(value):
        raise ParseError(f"The DICOM file's {keyword} is not a valid UID.")
    return value


def _record(dataset: Dataset, sha256: str, size: int) -> Record:
    syntax = str(dataset.file_meta.get("TransferSyntaxUID") or "").strip()
    if not syntax:
        raise ParseError("The DICOM file has no TransferSyntaxUID.")
    made = texts.of(dataset)
    metadata = made.model
    return Record(
        study_uid=_uid(metadata, "StudyInstanceUID"),
        series_uid=_uid(metadata, "SeriesInstanceUID"),
        sop_uid=_uid(metadata, "SOPInstanceUID"),
        sop_class=_uid(metadata, "SOPClassUID"),
        transfer_syntax=_valid_uid("TransferSyntaxUID", syntax),
        sha256=sha256,
        size=size,
        frames=int(attributes.first(metadata, "00280008") or 1),
        patient_id=attributes.first(metadata, "00100020"),
        patient_name=attributes.first(metadata, "00100010"),
        study_date=attributes.first(metadata, "00080020"),
        accession_number=attributes.first(metadata, "00080050"),
        referring_physician=attributes.first(metadata, "00080090"),
        modality=attributes.first(metadata, "00080060"),
        study=made.part(Level.STUDY),
        series=made.part(Level.SERIES),
        instance=made.part(Level.INSTANCE),
        metadata=made.metadata(),
        row=made.row(),
        schema=made.schema(),
    )
