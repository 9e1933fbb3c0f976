"""`python -m benchmarks`: measure and print."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from benchmarks import (
    against,
    comparison,
    console,
    exporting,
    growth,
    lab,
    returning,
    scaling,
    searching,
    sides,
    starting,
    storing,
)
from benchmarks.adapters import dimse, gateway, inference, mllp
from benchmarks.clones import BenchmarkError
from benchmarks.comparison import Row
from benchmarks.fhir import beside_hapi, stores
from benchmarks.fhir.hapi import HapiError
from benchmarks.orthanc import OrthancError
from benchmarks.pipelines import ingest, ingest_growth
from emulator.server.errors import EmulatorError

app = typer.Typer(add_completion=False, no_args_is_help=False)
COLD_HELP = "measure an empty HOME and empty caches too (minutes)"
SIDE_BY_SIDE = {
    "import": storing.measure_import,
    "stow": storing.measure_stow,
    "scale": scaling.measure_scale,  # before the exports, which leave memory allocated
    "qido": searching.measure_qido,
    "qido-growth": searching.measure_qido_growth,
    "metadata": searching.measure_metadata,
    "export": exporting.measure_export,
    "fhir": stores.measure_fhir,
    "hapi": beside_hapi.measure_hapi,
    "start": starting.measure_start,
    "return": returning.measure_return,
    "c-store": dimse.measure_c_store,
    "mllp": mllp.measure_mllp,
    "inference": inference.measure_inference,
    "gateway": gateway.measure_gateway,
    "ingest": ingest.measure_ingest,
    "ingest-growth": ingest_growth.measure_ingest_growth,
    "console": console.measure_console,
}
ONLY_HELP = f"measure some things, with commas: lab, growth, {', '.join(SIDE_BY_SIDE)}"
AGAINST_HELP = "measure another checkout beside this one, each row there and then here"
TABLE_WIDTH = 130
_notes = Console(stderr=True)


@app.command()
def main(
    cold: Annotated[bool, typer.Option(help=COLD_HELP)] = True,
    only: Annotated[str, typer.Option(help=ONLY_HELP)] = "",
    other: Annotated[
        Path | None, typer.Option("--against", metavar="PATH", help=AGAINST_HELP)
    ] = None,
) -> None:
    """Measure, the lab and growth on scratch clones of the last commit, and print tables."""
    tables = {"lab": lambda: _lab(cold), "growth": _growth}
    wanted = only.split(",") if only else [*tables, *SIDE_BY_SIDE]
    if unknown := {*wanted} - {*tables, *SIDE_BY_SIDE}:
        raise typer.BadParameter(f"{', '.join(unknown)}: {ONLY_HELP}")
    compared = [name for name in SIDE_BY_SIDE if name in wanted]
    try:
        if other:
            rows = list(against.compare(other.resolve(), compared, _report))
            Console(width=TABLE_WIDTH).print(against.table(rows, other))
            return
        for name, make in tables.items():
            if name in wanted:
                Console().print(make())
        if compared:
            Console(width=TABLE_WIDTH).print(_side_by_side(compared))
    except (BenchmarkError, EmulatorError, HapiError, OrthancError) as error:
        _notes.print(f"error: {error}", style="red", markup=False)
        sys.exit(1)


def _lab(cold: bool) -> Table:
    table = Table("work", "seconds", "goal", "phases (s)", title="The lab on this machine")
    for row in lab.measure(cold=cold, report=_report):
        phases = ", ".join(f"{name} {seconds:.1f}" for name, seconds in row.phases.items())
        table.add_row(row.work, f"{row.seconds:.1f}", f"under {row.goal:.0f}", phases)
    return table


def _side_by_side(names: list[str]) -> Table:
    rows: list[Row] = []
    with sides.opened(_report) as both:
        for name in names:
            for row in SIDE_BY_SIDE[name](both):
                figures = f"{comparison.figure(row.ours)} to {comparison.figure(row.peer)}"
                _report(f"{row.work}: {figures} {row.unit}, {row.goal}")
                rows.append(row)
    return comparison.table(rows)


def _growth() -> Table:
    title = f"Growth with the stores, beside a plain program (goal: {growth.GOAL} times)"
    table = Table("stores", "work", "ours (s)", "plain (s)", "ratio", title=title)
    for row in growth.measure_growth(_report):
        figures = (f"{row.ours:.1f}", f"{row.plain:.1f}", f"{row.ratio:.2f}")
        table.add_row(str(row.stores), row.work, *figures)
    return table


def _report(text: str) -> None:
    _notes.print(f"... {text}", markup=False)


if __name__ == "__main__":
    app()
