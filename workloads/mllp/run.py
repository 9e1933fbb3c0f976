"""The two sides of the adapter, from their options to their end."""

import threading

from workloads.common import google
from workloads.common.counters import Counters
from workloads.common.delivery import Delivery, Unavailable
from workloads.common.logs import Log
from workloads.common.spool import Spool
from workloads.common.subscription import Subscription
from workloads.mllp.options import IncomingOptions, OutgoingOptions
from workloads.mllp.outgoing import Outgoing, Route
from workloads.mllp.peer import Peer
from workloads.mllp.receivers import DirectReceiver, Receiver, SpooledReceiver, StoreDelivery
from workloads.mllp.server import MllpServer
from workloads.mllp.store import Messages

STOP_SECONDS = 10.0
COUNTERS_SECONDS = 60.0


class StartError(Exception):
    """A reason why the adapter can't start, in a sentence for people."""


def receive(options: IncomingOptions, stop: threading.Event) -> None:
    """Serve the incoming side until `stop` is set.

    Raises:
        StartError: the address can't be listened at
        UnknownStoreError: the store does not exist
        CredentialsError: there are no credentials
        SpoolError: the folder can't be a spool
    """
    log, counters = Log("mllp"), Counters()
    messages = Messages(google.session(options.limits.connections))
    _check(messages, options.store, log)
    spool = Spool(options.spool) if options.spool else None
    receiver: Receiver = (
        SpooledReceiver(spool, log, counters)
        if spool
        else DirectReceiver(messages, options.store, log, counters, stop)
    )
    server = _server(options, receiver, log, counters)
    delivery = _delivery(spool, messages, options.store, log, counters)
    counting = counters.log_every(COUNTERS_SECONDS, log, stop)
    thread = threading.Thread(target=server.serve_forever, args=(0.1,), name="accept", daemon=True)
    thread.start()
    host = options.address[0]
    log.info("listening", host=host, port=server.port, store=options.store, tls=bool(options.tls))
    stop.wait()
    server.stop(STOP_SECONDS)
    if delivery:
        delivery.stop(STOP_SECONDS)
    counting.join()
    log.info("stopped", pending=spool.pending() if spool else 0)


def send(options: OutgoingOptions, stop: threading.Event) -> None:
    """Serve the outgoing side until `stop` is set.

    Raises:
        SubscriptionError: the subscription can't be used
        CredentialsError: there are no credentials
        SpoolError: the folder can't be a spool
    """
    log, counters = Log("mllp"), Counters()
    session = google.session(2)
    route = Route(
        Subscription(session, options.subscription, log),
        Messages(session),
        Peer(options.peer, options.ack_seconds, options.tls),
        options.ack_seconds,
        Spool(options.spool) if options.spool else None,
    )
    counting = counters.log_every(COUNTERS_SECONDS, log, stop)
    log.info("sending", subscription=options.subscription, peer=str(options.peer))
    failures: list[Exception] = []

    def work() -> None:
        try:
            Outgoing(route, log, counters, stop).run()
        except Exception as error:  # noqa: BLE001 (the main thread raises it)
            failures.append(error)
            stop.set()

    # A thread, since a pull waits for messages, and the main thread for signals.
    thread = threading.Thread(target=work, name="outgoing", daemon=True)
    thread.start()
    stop.wait()
    if route.peer.is_busy:
        thread.join(STOP_SECONDS)
    counting.join()
    if failures:
        raise failures[0]
    log.info("stopped")


def _check(messages: Messages, store: str, log: Log) -> None:
    try:
        messages.check(store)
    except Unavailable as failure:
        log.warning("store can't be checked", store=store, reason=str(failure))


def _server(
    options: IncomingOptions, receiver: Receiver, log: Log, counters: Counters
) -> MllpServer:
    try:
        return MllpServer(options.address, receiver, log, counters, options.limits, options.tls)
    except OSError as error:
        host, port = options.address
        raise StartError(
            f"The adapter can't listen at {host}:{port}: {error.strerror or error}. Choose another"
            " port with --port, or another address with --receiver-ip."
        ) from error


def _delivery(
    spool: Spool | None, messages: Messages, store: str, log: Log, counters: Counters
) -> Delivery | None:
    """Start the delivery of the spool; one thread keeps the order of messages."""
    if spool is None:
        return None
    delivery = Delivery(spool, StoreDelivery(messages, store), log, counters)
    delivery.start()
    return delivery
