"""The BigQuery row of an instance, and the schema that this row needs."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field as new
from functools import lru_cache, partial
from typing import Any

from pydicom.dataelem import DataElement, RawDataElement, empty_value_for_VR
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag

from emulator.healthcare.dicom import bigquery_schema as columns
from emulator.healthcare.dicom import elements
from emulator.healthcare.dicom.bigquery_schema import Column, Schema
from emulator.healthcare.dicom.bigquery_values import convert, text
from emulator.healthcare.dicom.malformed import UNREADABLE

MOST_NESTED = 15
"""BigQuery's limit of nested RECORD columns."""
MOST_SEQUENCE_BYTES = 1 << 20
DROPPED = "DroppedTags"
OTHER = "OtherElements"
_UNSEEN = columns.BINARY_VRS - {"UN"}
"""VRs without a column. What is said to be unknown may be known by its tag."""

Row = dict[str, Any]


@dataclass
class Made:
    """A row in the making: its values, its columns, and what had to be left out."""

    row: Row = new(default_factory=dict)
    schema: Schema = new(default_factory=dict)
    dropped: list[str] = new(default_factory=list)


def _values(element: DataElement) -> list[Any]:
    value = element.value
    if value is None or value == "" or value == empty_value_for_VR(element.VR, raw=True):
        return []
    if isinstance(value, MultiValue | list | tuple):
        return list(value)
    return [value]


def _add_elements(dataset: Dataset, made: Made, depth: int) -> None:
    charset = elements.charset_of(dataset)
    for tag, item in list(dataset.items()):
        if not tag.element:
            continue  # a group's length: encoding, not data
        if key := elements.key_of(item, charset):
            known = _known(key)
            made.row.update(known.row)
            made.schema.update(known.schema)
            made.dropped += known.dropped
        else:
            add_element(dataset, tag, item, made, depth)


@lru_cache(elements.REMEMBERED)
def _known(key: elements.Key) -> Made:
    """Give what an element adds that depends on nothing but its bytes; shared, so not changed."""
    made = Made()
    add(key.element, BaseTag(key.tag), made, depth=1)
    return made


def add_element(
    dataset: Dataset, tag: BaseTag, item: DataElement | RawDataElement, made: Made, depth: int = 1
) -> None:
    """Add what an element of a data set, or of an item at a depth, has to add."""
    if isinstance(item, RawDataElement) and item.VR in _UNSEEN and columns.column_of(tag) is None:
        return  # pixels and their like need not be read to be left out
    # What was decoded before need not be looked up, which is slow.
    decoded = item if isinstance(item, DataElement) else None
    add(partial(_element, dataset, tag, decoded), tag, made, depth)


def _element(dataset: Dataset, tag: BaseTag, decoded: DataElement | None) -> DataElement:
    return dataset[tag] if decoded is None else decoded


def add(element: Callable[[], DataElement], tag: BaseTag, made: Made, depth: int = 1) -> None:
    """Add what an element has to add, once it is read."""
    column = columns.column_of(tag)
    try:
        if column is None:
            _add_other(element(), made, depth)
        elif column.vr == "SQ":
            _add_sequence(element(), column.name, made, depth)
        else:
            _add_value(element(), column, made)
    except UNREADABLE:
        # A value that can't be read or does not fit its column is named, not guessed.
        made.dropped.append(column.name if column else f"Tag_{tag:08X}")


def _add_value(element: DataElement, column: Column, made: Made) -> None:
    fields = columns.PERSON_NAME if column.vr == "PN" else None
    mode = columns.REPEATED if column.repeated else columns.NULLABLE
    made.schema[column.name] = columns.field(column.kind, mode, fields)
    values = [one for one in _values(element) if one is not None and one != ""]
    if not values:
        return
    if column.repeated:
        made.row[column.name] = [convert(one, column.vr, column.kind) for one in values]
    elif len(values) == 1:
        made.row[column.name] = convert(values[0], column.vr, column.kind)
    elif column.kind == columns.STRING:
        made.row[column.name] = "\\".join(text(one) for one in values)
    else:
        raise ValueError("more values than the dictionary allows")


def _add_sequence(element: DataElement, name: str, made: Made, depth: int) -> None:
    if element.VR != "SQ":
        raise ValueError("not a sequence")
    if depth >= MOST_NESTED:
        made.dropped.append(name)
        return
    items, fields, dropped = [], Schema(), []
    for item in element.value:
        inner = Made(schema=fields)
        _add_elements(item, inner, depth + 1)
        items.append(inner.row)
        dropped += [f"{name}.{one}" for one in inner.dropped]
    if len(json.dumps(items)) > MOST_SEQUENCE_BYTES:
        made.dropped.append(name)
        return
    made.dropped += dropped
    made.schema[name] = columns.field(columns.RECORD, columns.REPEATED, fields)
    if items and columns.to_api(fields):
        made.row[name] = items


def _add_other(element: DataElement, made: Made, depth: int) -> None:
    """Put a private or unknown element where such ones go; binary ones go nowhere."""
    if element.VR == "SQ":
        _add_sequence(element, f"Tag_{element.tag:08X}", made, depth)
        return
    if element.VR in columns.BINARY_VRS:
        return
    made.schema[OTHER] = columns.OTHER_ELEMENTS
    entry = {"Tag": f"Tag_{element.tag:08X}", "Data": [text(one) for one in _values(element)]}
    made.row.setdefault(OTHER, []).append(entry)
