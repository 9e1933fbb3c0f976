"""The BigQuery row of an instance, and the schema that this row needs.

Inferred (conformance: bigquery-rows): the form of private elements, and which values are dropped.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field as new
from functools import lru_cache, partial
from typing import Any

from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag

from emulator.services.healthcare.clients import table_schema
from emulator.services.healthcare.clients.table_schema import Schema
from emulator.services.healthcare.dicom.parsing import bigquery_schema as columns
from emulator.services.healthcare.dicom.parsing import element_cache
from emulator.services.healthcare.dicom.parsing.bigquery_schema import Column
from emulator.services.healthcare.dicom.parsing.bigquery_values import convert, text
from emulator.services.healthcare.dicom.parsing.element_values import values_of
from emulator.services.healthcare.dicom.parsing.pydicom_errors import PARSE_ERRORS
from emulator.services.healthcare.dicom.parsing.value_representations import BINARY_VRS

MAX_NESTING = 15
"""BigQuery's limit of nested RECORD columns."""
MAX_SEQUENCE_BYTES = 1 << 20
DROPPED = "DroppedTags"
OTHER = "OtherElements"
_UNSEEN = BINARY_VRS - {"UN"}
"""VRs without a column. The dictionary may know an element of unknown VR by its tag."""

Row = dict[str, Any]


@dataclass
class RowBuilder:
    """Builder of a row: its values, its columns, and the tags that are left out."""

    row: Row = new(default_factory=dict)
    schema: Schema = new(default_factory=dict)
    dropped: list[str] = new(default_factory=list)


def _add_elements(dataset: Dataset, builder: RowBuilder, depth: int) -> None:
    charset = element_cache.charset_of(dataset)
    for tag, item in list(dataset.items()):
        if not tag.element:
            continue  # a group's length: encoding, not data
        if key := element_cache.key_of(item, charset):
            known = _cached_row(key)
            builder.row.update(known.row)
            builder.schema.update(known.schema)
            builder.dropped += known.dropped
        else:
            add_element(dataset, tag, item, builder, depth)


@lru_cache(element_cache.CACHE_SIZE)
def _cached_row(key: element_cache.ElementKey) -> RowBuilder:
    """Return an element's columns, which depend on its bytes alone; shared, so not changed."""
    builder = RowBuilder()
    add(key.element, BaseTag(key.tag), builder, depth=1)
    return builder


def add_element(
    dataset: Dataset,
    tag: BaseTag,
    item: DataElement | RawDataElement,
    builder: RowBuilder,
    depth: int = 1,
) -> None:
    """Add an element of a data set, or of an item at a depth."""
    if isinstance(item, RawDataElement) and item.VR in _UNSEEN and columns.column_of(tag) is None:
        return  # pixels and their like need not be read to be left out
    # What was decoded before need not be looked up, which is slow.
    decoded = item if isinstance(item, DataElement) else None
    add(partial(_element, dataset, tag, decoded), tag, builder, depth)


def _element(dataset: Dataset, tag: BaseTag, decoded: DataElement | None) -> DataElement:
    return dataset[tag] if decoded is None else decoded


def add(
    element: Callable[[], DataElement], tag: BaseTag, builder: RowBuilder, depth: int = 1
) -> None:
    """Add an element that is converted already."""
    column = columns.column_of(tag)
    try:
        if column is None:
            _add_other(element(), builder, depth)
        elif column.vr == "SQ":
            _add_sequence(element(), column.name, builder, depth)
        else:
            _add_value(element(), column, builder)
    except PARSE_ERRORS:
        # A value that can't be read or does not fit its column is named, not guessed.
        builder.dropped.append(column.name if column else f"Tag_{tag:08X}")


def _add_value(element: DataElement, column: Column, builder: RowBuilder) -> None:
    fields = columns.PERSON_NAME if column.vr == "PN" else None
    mode = table_schema.REPEATED if column.repeated else table_schema.NULLABLE
    builder.schema[column.name] = table_schema.field(column.type, mode, fields)
    values = values_of(element)
    filled = [one for one in values if one is not None]
    if column.repeated and values:
        builder.row[column.name] = [convert(one, column.vr, column.type) for one in values]
    elif len(filled) == 1:
        builder.row[column.name] = convert(filled[0], column.vr, column.type)
    elif filled and column.type == table_schema.STRING:
        builder.row[column.name] = "\\".join(text(one) for one in values)
    elif filled:
        raise ValueError("more values than the dictionary allows")


def _add_sequence(element: DataElement, name: str, builder: RowBuilder, depth: int) -> None:
    if element.VR != "SQ":
        raise ValueError("not a sequence")
    if depth >= MAX_NESTING:
        builder.dropped.append(name)
        return
    items, fields, dropped = [], Schema(), []
    for item in element.value:
        inner = RowBuilder(schema=fields)
        _add_elements(item, inner, depth + 1)
        items.append(inner.row)
        dropped += [f"{name}.{one}" for one in inner.dropped]
    if len(json.dumps(items)) > MAX_SEQUENCE_BYTES:
        builder.dropped.append(name)
        return
    builder.dropped += dropped
    builder.schema[name] = table_schema.field(table_schema.RECORD, table_schema.REPEATED, fields)
    if items and table_schema.to_api(fields):
        builder.row[name] = items


def _add_other(element: DataElement, builder: RowBuilder, depth: int) -> None:
    """Add a private or unknown element to the column for others; leave out binary ones."""
    if element.VR == "SQ":
        _add_sequence(element, f"Tag_{element.tag:08X}", builder, depth)
        return
    if element.VR in BINARY_VRS:
        return
    builder.schema[OTHER] = columns.OTHER_ELEMENTS
    entry = {"Tag": f"Tag_{element.tag:08X}", "Data": [text(one) for one in values_of(element)]}
    builder.row.setdefault(OTHER, []).append(entry)
