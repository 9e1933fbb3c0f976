"""The command `python -m workloads.dimse`."""

import logging
import signal
import sys
import threading
import warnings
from pathlib import Path
from typing import Annotated

import typer

from workloads.common import logs
from workloads.common.google import CredentialsError
from workloads.common.logs import Log
from workloads.common.secrets import SecretError
from workloads.common.spool import SpoolError
from workloads.common.subscription import SubscriptionError
from workloads.common.tls import TlsError
from workloads.dimse.errors import UsageError
from workloads.dimse.run import Options, run

LOG = Log("dimse")
USAGE_ERROR = 2


def main(
    aet: Annotated[str, typer.Option(help="Own AE title; other called titles are rejected")],
    dicomweb_store: Annotated[
        str, typer.Option(help="projects/P/locations/L/datasets/D/dicomStores/S")
    ],
    port: Annotated[int, typer.Option(min=0, max=65535, help="TCP port; 0 is any free one")] = 104,
    host: Annotated[str, typer.Option(help="Address to listen on")] = "0.0.0.0",  # noqa: S104
    aet_dictionary: Annotated[
        Path | None, typer.Option(help="JSON file: a list of objects with name, host, port [, tls]")
    ] = None,
    aet_dictionary_inline: Annotated[
        str, typer.Option(envvar="ENV_AETS_JSON", help="The same as text")
    ] = "",
    calling_aet: Annotated[
        list[str] | None, typer.Option(help="AE title that may connect; repeatable; default: all")
    ] = None,
    sop_class: Annotated[
        list[str] | None, typer.Option(help="UID of a private storage SOP class; repeatable")
    ] = None,
    spool: Annotated[
        Path | None,
        typer.Option(help="Folder to keep instances in: answer at once, deliver afterwards"),
    ] = None,
    delivery_threads: Annotated[
        int, typer.Option(min=1, max=64, help="Deliveries from the spool at the same time")
    ] = 4,
    max_associations: Annotated[int, typer.Option(min=1, help="At the same time")] = 25,
    max_instance_bytes: Annotated[int, typer.Option(min=1, help="Of one C-STORE")] = 1 << 30,
    tls_certificate: Annotated[
        Path | None, typer.Option(help="PEM file or secret: accept TLS associations alone")
    ] = None,
    tls_key: Annotated[
        Path | None, typer.Option(help="PEM file or secret of its private key")
    ] = None,
    tls_ca: Annotated[
        Path | None,
        typer.Option(help="PEM file or secret of authorities: peers need certificates of theirs"),
    ] = None,
    outgoing: Annotated[
        bool, typer.Option("--outgoing", help="Send new instances of the store to --peer instead")
    ] = False,
    subscription: Annotated[
        str, typer.Option(help="projects/P/subscriptions/S of the store's notifications")
    ] = "",
    peer: Annotated[str, typer.Option(help="AE title in the dictionary to send to")] = "",
    counters_seconds: Annotated[
        float, typer.Option(min=1, help="Interval between lines with the counters in the log")
    ] = 60,
) -> None:
    """Connect DIMSE peers with a DICOM store of the Cloud Healthcare API."""
    logs.configure()
    _silence_libraries()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    options = Options(
        aet=aet,
        dicomweb_store=dicomweb_store,
        port=port,
        host=host,
        aet_dictionary=aet_dictionary,
        aet_dictionary_inline=aet_dictionary_inline,
        calling_aets=calling_aet or [],
        sop_classes=sop_class or [],
        spool=spool,
        delivery_threads=delivery_threads,
        max_associations=max_associations,
        max_instance_bytes=max_instance_bytes,
        tls_certificate=tls_certificate,
        tls_key=tls_key,
        tls_ca=tls_ca,
        outgoing=outgoing,
        subscription=subscription,
        peer=peer,
        counters_seconds=counters_seconds,
    )
    try:
        run(options, stop)
    except (
        *(UsageError, SpoolError, SubscriptionError),
        *(TlsError, SecretError, CredentialsError),
    ) as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(USAGE_ERROR)


def _silence_libraries() -> None:
    """Keep the texts of libraries out of the log: they quote values of patients."""
    warnings.simplefilter("ignore")
    logging.getLogger().addHandler(logging.NullHandler())
    threading.excepthook = lambda crash: LOG.error(
        "thread crashed", exception_type=crash.exc_type.__name__
    )


if __name__ == "__main__":
    typer.run(main)
