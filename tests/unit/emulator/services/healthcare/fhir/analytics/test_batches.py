"""Rows of batches, and the columns of a table that takes several of them."""

import json
from typing import Any

import pytest

from emulator.services.healthcare.fhir import json_text
from emulator.services.healthcare.fhir.analytics import batches
from emulator.services.healthcare.fhir.analytics.batches import Batch, Rows
from emulator.services.healthcare.fhir.analytics.layout import TableLayout
from emulator.services.healthcare.fhir.analytics.rows import RowFormat
from emulator.services.healthcare.fhir.analytics.schema import ColumnError
from tests.support.fhir_resources import patient

LAYOUT = TableLayout(RowFormat())


def batch(*resources: dict[str, Any]) -> Batch:
    return Batch(LAYOUT.record(), [json.dumps(one).encode() for one in resources])


def with_value(id_: str, **value: Any) -> dict[str, Any]:
    return patient(id_, extension=[{"url": "http://example.com/x", **value}])


def test_the_columns_of_batches_are_those_of_their_rows_together() -> None:
    given = [
        with_value("a", valueInteger=1),
        with_value("b", valueDecimal=1.5),
        with_value("c", valueString="s"),
        patient("d", managingOrganization={"reference": "Organization/o"}),
    ]
    together, merged = LAYOUT.columns("Patient"), LAYOUT.columns("Patient")
    lines = []
    for one in given:
        together.widen(LAYOUT.row(json_text.parse(json.dumps(one))))
        rows = batches.make(batch(one))
        merged.merge(rows.columns)
        lines += rows.lines
    assert merged.schema() == together.schema()
    assert [json.loads(line)["id"] for line in lines] == ["a", "b", "c", "d"]


def test_columns_that_do_not_fit_leave_the_table_as_it_was() -> None:
    columns = LAYOUT.columns("Patient")
    first, other = with_value("a", valueString="s"), with_value("b", valueString="t")
    columns.merge(batches.make(batch(first)).columns)
    before = columns.schema()
    rows = batches.make(batch(other))
    rows.columns.fields["gender"] = {"name": "gender", "type": "INTEGER", "mode": "NULLABLE"}
    rows.columns.add("another", "STRING")

    with pytest.raises(ColumnError, match="gender"):
        columns.merge(rows.columns)

    assert columns.schema() == before
    rows = batches.add(Rows(columns), batch(other))
    assert (rows.count, rows.failures) == (1, {})


def test_a_resource_without_a_row_is_a_failure() -> None:
    twice = [{"url": f"http://example.com/{one}/x", "valueCode": "y"} for one in "ab"]
    broken = patient("b", extension=[*twice, {"url": "", "valueCode": "z"}])
    rows = batches.make(batch(patient("a"), broken))
    assert (rows.count, [*rows.failures]) == (1, ["Patient/b"])
