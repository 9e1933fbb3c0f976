"""A run of the adapter: from its options to its end."""

import ssl
import threading
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from workloads.common import google, subscription
from workloads.common.counters import Counters
from workloads.common.delivery import Delivery
from workloads.common.logs import Log
from workloads.common.spool import Spool
from workloads.common.subscription import Subscription
from workloads.dimse import aet_dictionary, storing, tls
from workloads.dimse.aet_dictionary import Peer
from workloads.dimse.dicomweb import DicomWeb, StoreRefusal
from workloads.dimse.errors import UsageError
from workloads.dimse.forwarding import Forwarder
from workloads.dimse.outgoing import Receiver, Sender
from workloads.dimse.server import Server, Settings

LOG = Log("dimse")
ROLE = "roles/healthcare.dicomEditor"
"""Stores, searches and retrieves: https://cloud.google.com/healthcare-api/docs/access-control."""


@dataclass(frozen=True)
class Options:
    """The options of the command, as `--help` describes them."""

    aet: str
    dicomweb_store: str
    port: int
    host: str
    aet_dictionary: Path | None
    aet_dictionary_inline: str
    calling_aets: list[str]
    sop_classes: list[str]
    spool: Path | None
    delivery_threads: int
    max_associations: int
    max_instance_bytes: int
    tls_certificate: Path | None
    tls_key: Path | None
    tls_ca: Path | None
    outgoing: bool
    subscription: str
    peer: str
    counters_seconds: float


def run(options: Options, stop: threading.Event) -> None:
    """Run until `stop` is set.

    Raises:
        UsageError: an option, a file or the store is not valid
        TlsError: certificates or keys are not valid
        SpoolError: the folder of the spool can't be used
        SubscriptionError: the subscription can't be used
        CredentialsError: there are no credentials
    """
    for title in (options.aet, *options.calling_aets):
        aet_dictionary.check_aet(title)
    peers = _peers(options)
    client_tls = tls.client_context(options.tls_certificate, options.tls_key, options.tls_ca)
    connections = options.max_associations + options.delivery_threads
    dicomweb = DicomWeb(options.dicomweb_store, connections)
    _check_store(dicomweb)
    counters = Counters()
    reporting = counters.log_every(options.counters_seconds, LOG, stop)
    serve = _send if options.outgoing else _receive
    try:
        serve(options, peers, client_tls, dicomweb, counters, stop)
    finally:
        stop.set()
        reporting.join()
    LOG.info("stopped")


def _receive(
    options: Options,
    peers: dict[str, Peer],
    client_tls: ssl.SSLContext,
    dicomweb: DicomWeb,
    counters: Counters,
    stop: threading.Event,
) -> None:
    """Answer the requests of peers."""
    files = (options.tls_certificate, options.tls_key, options.tls_ca)
    settings = Settings(
        aet=options.aet,
        host=options.host,
        port=options.port,
        peers=peers,
        calling_aets=options.calling_aets,
        sop_classes=options.sop_classes,
        max_associations=options.max_associations,
        max_instance_bytes=options.max_instance_bytes,
        server_tls=tls.server_context(*files) if any(files[:2]) else None,
        client_tls=client_tls,
    )
    spool = Spool(options.spool) if options.spool else None
    server = Server(settings, dicomweb, spool, counters)
    delivery = None
    if spool:
        deliver = partial(storing.deliver, dicomweb)
        delivery = Delivery(spool, deliver, LOG, counters, workers=options.delivery_threads)
        delivery.start()
    port = server.start()
    LOG.info("listening", aet=options.aet, host=options.host, port=port)
    stop.wait()
    server.stop()
    if delivery:
        delivery.stop()


def _send(
    options: Options,
    peers: dict[str, Peer],
    client_tls: ssl.SSLContext,
    dicomweb: DicomWeb,
    counters: Counters,
    stop: threading.Event,
) -> None:
    """Send the instances of notifications to a peer."""
    if options.peer not in peers:
        raise UsageError(
            f"--peer {options.peer!r} is not in the AET dictionary. It has:"
            f" {', '.join(sorted(peers)) or 'no entries'}."
        )
    if not subscription.NAME.fullmatch(options.subscription):
        raise UsageError(
            f"{options.subscription!r} is not a valid subscription:"
            " projects/P/subscriptions/S is expected."
        )
    notifications = Subscription(
        google.session(1 + options.delivery_threads), options.subscription, LOG
    )
    sender = Sender(options.aet, peers[options.peer], client_tls, dicomweb, counters)
    LOG.info("receiving notifications", subscription=options.subscription, peer=options.peer)
    if not options.spool:
        forwarder = Forwarder(notifications, options.dicomweb_store, sender, counters)
        forwarder.run(options.delivery_threads, stop)
        return
    spool = Spool(options.spool)
    receiver = Receiver(notifications, options.dicomweb_store, spool, counters)
    delivery = Delivery(spool, sender.deliver, LOG, counters, workers=options.delivery_threads)
    delivery.start()
    threading.Thread(target=receiver.run, args=(stop,), name="receiver", daemon=True).start()
    stop.wait()
    delivery.stop()
    if receiver.failure:
        raise receiver.failure


def _peers(options: Options) -> dict[str, Peer]:
    if options.aet_dictionary and options.aet_dictionary_inline:
        raise UsageError("--aet-dictionary and --aet-dictionary-inline can't be used together.")
    if options.aet_dictionary_inline:
        return aet_dictionary.parse(options.aet_dictionary_inline, "The inline AET dictionary")
    if not options.aet_dictionary:
        return {}
    try:
        text = options.aet_dictionary.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise UsageError(f"{options.aet_dictionary} can't be read: {reason}.") from error
    return aet_dictionary.parse(text, str(options.aet_dictionary))


def _check_store(dicomweb: DicomWeb) -> None:
    """Raise `UsageError` for a store that does not answer as one; only log if none answers."""
    try:
        dicomweb.check()
    except StoreRefusal as refusal:
        name = dicomweb.store_name
        if refusal.code in (400, 404):
            raise UsageError(f"The DICOM store {name} does not exist: {refusal.comment}.") from None
        if refusal.code in (401, 403):
            raise UsageError(
                f"This account may not use the DICOM store {name}: grant it {ROLE} on the store."
                f" ({refusal.comment})"
            ) from None
        LOG.warning("the DICOM store is unavailable", reason=refusal.comment)
