"""The command line, `python -m emulator`: start, stop and inspect the local Google Cloud."""

import json
import os
import shlex
import subprocess
import sys
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from emulator.core.program_name import command, program_name
from emulator.fault_cli import app as faults
from emulator.server import image_options, lifecycle, state_dir
from emulator.server.errors import EmulatorError
from emulator.server.server_file import Ports, ServerInfo

_PAGE = Path(__file__).parents[1] / "docs" / "emulator.md"  # an installed package has none
_DOCS = (
    "\n    What it serves, and how it differs from Google Cloud: docs/emulator.md\n    "
    if _PAGE.exists()
    else "    "
)
app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help=f"""The local Google Cloud: Healthcare API, BigQuery, Cloud Storage, on loopback.

    Its state is in .lab/emulator, or in $LAB_DIR/emulator, and survives a stop.

    To lead gcloud, bq, curl or your own code to it:  eval "$({command("env")})"
{_DOCS}""",
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
    enforce_iam: Annotated[
        bool,
        typer.Option(
            "--enforce-iam",
            help="decide every call by the roles of its caller, as EMULATOR_ENFORCE_IAM=1 does: "
            "the token `local` is the owner, `local:user:anna@example.com` another member",
        ),
    ] = False,
    image: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=MODULE",
            help="a Python module, or a FILE.py, that runs in the place of a container image; "
            "repeatable, remembered, NAME= removes it",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Start it and wait until it is ready; one that runs is kept."""
    ports = Ports(port, bigquery_port, storage_port)
    state = state_dir.state_dir()
    images = image_options.read_options(image or [])
    if foreground:
        _serve(ports, all_services_enabled, enforce_iam, images)
        return
    running = lifecycle.start(
        state,
        ports,
        all_services_enabled=all_services_enabled,
        enforce_iam=enforce_iam,
        images=images,
        report=_notes.print,
    )
    _show(running, as_json)


@app.command()
def stop() -> None:
    """Stop it; its state stays."""
    was_running = lifecycle.stop(state_dir.state_dir())
    _notes.print("stopped" if was_running else "it was not running")


@app.command()
def status(as_json: Json = False) -> None:
    """Say whether it runs, where, and how its services are.

    Exit code 3 if it does not run, 4 if it runs but a service is not ready.
    """
    running = _running()
    health = lifecycle.health(running)
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
    """The process whose log is printed."""

    EMULATOR = "emulator"
    BIGQUERY = "bigquery"
    STORAGE = "cloud-storage"


@app.command()
def logs(
    service: Annotated[Log, typer.Argument(help="whose log")] = Log.EMULATOR,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="and what comes next")] = False,
) -> None:
    """Print its log, or that of BigQuery or Cloud Storage beside it."""
    log = state_dir.state_dir() / f"{service.value}.log"
    if not log.exists():
        raise EmulatorError(f"there is no log at {log}: it has not been started here yet")
    subprocess.run(["tail", "-n", "+1", *(["-f"] if follow else []), str(log)], check=True)  # noqa: S607


@app.command()
def reset() -> None:
    """Delete its state but for the public bucket; a running emulator keeps running."""
    lifecycle.reset(state_dir.state_dir())
    _notes.print("reset")


@app.command()
def viewer() -> None:
    """Fetch the OHIF viewer on first use, and print its address; it is not for diagnosis."""
    from viewer import fetch

    running = _running()
    try:
        fetch.fetch(_notes.print)
    except fetch.ViewerError as error:
        raise EmulatorError(str(error)) from error
    _notes.print("The viewer is not for diagnosis.")
    typer.echo(f"{running.url}/")


def _running() -> ServerInfo:
    running = lifecycle.status(state_dir.state_dir())
    if running is None:
        _notes.print(f"the local Google Cloud is not running: `{command('start')}`")
        raise typer.Exit(3)
    return running


def _show(running: ServerInfo, as_json: bool, health: dict[str, Any] | None = None) -> None:
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
    typer.echo(f"console: {running.url}/_console/")
    typer.echo(f'for your shell: eval "$({command("env")})"')


def _serve(
    ports: Ports, all_services_enabled: bool, enforce_iam: bool, images: dict[str, str]
) -> None:
    from emulator.server import serve

    serve.configure_logging()
    state = state_dir.state_dir()
    state_dir.check_state_dir(state)
    found = lifecycle.status(state)
    if found is not None:
        raise EmulatorError(f"it already runs at {found.url}: `{command('stop')}` first")
    lifecycle.kill_orphans(state)
    serve.serve(
        state,
        lifecycle.choose_ports(state, ports),
        all_services_enabled=all_services_enabled,
        enforce_iam=enforce_iam or os.environ.get(lifecycle.ENFORCE_IAM) == "1",
        images=image_options.merge(state, images),
    )


def main() -> None:
    """Run the command line; an error is one line, not a traceback."""
    try:
        app(prog_name=program_name())
    except EmulatorError as error:
        _notes.print(f"error: {error}", style="red", markup=False, highlight=False)
        sys.exit(1)


if __name__ == "__main__":
    main()
