"""The outcome of a lab run: `summary.json` for programs, a page for people."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.bar import Bar
from rich.console import Console
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from scripts.gsp615.expected import Findings
from scripts.gsp615.patients import PatientsFigures
from scripts.lib.pulumi_results import UpdateResult
from scripts.lib.stack import Target

FILE = "summary.json"
BAR_WIDTH = 30


class Stopwatch:
    """Seconds per phase, by name, in the order in which the phases ran."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self.seconds: dict[str, float] = {}

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Measure the block."""
        started_at = time.monotonic()
        try:
            yield
        finally:
            self.seconds[name] = round(time.monotonic() - started_at, 2)

    def total(self) -> dict[str, float]:
        """Return the phases and, as `total`, the time since the watch was created."""
        return self.seconds | {"total": round(time.monotonic() - self._began, 2)}


@dataclass(frozen=True)
class Summary:
    """Everything that a lab run found out."""

    stack: str
    engine: dict[str, str]
    gcp_plugin: str
    target: Target
    source: str
    deployment: UpdateResult
    findings: Findings
    problems: list[str]
    patients: PatientsFigures | None = None
    seconds: dict[str, float] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the shape of summary.json; other programs rely on these keys."""
        found = self.findings
        return {
            "ok": not self.problems,
            "problems": self.problems,
            "stack": self.stack,
            "engine": self.engine,
            "gcp_plugin": self.gcp_plugin,
            "project": self.target.project,
            "store": self.target.store,
            "table": self.target.table_uri,
            "source": self.source,
            "instances": found.instances,
            "rows": found.rows,
            "patients": found.patients,
            "no_finding_rows": found.no_finding_rows,
            "patient_88": found.patient_88,
            "resources": self.deployment.resources,
            "changes": self.deployment.changes,
            "seconds": self.seconds,
            **({"fhir": self.patients.to_json()} if self.patients else {}),
        }


def forget(folder: Path) -> None:
    """Remove the last run's file, so that a failed run leaves no stale summary."""
    (folder / FILE).unlink(missing_ok=True)


def write(summary: Summary, folder: Path) -> Path:
    """Write summary.json whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f"{FILE}.new"
    draft.write_text(json.dumps(summary.to_json(), indent=2) + "\n", "utf-8")
    return draft.replace(folder / FILE)


def show(summary: Summary, console: Console, *, where: list[tuple[str, str]]) -> None:
    """Print the page for people.

    Args:
        summary: of the run
        console: standard output
        where: what to do next, as (purpose, command)
    """
    found, target = summary.findings, summary.target
    console.print(Rule("Summary", align="left"), width=min(80, console.width))
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="bold", no_wrap=True)
    facts.add_column(overflow="fold")
    changed = ", ".join(f"{n} {what}" for what, n in summary.deployment.changes.items())
    for name, value in (
        ("Engine", f"Pulumi {summary.engine['version']} ({summary.engine['source']})"),
        ("gcp plugin", summary.gcp_plugin),
        ("Resources", f"{summary.deployment.resources} ({changed or 'no change'})"),
        ("DICOM store", target.store),
        ("Table", target.table_uri),
        ("Instances", f"{found.instances} in the store, {found.rows} rows in the table"),
        ("Patients", str(found.patients)),
        ("No Finding", f"{found.no_finding_rows} rows"),
        ("Patient 88", ", ".join(found.patient_88) or "none"),
        *_facts_of_patients(summary.patients),
        ("Seconds", ", ".join(f"{name} {s:g}" for name, s in summary.seconds.items())),
    ):
        facts.add_row(name, Text(value))
    console.print(facts)
    console.print()
    console.print(_chart(found.frequent))
    console.print()
    for purpose, command in where:
        console.print(f"{purpose}:", style="dim")
        console.print(f"  {command}", soft_wrap=True, markup=False)


def _facts_of_patients(figures: PatientsFigures | None) -> list[tuple[str, str]]:
    if figures is None:
        return []
    counts = ", ".join(f"{n} {type_}" for type_, n in figures.resources.items())
    return [("FHIR store", figures.store), ("FHIR tables", counts)]


def _chart(frequent: list[tuple[str, int]]) -> Table:
    top = max((n for _, n in frequent), default=1)
    chart = Table(title="Most frequent findings", box=None, title_justify="left", show_header=False)
    for finding, rows in frequent:
        chart.add_row(Text(finding), Bar(top, 0, rows, width=BAR_WIDTH, color="cyan"), str(rows))
    return chart
