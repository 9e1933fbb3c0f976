"""The DICOM JSON model (PS3.18 F) of an instance; bulk data is chosen as the Healthcare API does.

https://cloud.google.com/healthcare-api/docs/dicom#bulkdata_definition

Inferred (conformance: json-private, json-nested-private, json-empty, json-bulk-data): the URIs of
bulk data, also in items, and elements without a value.
"""

import json
from functools import lru_cache
from typing import Any

import pydicom
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag

from emulator.services.healthcare.dicom.parsing import byte_order, element_cache, json_values
from emulator.services.healthcare.dicom.parsing.attributes import DicomJson
from emulator.services.healthcare.dicom.parsing.element_values import values_of
from emulator.services.healthcare.dicom.parsing.pydicom_errors import PARSE_ERRORS
from emulator.services.healthcare.dicom.parsing.value_representations import BINARY_VRS

PIXEL_DATA = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})
MAX_INLINE_BYTES = 2 << 10
MAX_INLINE_VALUES = 512
MAX_SEQUENCE_BYTES = 1 << 20
"""Larger sequences are left out: a sequence has no BulkDataURI."""
_WORDS = frozenset({"OD", "OF", "OL", "OV"})
"""VRs whose long values are bulk data."""
_NUMBERS = frozenset({"AT", "FD", "FL", "UL", "US", "SV", "UV"})
"""VRs whose elements with many values are bulk data."""
_PLACEHOLDER = "$INSTANCE"
_REFERENCE = f'"BulkDataURI":"{_PLACEHOLDER}'


def is_too_long(element: dict[str, Any]) -> bool:
    """Whether an element is a sequence that a model leaves out."""
    return element["vr"] == "SQ" and len(json.dumps(element)) > MAX_SEQUENCE_BYTES


def with_references(text: str, url: str) -> str:
    """Return a model, as JSON without spaces, with the instance's URL in its references."""
    # In stored JSON only a reference has this key with this beginning: no text forges it.
    return text.replace(f"{_REFERENCE}/", f'"BulkDataURI":"{url}/')


def has_references(text: str) -> bool:
    """Whether a model, as JSON without spaces, refers to any bulk data."""
    return _REFERENCE in text


def refers_to(text: str, where: str) -> bool:
    """Whether a model, as JSON without spaces, refers to a value."""
    return f'{_REFERENCE}/bulkdata/{where}"' in text


def without_references(model: DicomJson) -> DicomJson:
    """Return a model without bulk data, in sequences too."""
    return {
        tag: {**element, "Value": [without_references(item) for item in element["Value"]]}
        if element["vr"] == "SQ" and "Value" in element
        else element
        for tag, element in model.items()
        if "BulkDataURI" not in element
    }


def _model(dataset: pydicom.Dataset, path: str, swap: bool) -> DicomJson:
    """Return the model of a data set or of an item.

    Args:
        dataset: the data set or item
        path: where the item is: tags and item numbers, each ended by a slash
        swap: whether the words of binary values are big-endian
    """
    charset = element_cache.charset_of(dataset)
    return {
        f"{tag:08X}": element_of(dataset, tag, charset, path, swap)
        for tag in dataset.keys()  # noqa: SIM118 - iterating a Dataset decodes every element
        if tag.element
    }


def element_of(
    dataset: pydicom.Dataset, tag: BaseTag, charset: element_cache.Charset, path: str, swap: bool
) -> dict[str, Any]:
    """Return the model of one element; shared, so not changed.

    Args:
        dataset: the data set or item that holds it
        tag: its tag
        charset: the data set's
        path: where the item is: tags and item numbers, each ended by a slash
        swap: whether the words of binary values are big-endian
    """
    key = f"{tag:08X}"
    raw: object = dataset.get_item(tag, keep_deferred=True)
    if tag in PIXEL_DATA:
        # Never looked at: it may be long, and is left on the disk.
        model = _reference(getattr(raw, "VR", None) or "OW", path + key)
    else:
        try:
            known = element_cache.key_of(raw, charset)
            model = _cached_json(known) if known else _element(dataset[tag], path, key, swap)
        except PARSE_ERRORS:
            model = _unreadable(path + key)
    if isinstance(raw, RawDataElement) and raw.length == 0 and "BulkDataURI" in model:
        return {"vr": model["vr"]}
    return model


def element_of_key(key: element_cache.ElementKey) -> dict[str, Any]:
    """Return the model of an element of an instance, by all that it depends on."""
    name = f"{key.tag:08X}"
    try:
        return _element(key.element(), "", name, swap=not key.little_endian)
    except PARSE_ERRORS:
        return _unreadable(name) if key.value else {"vr": "UN"}


@lru_cache(element_cache.CACHE_SIZE)
def _cached_json(key: element_cache.ElementKey) -> dict[str, Any]:
    """Return an element that neither refers to bulk data nor depends on its place; shared."""
    return _element(key.element(), "", f"{key.tag:08X}", swap=False)


def _unreadable(where: str) -> dict[str, Any]:
    """Return a value that can't be decoded as bulk data, with the bytes of the file."""
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
        element = DataElement(element.tag, vr, byte_order.swap(element.value, vr))
    if vr in BINARY_VRS:
        return element.to_json_dict(None, 0)
    values = [json_values.convert(value, vr) for value in values_of(element)]
    return {"vr": vr, "Value": values} if values else {"vr": vr}


def _is_bulk(vr: str, value: Any) -> bool:
    if isinstance(value, bytes) and vr not in _WORDS:
        return bool(value)
    if vr in _WORDS:
        return bool(value) and len(value) > MAX_INLINE_BYTES
    return (
        vr in _NUMBERS and isinstance(value, MultiValue | list) and len(value) > MAX_INLINE_VALUES
    )
