"""Rows of many resources, made in worker processes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from emulator.services.healthcare.fhir import json_text
from emulator.services.healthcare.fhir.analytics.extensions import RowError
from emulator.services.healthcare.fhir.analytics.layout import TableLayout
from emulator.services.healthcare.fhir.analytics.schema import Columns


@dataclass(frozen=True)
class Batch:
    """Resources of a type.

    Attributes:
        layout: of their table, as an operation's request has it
        resources: as JSON
    """

    layout: Mapping[str, Any]
    resources: Sequence[bytes]


@dataclass
class Rows:
    """The rows of a batch.

    Attributes:
        columns: that the rows need
        lines: the rows as lines of JSON
        count: of rows
        failures: resources without a row -> why
    """

    columns: Columns
    lines: list[bytes] = field(default_factory=list)
    count: int = 0
    failures: dict[str, str] = field(default_factory=dict)


def make(batch: Batch) -> Rows:
    """Return the rows of a batch, whose columns the caller compares with those of the table."""
    return add(Rows(Columns()), batch)


def add(rows: Rows, batch: Batch) -> Rows:
    """Add the rows of a batch to others; one that does not fit their columns fails."""
    layout = TableLayout.of(batch.layout)
    for body in batch.resources:
        resource = json_text.parse(body)
        try:
            row = layout.row(resource)
            rows.columns.widen(row)
        except RowError as error:
            rows.failures[f"{resource['resourceType']}/{resource['id']}"] = str(error)
        else:
            rows.lines.append(json_text.dump(row) + b"\n")
            rows.count += 1
    return rows
