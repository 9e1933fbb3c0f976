"""The command line, `python -m workloads.gateway`."""

import os
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from workloads.common import logs
from workloads.common.google import CredentialsError
from workloads.gateway import server, settings
from workloads.gateway.errors import SettingsError

HELP = """Guard the way to DICOM and FHIR stores: a reverse proxy that knows its callers.

It verifies who calls, by Identity-Aware Proxy or an OIDC provider, decides by roles, limits
requests, and passes them on to the Healthcare API as its own service account. Its settings are a
JSON object in the variable GATEWAY_SETTINGS, or in a file.

[bold]Example[/bold]

  python -m workloads.gateway --settings settings.json --viewer ~/.cache/viewer

[bold]Exit codes[/bold]: 0 stopped by a signal; 1 failure; 2 usage error."""
_FAILED, _USAGE = 1, 2

app = typer.Typer(
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command(help=HELP)
def main(
    file: Annotated[
        Path | None, typer.Option("--settings", help="File of the settings, as JSON")
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen at")] = "127.0.0.1",
    port: Annotated[
        int | None, typer.Option(min=0, max=65_535, help="By default the variable PORT, or 8080")
    ] = None,
    viewer: Annotated[
        Path | None, typer.Option(help="Folder of the viewer's files; serve no viewer without it")
    ] = None,
) -> None:
    """Run the gateway until SIGTERM or Ctrl-C."""
    logs.configure()
    for number in (signal.SIGTERM, signal.SIGINT):
        # uvicorn raises the signal again once it has stopped: the gateway has not failed.
        signal.signal(number, lambda *_: None)
    chosen = port if port is not None else int(os.environ.get("PORT", "8080"))
    try:
        server.serve(settings.load(file), (host, chosen), viewer)
    except SettingsError as error:
        _fail(error, _USAGE)
    except (CredentialsError, server.StartError) as error:
        _fail(error, _FAILED)


def _fail(error: Exception, code: int) -> None:
    sys.stderr.write(f"error: {error}\n")
    raise typer.Exit(code)


if __name__ == "__main__":
    app()
