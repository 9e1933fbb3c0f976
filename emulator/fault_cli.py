"""`python -m emulator fault`: inject faults into the running emulator."""

import json
import sys
from typing import Annotated, Any

import httpx
import typer
from rich.console import Console
from rich.table import Table

from emulator.core.program_name import command
from emulator.server import lifecycle, state_dir
from emulator.server.errors import EmulatorError

app = typer.Typer(
    no_args_is_help=True,
    help="""Inject faults into chosen calls, to test how your code handles them.

    Methods are those of Google's discovery documents, with * for any part. A call is refused
    (--status), delayed (--delay), cut off in the middle of its response (--cut), or several of it.

    fault add 'healthcare.*.dicomStores.import' --status 503 --times 2

    fault add 'healthcare.*' --status 429 --every 10 --retry-after 1

    fault add 'healthcare.*.datasets.get' --status 404 --message 'dataset not initialized'

    A fault lasts until it is cleared, until --times calls have failed, or until the emulator
    stops.
    """,
)
Json = Annotated[bool, typer.Option("--json", help="print JSON")]


@app.command()
def add(
    method: Annotated[str, typer.Argument(help="the method, such as 'healthcare.*.get'")],
    status: Annotated[int | None, typer.Option(help="the HTTP code to return")] = None,
    message: Annotated[str | None, typer.Option(help="the message of the error")] = None,
    retry_after: Annotated[
        int | None, typer.Option(help="the header Retry-After, in seconds")
    ] = None,
    delay: Annotated[float, typer.Option(help="the delay of the response, in seconds")] = 0.0,
    cut: Annotated[
        int | None, typer.Option(help="close the connection after so many bytes")
    ] = None,
    times: Annotated[int | None, typer.Option(help="stop after so many failed calls")] = None,
    every: Annotated[int, typer.Option(help="fail one call in so many")] = 1,
) -> None:
    """Add a fault."""
    body: dict[str, Any] = {"method": method, "delay": delay, "every": every}
    chosen = {"status": status, "message": message, "retry_after": retry_after}
    chosen |= {"cut": cut, "times": times}
    body |= {name: value for name, value in chosen.items() if value is not None}
    answer = _call("POST", body)
    typer.echo(f"fault {answer['number']}: {method}: {answer['phrase']}")


@app.command("list")
def listed(as_json: Json = False) -> None:
    """List the active faults, with how many calls each matched and made fail."""
    faults = _call("GET")["faults"]
    if as_json:
        typer.echo(json.dumps(faults))
        return
    if not faults:
        typer.echo("no faults")
        return
    table = Table("", "method", "fault", "matched", "failed")
    for fault in faults:
        cells = (fault["number"], fault["method"], fault["phrase"], fault["met"], fault["broken"])
        table.add_row(*map(str, cells))
    Console().print(table)


@app.command()
def clear(
    numbers: Annotated[
        list[int] | None, typer.Argument(help="the faults to remove; by default all")
    ] = None,
) -> None:
    """Remove faults."""
    _call("DELETE", numbers=numbers or [])
    typer.echo("cleared")


def _call(verb: str, body: object = None, numbers: list[int] | None = None) -> dict[str, Any]:
    running = lifecycle.status(state_dir.state_dir())
    if running is None:
        sys.stderr.write(f"the local Google Cloud is not running: `{command('start')}`\n")
        raise typer.Exit(3)
    parameters: dict[str, list[int]] = {"number": numbers or []}
    answer = httpx.request(
        verb, f"{running.url}/_emulator/faults", json=body, params=parameters, timeout=30
    )
    content: dict[str, Any] = answer.json()
    if answer.is_error:
        raise EmulatorError(content["error"]["message"])
    return content
