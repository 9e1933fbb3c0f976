"""Layouts of tables: LOSSLESS, and columns whose values differ in type."""

from typing import Any

import pytest

from emulator.services.healthcare.fhir import json_text
from emulator.services.healthcare.fhir.analytics.layout import TableLayout, parse_layout
from emulator.services.healthcare.fhir.analytics.schema import ColumnError, Columns
from tests.support.fhir_resources import patient

LOSSLESS = {"schemaConfig": {"schemaType": "LOSSLESS"}}


def columns(layout: TableLayout, *resources: dict[str, Any]) -> Columns:
    found = layout.columns("Patient")
    for resource in resources:
        found.widen(layout.row(resource))
    return found


def test_a_lossless_row_is_the_resource() -> None:
    layout = parse_layout(LOSSLESS)
    given = [{"url": "http://example.org/x", "valueString": "a"}]
    named = patient("a", name=[{"given": ["Ann", None]}], extension=given)
    assert layout.row(named) == {**named, "name": [{"given": ["Ann"]}]}
    names = [field["name"] for field in columns(layout, named, patient("b", active=True)).schema()]
    assert names == ["resourceType", "id", "name", "extension", "active"]
    assert TableLayout.of(layout.record()) == layout


def test_whole_numbers_and_decimals_share_a_column() -> None:
    found = Columns()
    found.widen({"value": 1})
    found.widen({"value": json_text.ExactDecimal("1.5")})
    found.widen({"value": 2})
    assert found.schema() == [{"name": "value", "type": "FLOAT", "mode": "NULLABLE"}]


@pytest.mark.parametrize("other", [{"name": "x"}, {"name": [{"text": "x"}]}])
def test_values_of_two_types_do_not_share_a_column(other: dict[str, Any]) -> None:
    found = columns(parse_layout(LOSSLESS), {"name": {"text": "x"}})
    with pytest.raises(ColumnError, match="the column name has the type RECORD"):
        found.widen(other)
