"""Answers to incoming messages: by the store itself, or from the spool."""

import threading
import time
from typing import Protocol

from workloads.common.counters import Counters
from workloads.common.delivery import Backoff, Refused, Unavailable
from workloads.common.logs import Log
from workloads.common.spool import Item, Spool
from workloads.mllp import acknowledgement
from workloads.mllp.acknowledgement import ERROR, REJECT
from workloads.mllp.framing import Frame
from workloads.mllp.store import Denied, Messages, Nacked

RETRY_SECONDS = 20.0
"""A sender waits for its ACK this long at least: 30 s is the usual setting of engines."""


class Receiver(Protocol):
    """The part of the adapter that answers messages."""

    def answer(self, data: bytes, peer: str) -> bytes | None:
        """Return the ACK or NACK of a message; None closes the connection without either."""


class DirectReceiver:
    """Passes a message to the store, and the store's ACK or NACK to the sender.

    Without an answer of the store there is none for the sender either: it sends the message again
    on a new connection, as with Google's adapter. A NACK would make many senders drop it.
    """

    def __init__(
        self, messages: Messages, store: str, log: Log, counters: Counters, stop: threading.Event
    ) -> None:
        self._messages, self._store = messages, store
        self._log, self._counters, self._stop = log, counters, stop

    def answer(self, data: bytes, peer: str) -> bytes | None:
        """Ingest a message; retry for `RETRY_SECONDS` at most."""
        backoff, deadline = Backoff(), time.monotonic() + RETRY_SECONDS
        while True:
            try:
                ack = self._messages.ingest(self._store, data)
            except Nacked as refusal:
                self._log.warning("store refused a message", peer=peer, bytes=len(data))
                self._counters.add("nacks")
                return refusal.nack
            except Refused as refusal:
                self._log.warning("API refused a message", peer=peer, bytes=len(data))
                self._counters.add("nacks")
                return acknowledgement.acknowledge(data, ERROR, str(refusal))
            except Unavailable as failure:
                seconds = backoff.seconds()
                is_over = time.monotonic() + seconds > deadline
                if isinstance(failure, Denied) or is_over or self._stop.wait(seconds):
                    self._log.error("message not stored", peer=peer, reason=str(failure))
                    self._counters.add("unanswered")
                    return None
            else:
                self._counters.add("acks")
                return ack


class SpooledReceiver:
    """Keeps a message in the spool, and acknowledges it at once."""

    def __init__(self, spool: Spool, log: Log, counters: Counters) -> None:
        self._spool, self._log, self._counters = spool, log, counters

    def answer(self, data: bytes, peer: str) -> bytes | None:
        """Accept a message that has a header."""
        if not acknowledgement.has_header(data):
            self._log.warning("message without a header", peer=peer, bytes=len(data))
            self._counters.add("nacks")
            return acknowledgement.acknowledge(data, ERROR, "the message has no MSH segment")
        try:
            self._spool.put(data, peer=peer)
        except OSError as error:
            self._log.error("spool can't be written", peer=peer, reason=error.strerror)
            self._counters.add("unanswered")
            return None
        self._counters.add("acks")
        return acknowledgement.acknowledge(data)


def answer_frame(receiver: Receiver, frame: Frame, peer: str, max_bytes: int) -> bytes | None:
    """Answer a frame: an oversized message is rejected, and the connection stays open."""
    if frame.is_oversized:
        reason = f"the message is larger than {max_bytes} bytes"
        return acknowledgement.acknowledge(frame.data, REJECT, reason)
    return receiver.answer(frame.data, peer)


class StoreDelivery:
    """Delivers messages of the spool to a store."""

    def __init__(self, messages: Messages, store: str) -> None:
        self._messages, self._store = messages, store

    def __call__(self, item: Item) -> None:
        """Ingest a message; a NACK makes it a dead letter."""
        self._messages.ingest(self._store, item.read())
