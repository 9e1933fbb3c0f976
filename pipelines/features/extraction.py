"""Features of one instance: from its metadata, and from its pixels."""

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
import pydicom

UNCOMPRESSED = "1.2.840.10008.1.2.1"
"""Explicit VR Little Endian, in which pixels are asked for: the service decodes them."""

Row = dict[str, Any]
_TEXTS = {
    "study_uid": "0020000D",
    "series_uid": "0020000E",
    "instance_uid": "00080018",
    "sop_class_uid": "00080016",
    "modality": "00080060",
    "body_part": "00180015",
    "manufacturer": "00080070",
    "model": "00081090",
    "photometric_interpretation": "00280004",
}
_INTEGERS = {
    "rows": "00280010",
    "columns": "00280011",
    "frames": "00280008",
    "bits_stored": "00280101",
}
_FLOATS = {"slice_thickness": "00180050", "kvp": "00180060"}
_STUDY_DATE, _SPACING = "00080020", "00280030"
TAGS = (*_TEXTS.values(), _STUDY_DATE, *_INTEGERS.values(), *_FLOATS.values(), _SPACING)
"""Of the attributes that features are made of."""
_MEASURES = ("pixel_min", "pixel_max", "pixel_mean", "pixel_stddev")
COLUMNS: Mapping[str, str] = {
    **dict.fromkeys(_TEXTS, "STRING"),
    "study_date": "DATE",
    **dict.fromkeys(_INTEGERS, "INT64"),
    **dict.fromkeys(_FLOATS, "FLOAT64"),
    "row_spacing": "FLOAT64",
    "column_spacing": "FLOAT64",
    **dict.fromkeys(_MEASURES, "FLOAT64"),
}
"""Column -> its type in BigQuery."""


def from_metadata(instance: Mapping[str, Any]) -> Row:
    """Return the features in the attributes of an instance; those that lack are None.

    Args:
        instance: in the DICOM JSON model
    """
    row: Row = dict.fromkeys(COLUMNS)
    row.update({name: _text(instance, tag) for name, tag in _TEXTS.items()})
    row.update({name: _number(instance, tag, int) for name, tag in _INTEGERS.items()})
    row.update({name: _number(instance, tag, float) for name, tag in _FLOATS.items()})
    row["study_date"] = _date(_text(instance, _STUDY_DATE))
    row["row_spacing"] = _number(instance, _SPACING, float)
    row["column_spacing"] = _number(instance, _SPACING, float, 1)
    return row


class UndecodableError(Exception):
    """Pixels that can't be decoded here."""


def from_pixels(content: bytes) -> Row:
    """Return the features of the pixels of a file; none without pixels.

    Raises:
        UndecodableError: there is no decoder of its transfer syntax, or they are damaged
    """
    dataset = pydicom.dcmread(io.BytesIO(content))
    if "PixelData" not in dataset:
        return {}
    try:
        pixels = np.asarray(dataset.pixel_array, dtype=np.float64)
    except Exception as error:  # each decoder raises its own
        raise UndecodableError(type(error).__name__) from error
    values = (pixels.min(), pixels.max(), pixels.mean(), pixels.std())
    return {name: float(value) for name, value in zip(_MEASURES, values, strict=True)}


def path_of(row: Row) -> str:
    """Return `studies/UID/series/UID/instances/UID`."""
    return f"studies/{row['study_uid']}/series/{row['series_uid']}/instances/{row['instance_uid']}"


def _value(instance: Mapping[str, Any], tag: str, index: int = 0) -> Any:
    values = instance.get(tag, {}).get("Value") or []
    return values[index] if index < len(values) else None


def _text(instance: Mapping[str, Any], tag: str) -> str | None:
    value = _value(instance, tag)
    return None if value is None else str(value)


def _number(instance: Mapping[str, Any], tag: str, type_: type, index: int = 0) -> Any:
    try:
        return type_(_value(instance, tag, index))
    except (TypeError, ValueError):
        return None


def _date(text: str | None) -> str | None:
    if text is None or len(text) != len("20240131") or not text.isdecimal():
        return None
    return f"{text[:4]}-{text[4:6]}-{text[6:]}"
