"""Push delivery: posts messages that are due to the endpoints of subscriptions."""

import logging
import threading
import time
from urllib.parse import urlsplit

import httpx

from emulator.services.pubsub import push_request
from emulator.services.pubsub.messages import Messages
from emulator.services.pubsub.subscriptions import Subscription, Subscriptions, endpoint

LOG = logging.getLogger(__name__)
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_CLOSING_SECONDS = 10.0


class PushWorker:
    """Posts messages, in a thread for each subscription, until it is closed.

    Only endpoints on this machine are called: a stack file may name real ones, and the local Google
    Cloud sends no request to other machines. Failed deliveries follow the subscription's retry
    policy and move to its dead-letter topic in the end. A slow endpoint, or one that never
    responds, delays its own subscription only.
    """

    def __init__(self, messages: Messages, subscriptions: Subscriptions) -> None:
        self._messages = messages
        self._subscriptions = subscriptions
        self._changed = threading.Condition()
        self._number = 0
        self._closed = False
        self._workers: dict[str, threading.Thread] = {}
        self._last_errors: dict[str, str] = {}
        self._client: httpx.Client | None = None
        self._thread = threading.Thread(target=self._run, name="pubsub-delivery", daemon=True)

    def start(self) -> None:
        """Begin, with what a restart left undelivered."""
        self._messages.on_change(self.wake)
        self._thread.start()

    def wake(self) -> None:
        """Look now for messages that are due."""
        with self._changed:
            self._number += 1
            self._changed.notify_all()

    def close(self) -> None:
        """Stop after the current messages; unacknowledged ones are redelivered."""
        self._closed = True
        self.wake()
        deadline = time.monotonic() + _CLOSING_SECONDS
        for thread in [self._thread, *self._workers.copy().values()]:
            if thread.is_alive():
                thread.join(max(deadline - time.monotonic(), 0))
        with self._changed:
            if self._client is not None:
                self._client.close()

    def _wait(self, number: int, due: float | None = None) -> None:
        """Wait for news since that number, until something is due at most."""
        left = None if due is None else max(due - time.time(), 0)
        with self._changed:
            self._changed.wait_for(lambda: self._number != number or self._closed, left)

    def _run(self) -> None:
        """Start a worker for each subscription with a push endpoint."""
        while not self._closed:
            number = self._number
            for name in self._subscriptions.pushed():
                if name not in self._workers:
                    worker = threading.Thread(target=self._work, args=(name,), daemon=True)
                    self._workers[name] = worker
                    worker.start()
            self._wait(number)

    def _work(self, name: str) -> None:
        try:
            while not self._closed:
                number = self._number
                # Read every time, because the subscription or its endpoint can be deleted.
                subscription = self._subscriptions.find(name)
                if subscription is None or not endpoint(subscription):
                    return
                due = self._messages.next_due(name) if self._is_local(subscription) else None
                if due is None or due > time.time():
                    self._wait(number, due)
                else:
                    self._deliver(subscription)
        finally:
            del self._workers[name]
            self.wake()  # the subscription may be back already

    def _is_local(self, subscription: Subscription) -> bool:
        host = urlsplit(endpoint(subscription)).hostname
        if host in _LOOPBACK:
            return True
        self._log_error(
            subscription["name"],
            f"nothing is pushed to {host}: only endpoints on this machine are called",
        )
        return False

    def _deliver(self, subscription: Subscription) -> None:
        """Post the messages that are due."""
        name = subscription["name"]
        for received in self._messages.pull(subscription, 1):
            failure = push_request.post(self._open_client(), subscription, received)
            if self._closed:
                return
            if failure is None:
                self._messages.acknowledge(subscription, [received["ackId"]])
                self._last_errors.pop(name, None)
            else:
                self._messages.modify_ack_deadline(subscription, [received["ackId"]], 0)
                self._log_error(
                    name, f"the endpoint did not take a message ({failure}): tried again"
                )

    def _open_client(self) -> httpx.Client:
        """Return the client of all endpoints, made for the first message: it loads certificates."""
        with self._changed:
            if self._client is None:
                # No proxy of the environment: what goes to this machine stays on it.
                self._client = httpx.Client(trust_env=False)
            return self._client

    def _log_error(self, name: str, error: str) -> None:
        """Log the error of a subscription's endpoint, unless it was the last one logged."""
        if self._last_errors.get(name) != error:
            self._last_errors[name] = error
            LOG.warning("%s: %s", name, error)
