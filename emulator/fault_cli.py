"""`python -m emulator fault`: put faults in force in the emulator that runs."""

import json
import sys
from typing import Annotated, Any

import httpx
import typer
from rich.console import Console
from rich.table import Table

from emulator import layout, processes
from emulator.processes import EmulatorError

app = typer.Typer(
    no_args_is_help=True,
    help="""Have chosen calls go wrong, to see what your code makes of it.

    Methods are those of Google's discovery documents, with * for any part; a call is refused
    (--status), late (--delay), cut off in the middle of its answer (--cut), or all of it.

    fault add 'healthcare.*.dicomStores.import' --status 503 --times 2

    fault add 'healthcare.*' --status 429 --every 10 --retry-after 1

    fault add 'healthcare.*.datasets.get' --status 404 --message 'dataset not initialized'

    Faults last until they are cleared, have broken as many calls as --times says, or the
    emulator stops.
    """,
)
Json = Annotated[bool, typer.Option("--json", help="for machines")]


@app.command()
def add(
    method: Annotated[str, typer.Argument(help="which calls, such as 'healthcare.*.get'")],
    status: Annotated[int | None, typer.Option(help="the HTTP code to answer")] = None,
    message: Annotated[str | None, typer.Option(help="the error's message")] = None,
    retry_after: Annotated[int | None, typer.Option(help="seconds, as a header")] = None,
    delay: Annotated[float, typer.Option(help="seconds that the answer is late")] = 0.0,
    cut: Annotated[int | None, typer.Option(help="bytes, then the connection breaks")] = None,
    times: Annotated[int | None, typer.Option(help="so many calls, then no more")] = None,
    every: Annotated[int, typer.Option(help="one call in so many")] = 1,
) -> None:
    """Put a fault in force."""
    body: dict[str, Any] = {"method": method, "delay": delay, "every": every}
    chosen = {"status": status, "message": message, "retry_after": retry_after}
    chosen |= {"cut": cut, "times": times}
    body |= {name: value for name, value in chosen.items() if value is not None}
    answer = _call("POST", body)
    typer.echo(f"fault {answer['number']}: {method}: {answer['phrase']}")


@app.command("list")
def listed(as_json: Json = False) -> None:
    """List the faults in force, with how many calls each has met and broken."""
    faults = _call("GET")["faults"]
    if as_json:
        typer.echo(json.dumps(faults))
        return
    if not faults:
        typer.echo("no faults")
        return
    table = Table("", "method", "fault", "met", "broken")
    for fault in faults:
        cells = (fault["number"], fault["method"], fault["phrase"], fault["met"], fault["broken"])
        table.add_row(*map(str, cells))
    Console().print(table)


@app.command()
def clear(numbers: Annotated[list[int] | None, typer.Argument(help="all if none")] = None) -> None:
    """Take faults out of force."""
    _call("DELETE", numbers=numbers or [])
    typer.echo("cleared")


def _call(verb: str, body: object = None, numbers: list[int] | None = None) -> dict[str, Any]:
    running = processes.status(layout.state_dir())
    if running is None:
        sys.stderr.write("the local Google Cloud is not running: `python -m emulator start`\n")
        raise typer.Exit(3)
    parameters: dict[str, list[int]] = {"number": numbers or []}
    answer = httpx.request(
        verb, f"{running.url}/_emulator/faults", json=body, params=parameters, timeout=30
    )
    content: dict[str, Any] = answer.json()
    if answer.is_error:
        raise EmulatorError(content["error"]["message"])
    return content
