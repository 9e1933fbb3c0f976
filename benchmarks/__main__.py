"""`python -m benchmarks`: measure and print."""

import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from benchmarks.clones import BenchmarkError
from benchmarks.lab import measure

app = typer.Typer(add_completion=False)
COLD_HELP = "also a machine with empty HOME and caches (minutes)"


@app.command()
def main(cold: Annotated[bool, typer.Option(help=COLD_HELP)] = True) -> None:
    """Measure the lab on scratch clones of the last commit and print a table."""
    notes = Console(stderr=True)
    table = Table("work", "seconds", "goal", "phases (s)", title="The lab on this machine")
    try:
        for row in measure(cold=cold, report=lambda text: notes.print(f"... {text}")):
            phases = ", ".join(f"{name} {seconds:.1f}" for name, seconds in row.phases.items())
            table.add_row(row.work, f"{row.seconds:.1f}", f"under {row.goal:.0f}", phases)
    except BenchmarkError as error:
        notes.print(f"error: {error}", style="red", markup=False)
        sys.exit(1)
    Console().print(table)


if __name__ == "__main__":
    app()
