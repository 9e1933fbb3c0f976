"""The DICOM JSON model (PS3.18 F) of an instance, with the service's idea of what is bulk data.

https://cloud.google.com/healthcare-api/docs/dicom#bulkdata_definition
"""

import json
import math
from functools import lru_cache
from typing import Any

import pydicom
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag

from emulator.healthcare.dicom import elements
from emulator.healthcare.dicom.attributes import DicomJson
from emulator.healthcare.dicom.malformed import UNREADABLE

PIXEL_DATA = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})
MOST_INLINE_BYTES = 2 << 10
MOST_INLINE_VALUES = 512
MOST_SEQUENCE_BYTES = 1 << 20
"""Sequences that are larger are left out: they have no BulkDataURI either."""
_WORDS = {"OF": 4, "OL": 4, "OD": 8, "OV": 8}
"""Bytes of a word of the VRs that are bulk data where they are long."""
_NUMBERS = frozenset({"AT", "FD", "FL", "UL", "US", "SV", "UV"})
"""VRs that are bulk data where they have many values."""
_PLACEHOLDER = "$INSTANCE"
_REFERENCE = f'"BulkDataURI":"{_PLACEHOLDER}'


def is_too_long(element: dict[str, Any]) -> bool:
    """Tell whether an element is a sequence that a model leaves out."""
    return element["vr"] == "SQ" and len(json.dumps(element)) > MOST_SEQUENCE_BYTES


def with_references(text: str, url: str) -> str:
    """Put an instance's URL into the references of its model, which is JSON without spaces."""
    # In stored JSON only a reference has this key with this beginning: no text forges it.
    return text.replace(f"{_REFERENCE}/", f'"BulkDataURI":"{url}/')


def refers_to(text: str, where: str) -> bool:
    """Tell whether a model, as JSON without spaces, has a reference to a value."""
    return f'{_REFERENCE}/bulkdata/{where}"' in text


def without_references(made: DicomJson) -> DicomJson:
    """Leave out what is bulk data, in sequences too."""
    return {
        tag: {**element, "Value": [without_references(item) for item in element["Value"]]}
        if element["vr"] == "SQ" and "Value" in element
        else element
        for tag, element in made.items()
        if "BulkDataURI" not in element
    }


def is_big_endian(dataset: pydicom.Dataset) -> bool:
    """Tell whether the words of an instance's binary values are big-endian."""
    meta = getattr(dataset, "file_meta", {})
    return bool(meta.get("TransferSyntaxUID") == pydicom.uid.ExplicitVRBigEndian)


def _model(dataset: pydicom.Dataset, path: str, swap: bool) -> DicomJson:
    """Give the model of a data set or of an item.

    Args:
        dataset: the data set or item.
        path: where the item is: tags and item numbers, each ended by a slash.
        swap: whether the words of binary values are big-endian.
    """
    charset = elements.charset_of(dataset)
    return {
        f"{tag:08X}": element_of(dataset, tag, charset, path, swap)
        for tag in dataset.keys()  # noqa: SIM118 - iterating a Dataset decodes every element
        if tag.element
    }


def element_of(
    dataset: pydicom.Dataset, tag: BaseTag, charset: elements.Charset, path: str, swap: bool
) -> dict[str, Any]:
    """Give the model of one element; shared, so not changed.

    Args:
        dataset: the data set or item that holds it.
        tag: its tag.
        charset: the data set's.
        path: where the item is: tags and item numbers, each ended by a slash.
        swap: whether the words of binary values are big-endian.
    """
    key = f"{tag:08X}"
    raw: object = dataset.get_item(tag, keep_deferred=True)
    if tag in PIXEL_DATA:
        # Never looked at: it may be long, and is left on the disk.
        made = _reference(getattr(raw, "VR", None) or "OW", path + key)
    else:
        try:
            known = elements.key_of(raw, charset)
            made = _known(known) if known else _element(dataset[tag], path, key, swap)
        except UNREADABLE:
            made = _unreadable(path + key)
    if isinstance(raw, RawDataElement) and raw.length == 0 and "BulkDataURI" in made:
        return {"vr": made["vr"]}
    return made


def element_of_key(key: elements.Key) -> dict[str, Any]:
    """Give the model of an element of an instance, by all that it depends on."""
    name = f"{key.tag:08X}"
    try:
        return _element(key.element(), "", name, swap=not key.little_endian)
    except UNREADABLE:
        return _unreadable(name) if key.value else {"vr": "UN"}


@lru_cache(elements.REMEMBERED)
def _known(key: elements.Key) -> dict[str, Any]:
    """Give an element that neither refers to bulk data nor depends on its place; shared."""
    return _element(key.element(), "", f"{key.tag:08X}", swap=False)


def _unreadable(where: str) -> dict[str, Any]:
    """Leave a value that can't be decoded to the bulk data, in the file's own bytes."""
    return _reference("UN", where)


def _reference(vr: str, where: str) -> dict[str, Any]:
    return {"vr": vr, "BulkDataURI": f"{_PLACEHOLDER}/bulkdata/{where}"}


def _element(element: DataElement, path: str, key: str, swap: bool) -> dict[str, Any]:
    vr = element.VR
    if vr == "SQ":
        items = [
            _model(item, f"{path}{key}/{number}/", swap)
            for number, item in enumerate(element.value)
        ]
        return {"vr": vr, "Value": items} if items else {"vr": vr}
    if _is_bulk(vr, element.value):
        return _reference(vr, path + key)
    if vr in _WORDS and swap and element.value:
        element = DataElement(element.tag, vr, _swapped(element.value, _WORDS[vr]))
    made = element.to_json_dict(None, 0)
    if vr in ("FL", "FD") and "Value" in made:
        made["Value"] = [_number(value) for value in made["Value"]]
    return made


def _is_bulk(vr: str, value: Any) -> bool:
    if isinstance(value, bytes) and vr not in _WORDS:
        return bool(value)
    if vr in _WORDS:
        return bool(value) and len(value) > MOST_INLINE_BYTES
    return (
        vr in _NUMBERS and isinstance(value, MultiValue | list) and len(value) > MOST_INLINE_VALUES
    )


def _swapped(value: bytes, size: int) -> bytes:
    return b"".join(value[at : at + size][::-1] for at in range(0, len(value), size))


def _number(value: float | None) -> float | str | None:
    """Give a number; JSON has no form for three of them (PS3.18 F.2.3.1)."""
    if value is None or math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else ("inf" if value > 0 else "-inf")
