"""The JSON texts of an instance, joined from the texts of its elements.

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

from emulator.healthcare.dicom import attributes, bigquery_rows, dicom_json, elements
from emulator.healthcare.dicom.attributes import DicomJson, Level
from emulator.healthcare.dicom.bigquery_rows import DROPPED, OTHER, Made

_TEXTS_REMEMBERED = 1 << 12
"""Elements whose texts are remembered: sequences of some KB are among them."""
_SCHEMAS_REMEMBERED = 1 << 8
_RETURNED = {level: sorted(tags) for level, tags in attributes.RETURNED.items()}


def compact(value: Any) -> str:
    """Write JSON without spaces, keys sorted: equal values give equal texts."""
    return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)


class _Element(NamedTuple):
    """What an element adds to the texts of its instance; shared, so not changed.

    `text` is `model` with its tag; empty for what the model leaves out. `row` and `schema` hold
    the text of each column's value and type.
    """

    model: dict[str, Any]
    text: str
    row: dict[str, str]
    schema: dict[str, str]
    dropped: list[str]


class Texts:
    """The texts of an instance: the DICOM JSON model, its parts, the BigQuery row.

    References to bulk data begin with a placeholder: `dicom_json.with_references` puts in the
    instance's URL, which depends on how a caller comes here.

    Attributes:
        model: the DICOM JSON model's elements by tag, without those that it leaves out.
    """

    def __init__(self) -> None:
        self.model: DicomJson = {}
        self._texts: dict[str, str] = {}
        self._row: dict[str, str] = {}
        self._schema: dict[str, str] = {}
        self._dropped: list[str] = []

    def add(self, tag: int, element: _Element) -> None:
        """Add an element; they come in the order of their tags."""
        if element.text:
            key = f"{tag:08X}"
            self.model[key] = element.model
            self._texts[key] = element.text
        self.add_column(element)

    def add_column(self, element: _Element) -> None:
        """Add an element to the row alone."""
        others = self._row.get(OTHER)
        self._row.update(element.row)
        if others and OTHER in element.row:  # two lists become one
            self._row[OTHER] = f"{others[:-1]},{element.row[OTHER][1:]}"
        self._schema.update(element.schema)
        self._dropped += element.dropped

    def metadata(self) -> str:
        """Give the whole model."""
        return "{" + ",".join(self._texts.values()) + "}"

    def part(self, level: Level) -> str:
        """Give the attributes of one level that a search returns."""
        parts = [self._texts[tag] for tag in _RETURNED[level] if tag in self._texts]
        return "{" + ",".join(parts) + "}"

    def row(self) -> str:
        """Give the BigQuery row; empty elements are absent."""
        if not self._dropped:
            return _object(self._row)
        return _object({**self._row, DROPPED: compact(self._dropped)})

    def schema(self) -> str:
        """Give the columns that the row needs, without those that tell of the storage."""
        return _shared(_object(self._schema))


def of(dataset: Dataset) -> Texts:
    """Give the texts of an instance, its file meta information in the row alone.

    Raises:
        Exception: one of `malformed.UNREADABLE`.
    """
    made = Texts()
    meta = getattr(dataset, "file_meta", None)
    for _tag, element in _elements(meta, swap=False) if meta is not None else ():
        made.add_column(element)
    for tag, element in _elements(dataset, dicom_json.is_big_endian(dataset)):
        made.add(tag, element)
    return made


def _elements(dataset: Dataset, swap: bool) -> Iterator[tuple[int, _Element]]:
    charset = elements.charset_of(dataset)
    # As numbers, which compare faster than tags.
    numbered = [(int(tag), raw) for tag, raw in dataset.items()]
    for tag, raw in sorted(numbered, key=itemgetter(0)):
        if tag & 0xFFFF == 0:
            continue  # a group's length: encoding, not data
        key = elements.key_of(raw, charset) or elements.sequence_key_of(raw, charset)
        yield tag, _known(key) if key else _read(dataset, BaseTag(tag), raw, charset, swap)


@lru_cache(_TEXTS_REMEMBERED)
def _known(key: elements.Key) -> _Element:
    made = Made()
    bigquery_rows.add(key.element, BaseTag(key.tag), made)
    return _written(key.tag, dicom_json.element_of_key(key), made)


def _read(
    dataset: Dataset,
    tag: BaseTag,
    raw: DataElement | RawDataElement,
    charset: elements.Charset,
    swap: bool,
) -> _Element:
    made = Made()
    model = dicom_json.element_of(dataset, tag, charset, "", swap)
    bigquery_rows.add_element(dataset, tag, raw, made)
    return _written(tag, model, made)


def _written(tag: int, model: dict[str, Any], made: Made) -> _Element:
    text = "" if dicom_json.is_too_long(model) else f'"{tag:08X}":{compact(model)}'
    row = {name: compact(value) for name, value in made.row.items()}
    schema = {name: compact(column) for name, column in made.schema.items()}
    return _Element(model, text, row, schema, made.dropped)


@lru_cache(_SCHEMAS_REMEMBERED)
def _shared(text: str) -> str:
    """Give the same object for equal texts: instances of a series travel between processes."""
    return text


def _object(members: dict[str, str]) -> str:
    """Write an object of texts, its keys sorted."""
    return "{" + ",".join(f'"{name}":{members[name]}' for name in sorted(members)) + "}"
