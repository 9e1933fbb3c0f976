"""The JSON texts of an instance, joined from the cached texts of its elements.

An element that was seen before costs a look-up: neither its values nor their JSON are made again.
"""

import json
from collections.abc import Iterator
from functools import lru_cache
from operator import itemgetter
from typing import Any, NamedTuple

from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag

from emulator.services.healthcare.dicom.parsing import (
    attributes,
    bigquery_rows,
    byte_order,
    dicom_json,
    element_cache,
)
from emulator.services.healthcare.dicom.parsing.attributes import DicomJson, Level
from emulator.services.healthcare.dicom.parsing.bigquery_rows import DROPPED, OTHER, RowBuilder

_TEXT_CACHE_SIZE = 1 << 12
"""Size of the cache of elements' texts, of which some have several KB."""
_SCHEMA_CACHE_SIZE = 1 << 8
_RETURNED = {level: sorted(tags) for level, tags in attributes.RETURNED.items()}


def compact(value: Any) -> str:
    """Return JSON without spaces, keys sorted: equal values have equal texts."""
    return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)


class _Element(NamedTuple):
    """An element's part of the texts of its instance; shared, so not changed.

    `text` is `model` with its tag; empty for what the model leaves out. `row` and `schema` hold
    the text of each column's value and type.
    """

    model: dict[str, Any]
    text: str
    row: dict[str, str]
    schema: dict[str, str]
    dropped: list[str]


class InstanceJson:
    """The texts of an instance: the DICOM JSON model, its parts, the BigQuery row.

    References to bulk data begin with a placeholder: `dicom_json.with_references` puts in the
    instance's URL, which depends on how a caller comes here.

    Attributes:
        model: the DICOM JSON model's elements by tag, without those that it leaves out
    """

    def __init__(self) -> None:
        self.model: DicomJson = {}
        self._texts: dict[str, str] = {}
        self._row: dict[str, str] = {}
        self._schema: dict[str, str] = {}
        self._dropped: list[str] = []

    def add(self, tag: int, element: _Element) -> None:
        """Add an element; called in the order of the tags."""
        if element.text:
            key = f"{tag:08X}"
            self.model[key] = element.model
            self._texts[key] = element.text
        self.add_column(element)

    def add_column(self, element: _Element) -> None:
        """Add an element to the BigQuery row only."""
        others = self._row.get(OTHER)
        self._row.update(element.row)
        if others and OTHER in element.row:  # two lists become one
            self._row[OTHER] = f"{others[:-1]},{element.row[OTHER][1:]}"
        self._schema.update(element.schema)
        self._dropped += element.dropped

    def metadata(self) -> str:
        """Return the whole model."""
        return "{" + ",".join(self._texts.values()) + "}"

    def attributes_at(self, level: Level) -> str:
        """Return the attributes of one level that a search returns."""
        parts = [self._texts[tag] for tag in _RETURNED[level] if tag in self._texts]
        return "{" + ",".join(parts) + "}"

    def row(self) -> str:
        """Return the BigQuery row; empty elements are absent."""
        if not self._dropped:
            return _object(self._row)
        return _object({**self._row, DROPPED: compact(self._dropped)})

    def schema(self) -> str:
        """Return the columns of the row, without those that describe the storage."""
        return _shared(_object(self._schema))


def serialize(dataset: Dataset) -> InstanceJson:
    """Return the texts of an instance.

    The model has the file meta information too, but for its binary elements, as Google's has:
    observed in a recorded response, and in the stand-in of ez-wsi-dicomweb.

    Raises:
        Exception: one of `pydicom_errors.PARSE_ERRORS`
    """
    instance = InstanceJson()
    meta = getattr(dataset, "file_meta", None)
    elements = list(_elements(dataset, byte_order.is_big_endian(dataset)))
    for tag, element in _elements(meta, swap=False) if meta is not None else ():
        if "BulkDataURI" in element.model:
            instance.add_column(element)
        else:
            elements.append((tag, element))
    for tag, element in sorted(elements, key=itemgetter(0)):
        instance.add(tag, element)
    return instance


def _elements(dataset: Dataset, swap: bool) -> Iterator[tuple[int, _Element]]:
    charset = element_cache.charset_of(dataset)
    # As numbers, which compare faster than tags.
    numbered = [(int(tag), raw) for tag, raw in dataset.items()]
    for tag, raw in sorted(numbered, key=itemgetter(0)):
        if tag & 0xFFFF == 0:
            continue  # a group's length: encoding, not data
        key = element_cache.key_of(raw, charset) or element_cache.sequence_key_of(raw, charset)
        yield tag, _cached_element(key) if key else _read(dataset, BaseTag(tag), raw, charset, swap)


@lru_cache(_TEXT_CACHE_SIZE)
def _cached_element(key: element_cache.ElementKey) -> _Element:
    builder = RowBuilder()
    bigquery_rows.add(key.element, BaseTag(key.tag), builder)
    return _written(key.tag, dicom_json.element_of_key(key), builder)


def _read(
    dataset: Dataset,
    tag: BaseTag,
    raw: DataElement | RawDataElement,
    charset: element_cache.Charset,
    swap: bool,
) -> _Element:
    builder = RowBuilder()
    model = dicom_json.element_of(dataset, tag, charset, "", swap)
    bigquery_rows.add_element(dataset, tag, raw, builder)
    return _written(tag, model, builder)


def _written(tag: int, model: dict[str, Any], builder: RowBuilder) -> _Element:
    text = "" if dicom_json.is_too_long(model) else f'"{tag:08X}":{compact(model)}'
    row = {name: compact(value) for name, value in builder.row.items()}
    schema = {name: compact(column) for name, column in builder.schema.items()}
    return _Element(model, text, row, schema, builder.dropped)


@lru_cache(_SCHEMA_CACHE_SIZE)
def _shared(text: str) -> str:
    """Return the same object for equal texts, so that pickling a batch writes it once."""
    return text


def _object(members: dict[str, str]) -> str:
    """Return a JSON object of texts, its keys sorted."""
    return "{" + ",".join(f'"{name}":{members[name]}' for name in sorted(members)) + "}"
