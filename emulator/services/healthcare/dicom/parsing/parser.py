"""Parse a DICOM file into the record from which every response is served.

Runs in worker processes: no state, no database, only picklable results.

Inferred (conformance: stow-not-dicom-text, stow-no-study-text, import-not-dicom-text,
import-empty-text): the reasons of failures.
"""

import hashlib
import io
import re
import zlib
from dataclasses import dataclass
from pathlib import Path

import pydicom
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset, FileDataset
from pydicom.errors import InvalidDicomError
from pydicom.filereader import read_preamble

from emulator.services.healthcare.dicom.parsing import attributes, explicit_vr_reader, instance_json
from emulator.services.healthcare.dicom.parsing.attributes import DicomJson, Level
from emulator.services.healthcare.dicom.parsing.file_meta import read_file_meta
from emulator.services.healthcare.dicom.parsing.match_values import (
    Values,
    first_value,
    fold_name,
    other_values,
)
from emulator.services.healthcare.dicom.parsing.pydicom_errors import PARSE_ERRORS, translate_errors

DEFERRED_BYTES = 1 << 20
"""Values longer than this stay on disk while the rest is read."""
MAX_INFLATED_BYTES = 64 << 20
MAX_INFLATION_RATIO = 20
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
    """Everything that is stored of an instance, but for its file.

    The JSON texts: `study`, `series` and `instance` hold what searches return at each level,
    `metadata` the whole DICOM JSON model (PS3.18 F), `row` and `schema` the BigQuery row.
    `other_values` are what searches match besides the columns of the index.
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
    patient_name_folded: str
    referring_physician_folded: str
    other_values: Values
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
    """Parse the file of an instance.

    Args:
        path: the file
        sha256: its checksum, if the caller knows it

    Raises:
        ParseError: not a DICOM file, truncated, or without the UIDs of an instance
        OSError: the file can't be read
    """
    size = path.stat().st_size
    if size <= DEFERRED_BYTES:
        return parse_content(path.read_bytes(), sha256)
    with path.open("rb") as file:
        return _parse(file, size, sha256)


def parse_content(content: bytes, sha256: str | None = None) -> Record:
    """Parse an instance from the bytes of its file.

    pydicom asks a file for every few bytes, so that a small one is better read at once.

    Raises:
        ParseError: as for `parse`
    """
    if not content:
        raise ParseError("The file is empty.")
    return _parse(io.BytesIO(content), len(content), sha256)


def _parse(file: _File, size: int, sha256: str | None) -> Record:
    dataset = _read(file, size)
    try:
        with translate_errors():
            return _record(dataset, sha256 or _digest(file), size)
    except PARSE_ERRORS as error:
        raise ParseError(f"Invalid DICOM file: {_harmless(error)}.") from error


def _harmless(error: BaseException) -> str:
    """Return an error's name without its text, which may quote patient data."""
    return f"its content can't be decoded ({type(error).__name__})"


def _read(file: _File, size: int) -> Dataset:
    try:
        with translate_errors():
            if isinstance(file, io.BytesIO) and (
                plain := explicit_vr_reader.read_explicit_vr_le(file.getvalue())
            ):
                return plain
            _refuse_bomb(file, max(MAX_INFLATED_BYTES, size * MAX_INFLATION_RATIO))
            dataset = pydicom.dcmread(file, defer_size=DEFERRED_BYTES, force=False)
            _refuse_truncated(dataset, size)
    except InvalidDicomError as error:
        raise ParseError("Not a DICOM file: the DICM prefix is missing.") from error
    except PARSE_ERRORS as error:
        raise ParseError(f"Invalid DICOM file: {_harmless(error)}.") from error
    return dataset


def _refuse_bomb(file: _File, max_bytes: int) -> None:
    """Check, with little memory, that a deflated data set is not far larger than its file.

    Raises:
        ParseError: it inflates to more bytes than allowed
        Exception: of pydicom for an invalid file, of zlib for a damaged stream
    """
    read_preamble(file, force=False)
    meta = read_file_meta(file)
    if meta.get("TransferSyntaxUID") == pydicom.uid.DeflatedExplicitVRLittleEndian:
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        inflated, waiting = 0, file.read(_CHUNK_BYTES)
        while waiting and not inflater.eof:
            inflated += len(inflater.decompress(waiting, _CHUNK_BYTES))
            if inflated > max_bytes:
                raise ParseError(
                    f"The data set of the DICOM file inflates to over {max_bytes} bytes."
                )
            waiting = inflater.unconsumed_tail or file.read(_CHUNK_BYTES)
    file.seek(0)


def _refuse_truncated(dataset: FileDataset, size: int) -> None:
    """Check that the last value ends where the file ends; pydicom accepts less.

    Raises:
        ParseError: the file is truncated
    """
    if not len(dataset):
        raise ParseError("The DICOM file is truncated: it has no data set.")
    if dataset.file_meta.get("TransferSyntaxUID") == pydicom.uid.DeflatedExplicitVRLittleEndian:
        return  # offsets are those of the inflated stream, whose end zlib has checked
    element = max(dataset.values(), key=_offset)
    if not isinstance(element, RawDataElement) or element.length == _UNDEFINED_LENGTH:
        return
    if element.value_tell + element.length != size:
        raise ParseError("The DICOM file is truncated: its last element is cut off.")


def _offset(element: DataElement | RawDataElement) -> int:
    """Return the offset of an element in its file, whose order may not be that of the tags."""
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
    """Return a UID if it is valid: it becomes part of paths and headers."""
    if len(value) > _UID_LENGTH or not _UID.fullmatch(value):
        raise ParseError(f"The DICOM file's {keyword} is not a valid UID.")
    return value


def _record(dataset: Dataset, sha256: str, size: int) -> Record:
    syntax = str(dataset.file_meta.get("TransferSyntaxUID") or "").strip()
    if not syntax:
        raise ParseError("The DICOM file has no TransferSyntaxUID.")
    instance = instance_json.serialize(dataset)
    metadata = instance.model
    patient_name = first_value(metadata, "00100010")
    referring_physician = first_value(metadata, "00080090")
    return Record(
        study_uid=_uid(metadata, "StudyInstanceUID"),
        series_uid=_uid(metadata, "SeriesInstanceUID"),
        sop_uid=_uid(metadata, "SOPInstanceUID"),
        sop_class=_uid(metadata, "SOPClassUID"),
        transfer_syntax=_valid_uid("TransferSyntaxUID", syntax),
        sha256=sha256,
        size=size,
        frames=attributes.frame_count(attributes.first(metadata, attributes.NUMBER_OF_FRAMES)),
        patient_id=first_value(metadata, "00100020"),
        patient_name=patient_name,
        study_date=first_value(metadata, "00080020"),
        accession_number=first_value(metadata, "00080050"),
        referring_physician=referring_physician,
        modality=first_value(metadata, "00080060"),
        patient_name_folded=fold_name(patient_name),
        referring_physician_folded=fold_name(referring_physician),
        other_values=other_values(metadata),
        study=instance.attributes_at(Level.STUDY),
        series=instance.attributes_at(Level.SERIES),
        instance=instance.attributes_at(Level.INSTANCE),
        metadata=instance.metadata(),
        row=instance.row(),
        schema=instance.schema(),
    )
