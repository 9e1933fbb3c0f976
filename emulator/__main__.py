"""`python -m emulator`: start, stop and look at the local Google Cloud."""

import json
import logging
import shlex
import subprocess
import sys
from dataclasses import asdict
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.console import Console

from emulator import layout, processes
from emulator.faults.commands import app as faults
from emulator.layout import Ports, Running
from emulator.processes import EmulatorError

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="""The local Google Cloud: Healthcare API, BigQuery, Cloud Storage, on loopback.

    Its state lives in .lab/emulator, or in $LAB_DIR/emulator, and survives a stop.

    To lead gcloud, bq, curl or your own code to it:  eval "$(python -m emulator env)"

    What it serves, and how it differs from the real one: docs/emulator.md
    """,
)
app.add_typer(faults, name="fault")
_notes = Console(stderr=True, soft_wrap=True)
Port = Annotated[
    int,
    typer.Option(
        min=0,
        max=65535,
        show_default=False,
        metavar="N",
        help="a fixed port; else the one used last, or any free one",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="for machines")]


@app.command()
def start(
    foreground: Annotated[
        bool, typer.Option("--foreground", help="stay, and log to the terminal, until Ctrl-C")
    ] = False,
    port: Port = 0,
    bigquery_port: Port = 0,
    storage_port: Port = 0,
    all_services_enabled: Annotated[
        bool,
        typer.Option(
            "--all-services-enabled",
            help="every API counts as enabled in every project: for those who test against one "
            "API, and not the enabling of it",
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Start it and wait until it is ready; one that runs is kept."""
    ports = Ports(port, bigquery_port, storage_port)
    state = layout.state_dir()
    if foreground:
        _serve(ports, all_services_enabled)
        return
    running = processes.start(
        state, ports, all_services_enabled=all_services_enabled, report=_notes.print
    )
    _show(running, as_json)


@app.command()
def stop() -> None:
    """Stop it; its state stays."""
    was_running = processes.stop(layout.state_dir())
    _notes.print("stopped" if was_running else "it was not running")


@app.command()
def status(as_json: Json = False) -> None:
    """Say whether it runs, where, and how its services are.

    Exit code 3 if it does not run, 4 if it runs but a service is not ready.
    """
    running = _running()
    health = processes.health(running)
    _show(running, as_json, health)
    if not health.get("ready"):
        _notes.print(health.get("trouble") or "not every service is ready yet")
        raise typer.Exit(4)


@app.command()
def env(as_json: Json = False) -> None:
    """Print the environment that leads Google's tools to it, for `eval` or as JSON."""
    variables = _running().environment()
    if as_json:
        typer.echo(json.dumps(variables, indent=2))
        return
    for name, value in variables.items():
        typer.echo(f"export {name}={shlex.quote(value)}")


class Log(StrEnum):
    """Whose log to print."""

    EMULATOR = "emulator"
    BIGQUERY = "bigquery"
    STORAGE = "cloud-storage"


@app.command()
def logs(
    service: Annotated[Log, typer.Argument(help="whose log")] = Log.EMULATOR,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="and what comes next")] = False,
) -> None:
    """Print its log, or that of BigQuery or Cloud Storage beside it."""
    log = layout.state_dir() / f"{service.value}.log"
    if not log.exists():
        raise EmulatorError(f"there is no log at {log}: it has not been started here yet")
    subprocess.run(["tail", "-n", "+1", *(["-f"] if follow else []), str(log)], check=True)  # noqa: S607


@app.command()
def reset() -> None:
    """Empty its state but for the public bucket; if it runs, it goes on running."""
    processes.reset(layout.state_dir())
    _notes.print("reset")


def _running() -> Running:
    running = processes.status(layout.state_dir())
    if running is None:
        _notes.print("the local Google Cloud is not running: `python -m emulator start`")
        raise typer.Exit(3)
    return running


def _show(running: Running, as_json: bool, health: dict[str, Any] | None = None) -> None:
    ports = asdict(running.ports)
    if as_json:
        content = {
            "pid": running.pid,
            "url": running.url,
            "ports": ports,
            "state": str(running.state),
            **(health or {}),
        }
        typer.echo(json.dumps(content))
        return
    typer.echo(
        f"running: {running.url} (BigQuery {ports['bigquery']}, Cloud Storage {ports['storage']})"
    )
    for name, state in (health or {}).get("services", {}).items():
        typer.echo(f"  {name}: {state}")
    typer.echo('for your shell: eval "$(python -m emulator env)"')


def _serve(ports: Ports, all_services_enabled: bool) -> None:
    from emulator import server

    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    logging.getLogger("httpx").setLevel(logging.WARNING)
    state = layout.state_dir()
    processes.check_writable(state)
    found = processes.status(state)
    if found is not None:
        raise EmulatorError(f"it already runs at {found.url}: `python -m emulator stop` first")
    processes.end_leftovers(state)
    server.serve(
        state, processes.choose_ports(state, ports), all_services_enabled=all_services_enabled
    )


def main() -> None:
    """Run the command line; an error is one line, not a traceback."""
    try:
        app(prog_name="python -m emulator")
    except EmulatorError as error:
        _notes.print(f"error: {error}", style="red", markup=False, highlight=False)
        sys.exit(1)


if __name__ == "__main__":
    main()
