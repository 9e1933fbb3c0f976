"""Schemas of tables: the columns of a resource type, and those that its rows add.

A table has all elements of its type, whatever its rows hold. Columns of extensions, and of
references that may name any type, come from the rows.

Inferred (conformance: fhir-export-bigquery): dates and times are STRING, as in google/fhir's rows.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from emulator.services.healthcare.fhir.analytics.extensions import RowError
from emulator.services.healthcare.fhir.analytics.rows import (
    CONTAINED,
    EXTENSION,
    MODIFIER,
    Depths,
    RowFormat,
    deeper,
    id_column,
    names_of,
)
from emulator.services.healthcare.fhir.definitions import Element, type_definition

_COLUMNS = {
    "boolean": "BOOLEAN",
    "decimal": "FLOAT",
    "integer": "INTEGER",
    "positiveInt": "INTEGER",
    "unsignedInt": "INTEGER",
}
_TYPES = {bool: "BOOLEAN", dict: "RECORD", int: "INTEGER", str: "STRING"}
_FITTING = {"FLOAT": ("FLOAT", "INTEGER"), "TIMESTAMP": ("STRING",)}
"""Type of a column -> types of values that fit, where these are not the same."""
_LEFT_OUT = frozenset({EXTENSION, MODIFIER, CONTAINED, "resourceType"})


class ColumnError(RowError):
    """A row has a value of another type than its column; the resource has no row."""


class Columns:
    """The columns of a table or of a record.

    Attributes:
        fields: of BigQuery's schema, by name
    """

    def __init__(self) -> None:
        self.fields: dict[str, dict[str, Any]] = {}
        self._records: dict[str, Columns] = {}
        self._single: dict[str, type] = {}
        self._items: dict[str, type] = {}
        """Name of a column -> the Python type of a value, or of an item, that fits it."""

    def add(self, name: str, type_: str, *, is_list: bool = False) -> None:
        """Add a column of a value, unless there is one."""
        mode = "REPEATED" if is_list else "NULLABLE"
        self.fields.setdefault(name, {"name": name, "type": type_, "mode": mode})

    def record(self, name: str, *, is_list: bool = False) -> "Columns":
        """Return the columns of a record, which is added unless it is there."""
        self.add(name, "RECORD", is_list=is_list)
        return self._records.setdefault(name, Columns())

    def widen(self, row: Mapping[str, Any]) -> None:
        """Add the columns that a row needs and that are not there.

        Raises:
            ColumnError: a column has another type
        """
        for name, value in row.items():
            python_type = type(value)
            if python_type is list:
                for each in value:
                    item = type(each)
                    if self._items.get(name) is not item:
                        self._widen_by(name, each, self._items, is_list=True)
                    if item is dict:
                        self._records[name].widen(each)
                continue
            if self._single.get(name) is not python_type:
                self._widen_by(name, value, self._single, is_list=False)
            if python_type is dict:
                self._records[name].widen(value)

    def _widen_by(self, name: str, value: Any, fitting: dict[str, type], *, is_list: bool) -> None:
        """Add the column of a value unless it is there, and note that values of its type fit."""
        if value is None:
            return
        type_ = _type_of(value)
        field = self.fields.get(name)
        if field is None:
            self.add(name, type_, is_list=is_list)
        elif field["type"] != type_ or (field["mode"] == "REPEATED") != is_list:
            self._fit(field, type_, is_list=is_list)
        if type_ == "RECORD":
            self.record(name, is_list=is_list)
        fitting[name] = type(value)

    def merge(self, other: "Columns") -> None:
        """Add the columns of other rows of the table.

        Raises:
            ColumnError: a column has another type; no column is added
        """
        self._check(other)
        for name, field in other.fields.items():
            is_list = field["mode"] == "REPEATED"
            self.add(name, field["type"], is_list=is_list)
            self._fit(self.fields[name], field["type"], is_list=is_list)
            if field["type"] == "RECORD":
                self.record(name, is_list=is_list).merge(other.record(name))

    def _check(self, other: "Columns") -> None:
        for name, field in other.fields.items():
            known = self.fields.get(name)
            if known is not None:
                is_list = field["mode"] == "REPEATED"
                self._fit({**known}, field["type"], is_list=is_list)
            if known is not None and field["type"] == "RECORD":
                self.record(name)._check(other.record(name))

    def _fit(self, field: dict[str, Any], type_: str, *, is_list: bool) -> None:
        known = field["type"]
        if (known, type_) == ("INTEGER", "FLOAT"):
            field["type"] = "FLOAT"
        elif type_ not in _FITTING.get(known, (known,)) or is_list != (field["mode"] == "REPEATED"):
            raise ColumnError(f"the column {field['name']} has the type {known}, not {type_}")

    def schema(self) -> list[dict[str, Any]]:
        """Return the fields of BigQuery's schema; a record without columns is left out."""
        found = []
        for name, field in self.fields.items():
            if field["type"] != "RECORD":
                found.append(field)
            elif below := self._records[name].schema():
                found.append({**field, "fields": below})
        return found


def columns_of(type_: str, format_: RowFormat) -> Columns:
    """Return the columns that every table of a resource type has."""
    columns = Columns()
    _add_type(columns, type_, (), format_, is_resource=True)
    return columns


def _add_type(
    columns: Columns,
    type_: str,
    depths: Depths,
    format_: RowFormat,
    *,
    is_resource: bool = False,
) -> None:
    for element in type_definition(type_).elements.values():
        if element.name in _LEFT_OUT or (element.name == "id" and not is_resource):
            continue
        _add_element(columns, element, depths, format_)
    if is_resource and format_.is_v2:
        columns.add(CONTAINED, "STRING", is_list=True)


def _add_element(columns: Columns, element: Element, depths: Depths, format_: RowFormat) -> None:
    below = deeper(depths, names_of(element), format_.depth)
    if below is None or element.type == "Resource":
        return
    if element.choice:
        columns = columns.record(element.name)
    name = element.choice or element.key
    if element.is_primitive:
        columns.add(name, _COLUMNS.get(element.type, "STRING"), is_list=element.is_list)
        return
    record = columns.record(name, is_list=element.is_list)
    _add_type(record, element.type, below, format_)
    for target in element.targets if element.type == "Reference" else ():
        record.add(id_column(target), "STRING")


def _type_of(value: Any) -> str:
    found = _TYPES.get(type(value))
    return found or ("FLOAT" if isinstance(value, Decimal) else "STRING")
