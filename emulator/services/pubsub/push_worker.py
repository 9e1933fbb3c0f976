"""Push delivery: what is due is posted to the endpoints of subscriptions."""

import logging
import threading
import time
from urllib.parse import urlsplit

import httpx

from emulator.pubsub import pushing
from emulator.pubsub.messages import Messages
from emulator.pubsub.subscriptions import Subscription, Subscriptions, endpoint

LOG = logging.getLogger(__name__)
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_CLOSING_SECONDS = 10.0


class Delivery:
    """Posts messages, in a thread for each subscription, until it is closed.

    Only endpoints on this machine are called: a stack file may name the real ones, and the local
    Google Cloud leaves the machine for nobody. What can't be delivered is tried again as the
    subscription's retry policy says, and goes to its dead-letter topic in the end. An endpoint
    that is slow, or never answers, holds up its own subscription alone.
    """

    def __init__(self, messages: Messages, subscriptions: Subscriptions) -> None:
        self._messages = messages
        self._subscriptions = subscriptions
        self._news = threading.Condition()
        self._number = 0
        self._closed = False
        self._workers: dict[str, threading.Thread] = {}
        self._told: dict[str, str] = {}
        # No proxy of the environment: what goes to this machine stays on it.
        self._client = httpx.Client(trust_env=False)
        self._thread = threading.Thread(target=self._run, name="pubsub-delivery", daemon=True)

    def start(self) -> None:
        """Begin, with what a restart left undelivered."""
        self._messages.on_publish(self.wake)
        self._thread.start()

    def wake(self) -> None:
        """Look at once whether something is due."""
        with self._news:
            self._number += 1
            self._news.notify_all()

    def close(self) -> None:
        """Stop after the messages at hand; what an endpoint still holds comes again."""
        self._closed = True
        self.wake()
        deadline = time.monotonic() + _CLOSING_SECONDS
        for thread in [self._thread, *self._workers.copy().values()]:
            if thread.is_alive():
                thread.join(max(deadline - time.monotonic(), 0))
        self._client.close()

    def _wait(self, number: int, due: float | None = None) -> None:
        """Wait for news since that number, until something is due at most."""
        left = None if due is None else max(due - time.time(), 0)
        with self._news:
            self._news.wait_for(lambda: self._number != number or self._closed, left)

    def _run(self) -> None:
        """Give every subscription that wants pushes a worker."""
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
                # Read every time: whoever deletes a subscription, or its endpoint, is heard.
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
        self._tell(
            subscription["name"],
            f"nothing is pushed to {host}: only endpoints on this machine are called",
        )
        return False

    def _deliver(self, subscription: Subscription) -> None:
        """Post what is due next."""
        name = subscription["name"]
        for received in self._messages.take(subscription, 1):
            failure = pushing.post(self._client, subscription, received)
            if self._closed:
                return
            if failure is None:
                self._messages.acknowledge(subscription, [received["ackId"]])
                self._told.pop(name, None)
            else:
                self._messages.postpone(subscription, [received["ackId"]], 0)
                self._tell(name, f"the endpoint did not take a message ({failure}): tried again")

    def _tell(self, name: str, trouble: str) -> None:
        """Log what is wrong with a subscription's endpoint, once as long as it stays so."""
        if self._told.get(name) != trouble:
            self._told[name] = trouble
            LOG.warning("%s: %s", name, trouble)
