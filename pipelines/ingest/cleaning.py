"""Files of DICOM against the rules: each is taken as it is, fixed, or rejected with a reason.

Reasons name rules and attributes, never values, which may be data of a patient.
"""

import io
from dataclasses import dataclass

import pydicom
from pydicom import config
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.errors import InvalidDicomError
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from pipelines.ingest.rules import Rule, Rules

_IDENTITY = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
_UNDEFINED_LENGTH = 0xFFFFFFFF
_PIXEL_DATA = 0x7FE00010


class Rejected(Exception):  # noqa: N818 (a verdict)
    """A file that is not stored, with the reason."""


@dataclass(frozen=True)
class Cleaned:
    """A file that may be stored.

    Attributes:
        content: its bytes: those of before if nothing was fixed
        path: `studies/UID/series/UID/instances/UID`
        fixes: names of the rules that changed it
    """

    content: bytes
    path: str
    fixes: tuple[str, ...]


def clean(content: bytes, rules: Rules) -> Cleaned:
    """Return a file as it may be stored.

    Raises:
        Rejected: it is not a valid DICOM file, or breaks a rule
    """
    dataset = read(content)
    fixes = _complete_meta(dataset)
    _check_accepted(dataset, rules)
    for rule in rules.rules:
        if _apply(rule, dataset):
            fixes.append(rule.name)
    for keyword in _IDENTITY:
        if not dataset.get(keyword):
            raise Rejected(f"{keyword} is missing")
    if fixes:
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    study, series, instance = (dataset[keyword].value for keyword in _IDENTITY)
    path = f"studies/{study}/series/{series}/instances/{instance}"
    return Cleaned(_written(dataset) if fixes else content, path, tuple(fixes))


def read(content: bytes) -> FileDataset:
    """Return the data set of a file, which may lack its preamble.

    Raises:
        Rejected: it is not a valid DICOM file, or ends too early
    """
    if not content:
        raise Rejected("the file is empty")
    config.settings.reading_validation_mode = config.IGNORE
    try:
        dataset = _parsed(content)
    except InvalidDicomError as error:
        raise Rejected("not a DICOM file") from error
    except Exception as error:  # pydicom raises whatever a damaged file leads it into
        raise Rejected(f"the file can't be parsed ({type(error).__name__})") from error
    _check_whole(dataset)
    return dataset


def _parsed(content: bytes) -> FileDataset:
    try:
        return pydicom.dcmread(io.BytesIO(content))
    except InvalidDicomError:
        dataset = pydicom.dcmread(io.BytesIO(content), force=True)
        # Any bytes are some data set by force: without this attribute they are taken for none.
        if not dataset.get("SOPClassUID"):
            raise
        return dataset


def _check_whole(dataset: Dataset) -> None:
    """Refuse a file that ends within its pixels, which pydicom accepts."""
    element = dataset.get_item(_PIXEL_DATA) if _PIXEL_DATA in dataset else None
    length = getattr(element, "length", _UNDEFINED_LENGTH)
    value = getattr(element, "value", None) or b""
    if length not in (None, _UNDEFINED_LENGTH) and len(value) < length:
        raise Rejected("the file ends within its pixel data")


def _complete_meta(dataset: FileDataset) -> list[str]:
    """Complete the file meta information; return what was fixed."""
    meta = getattr(dataset, "file_meta", None) or FileMetaDataset()
    dataset.file_meta = meta
    if meta.get("TransferSyntaxUID") and dataset.preamble:
        return []
    if not meta.get("TransferSyntaxUID"):
        implicit = dataset.original_encoding[0]
        meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = dataset.get("SOPClassUID", "")
    return ["file meta information"]


def _check_accepted(dataset: FileDataset, rules: Rules) -> None:
    sop_class = str(dataset.get("SOPClassUID", ""))
    syntax = str(dataset.file_meta.TransferSyntaxUID)
    if not sop_class:
        raise Rejected("SOPClassUID is missing")
    if rules.sop_classes and sop_class not in rules.sop_classes:
        raise Rejected(f"the SOP class {sop_class} is not accepted by the rules")
    if rules.transfer_syntaxes and syntax not in rules.transfer_syntaxes:
        raise Rejected(f"the transfer syntax {syntax} is not accepted by the rules")


def _apply(rule: Rule, dataset: Dataset) -> bool:
    """Apply a rule; return whether it changed the data set."""
    text = _text(dataset, rule.attribute)
    if not rule.applies(text):
        return False
    if rule.action == "reject":
        raise Rejected(f"{rule.attribute} breaks the rule {rule.name!r}")
    fixed = rule.fixed(text)
    if fixed is None:
        del dataset[rule.attribute]
        return True
    if rule.condition != "always" and rule.applies(fixed):
        raise Rejected(f"{rule.attribute} breaks the rule {rule.name!r}, and its fix does not help")
    if fixed == text:
        return False
    setattr(dataset, rule.attribute, fixed)
    return True


def _text(dataset: Dataset, keyword: str) -> str | None:
    """Return the value of an attribute, as text; None if there is none."""
    try:
        value = dataset.get(keyword)
    except Exception as error:  # a value that its representation does not allow
        raise Rejected(f"{keyword} can't be read ({type(error).__name__})") from error
    if value is None:
        return None if keyword not in dataset else ""
    if isinstance(value, (list, tuple)) or type(value).__name__ == "MultiValue":
        return "\\".join(map(str, value))
    return str(value)


def _written(dataset: FileDataset) -> bytes:
    buffer = io.BytesIO()
    config.settings.writing_validation_mode = config.IGNORE
    try:
        dataset.save_as(buffer, enforce_file_format=True)
    except Exception as error:  # pydicom raises whatever the values lead it into
        raise Rejected(f"the fixed file can't be written ({type(error).__name__})") from error
    return buffer.getvalue()
