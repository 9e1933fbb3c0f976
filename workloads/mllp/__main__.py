"""The command line, `python -m workloads.mllp`."""

import signal
import sys
import threading
from pathlib import Path
from typing import Annotated

import typer

from workloads.common import logs
from workloads.common.google import CredentialsError
from workloads.common.secrets import SecretError
from workloads.common.spool import SpoolError
from workloads.common.subscription import SubscriptionError
from workloads.common.tls import TlsError
from workloads.mllp import options, run
from workloads.mllp.options import TlsFiles, UsageError
from workloads.mllp.run import StartError
from workloads.mllp.server import Limits
from workloads.mllp.store import UnknownStoreError

HELP = """Carry HL7v2 messages between MLLP and HL7v2 stores of the Healthcare API.

Incoming, it listens for connections and stores each message. With --outgoing, it sends the
messages that a Pub/Sub subscription names to a peer.

[bold]Examples[/bold]

  python -m workloads.mllp --hl7v2-store projects/P/locations/L/datasets/D/hl7V2Stores/S

  python -m workloads.mllp --outgoing --subscription projects/P/subscriptions/S --peer his:2575

[bold]Exit codes[/bold]: 0 stopped by a signal; 1 failure; 2 usage error."""

_FAILED, _USAGE = 1, 2
_INCOMING, _OUTGOING, _BOTH = "Incoming", "Outgoing", "Both"

app = typer.Typer(
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command(help=HELP)
def main(
    hl7v2_store: Annotated[
        str | None, typer.Option(rich_help_panel=_INCOMING, help="Store that takes the messages")
    ] = None,
    receiver_ip: Annotated[
        str, typer.Option(rich_help_panel=_INCOMING, help="Address to listen at")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(rich_help_panel=_INCOMING, min=0, max=65_535, help="0 for any")
    ] = 2575,
    max_message_bytes: Annotated[
        int, typer.Option(rich_help_panel=_INCOMING, min=1, help="Larger messages are rejected")
    ] = Limits.message_bytes,
    max_connections: Annotated[
        int, typer.Option(rich_help_panel=_INCOMING, min=1, help="Open at the same time")
    ] = Limits.connections,
    tls_client_ca: Annotated[
        Path | None,
        typer.Option(
            rich_help_panel=_INCOMING, help="Authorities of clients, as PEM: a file or a secret"
        ),
    ] = None,
    is_outgoing: Annotated[
        bool, typer.Option("--outgoing", rich_help_panel=_OUTGOING, help="Send messages to a peer")
    ] = False,
    subscription: Annotated[
        str | None, typer.Option(rich_help_panel=_OUTGOING, help="projects/P/subscriptions/S")
    ] = None,
    peer: Annotated[
        str | None, typer.Option(rich_help_panel=_OUTGOING, metavar="HOST:PORT", help="Server")
    ] = None,
    peer_ca: Annotated[
        Path | None,
        typer.Option(
            rich_help_panel=_OUTGOING, help="Use TLS, with these authorities: a file or a secret"
        ),
    ] = None,
    ack_seconds: Annotated[
        float, typer.Option(rich_help_panel=_OUTGOING, min=0.1, help="To wait for each answer")
    ] = 30.0,
    tls_cert: Annotated[
        Path | None,
        typer.Option(rich_help_panel=_BOTH, help="Own certificate, as PEM: a file or a secret"),
    ] = None,
    tls_key: Annotated[
        Path | None,
        typer.Option(
            rich_help_panel=_BOTH, help="Key of the certificate, as PEM: a file or a secret"
        ),
    ] = None,
    spool: Annotated[
        Path | None,
        typer.Option(
            rich_help_panel=_BOTH,
            help="Folder: acknowledge messages once they are in it; it keeps dead letters",
        ),
    ] = None,
) -> None:
    """Run the adapter until SIGTERM or Ctrl-C."""
    logs.configure()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        if is_outgoing:
            _refuse(hl7v2_store, "--hl7v2-store")
            _refuse(tls_client_ca, "--tls-client-ca")
            files = TlsFiles(tls_cert, tls_key, peer_ca)
            run.send(options.outgoing(subscription, peer, ack_seconds, spool, files), stop)
        else:
            for value, name in (
                (subscription, "--subscription"),
                (peer, "--peer"),
                (peer_ca, "--peer-ca"),
            ):
                _refuse(value, name, "is for --outgoing alone")
            limits = Limits(max_message_bytes, max_connections)
            files = TlsFiles(tls_cert, tls_key, tls_client_ca)
            address = (receiver_ip, port)
            run.receive(options.incoming(address, hl7v2_store, spool, limits, files), stop)
    except (UsageError, TlsError) as error:
        _fail(error, _USAGE)
    except (
        *(CredentialsError, SecretError, SpoolError, StartError),
        *(SubscriptionError, UnknownStoreError),
    ) as error:
        _fail(error, _FAILED)


def _refuse(value: object, name: str, reason: str = "does not go with --outgoing") -> None:
    if value is not None:
        raise UsageError(f"{name} {reason}.")


def _fail(error: Exception, code: int) -> None:
    sys.stderr.write(f"error: {error}\n")
    raise typer.Exit(code)


if __name__ == "__main__":
    app()
