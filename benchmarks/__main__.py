"""`python -m benchmarks`: measure and print."""

import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from benchmarks import growth, lab
from benchmarks.clones import BenchmarkError

app = typer.Typer(add_completion=False, no_args_is_help=False)
COLD_HELP = "also a machine with empty HOME and caches (minutes)"
ONLY_HELP = "measure one thing: lab or growth"
_notes = Console(stderr=True)


@app.command()
def main(
    cold: Annotated[bool, typer.Option(help=COLD_HELP)] = True,
    only: Annotated[str, typer.Option(help=ONLY_HELP)] = "",
) -> None:
    """Measure on scratch clones of the last commit and print tables."""
    tables = {"lab": lambda: _lab(cold), "growth": _growth}
    if only and only not in tables:
        raise typer.BadParameter(f"{only!r} is not one of {', '.join(tables)}")
    try:
        for name, make in tables.items():
            if only in ("", name):
                Console().print(make())
    except BenchmarkError as error:
        _notes.print(f"error: {error}", style="red", markup=False)
        sys.exit(1)


def _lab(cold: bool) -> Table:
    table = Table("work", "seconds", "goal", "phases (s)", title="The lab on this machine")
    for row in lab.measure(cold=cold, report=_report):
        phases = ", ".join(f"{name} {seconds:.1f}" for name, seconds in row.phases.items())
        table.add_row(row.work, f"{row.seconds:.1f}", f"under {row.goal:.0f}", phases)
    return table


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
