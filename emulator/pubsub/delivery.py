"""Push delivery: what is due is posted to the endpoints of subscriptions."""

import logging
import threading
import time
from urllib.parse import urlsplit

import httpx

from emulator.pubsub.messages import Messages
from emulator.pubsub.subscriptions import Subscription, Subscriptions

LOG = logging.getLogger(__name__)
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_AT_ONCE = 100
_LONGEST_SLEEP = 60.0


class Delivery:
    """Posts messages in a thread of its own, until it is closed.

    Only endpoints on this machine are called: a stack file may name the real ones, and the local
    Google Cloud leaves the machine for nobody. What can't be delivered is tried again as the
    subscription's retry policy says, and goes to its dead-letter topic in the end.
    """

    def __init__(self, messages: Messages, subscriptions: Subscriptions) -> None:
        self._messages = messages
        self._subscriptions = subscriptions
        self._wake = threading.Condition()
        self._due = False
        self._closed = False
        self._told: set[str] = set()
        self._thread = threading.Thread(target=self._run, name="pubsub-delivery", daemon=True)

    def start(self) -> None:
        """Begin, with what a restart left undelivered."""
        self._messages.on_publish(self.wake)
        self._thread.start()

    def wake(self) -> None:
        """Look at once whether something is due."""
        with self._wake:
            self._due = True
            self._wake.notify()

    def close(self) -> None:
        """Stop after the message at hand."""
        with self._wake:
            self._closed = True
            self._wake.notify()
        if self._thread.is_alive():
            self._thread.join(timeout=10)

    def _run(self) -> None:
        with httpx.Client(timeout=10) as client:
            while not self._closed:
                local = [each for each in self._subscriptions.pushed() if self._is_local(each)]
                for subscription in local:
                    self._deliver(client, subscription)
                self._sleep([each["name"] for each in local])

    def _sleep(self, names: list[str]) -> None:
        due = self._messages.next_due(names) if names else None
        left = _LONGEST_SLEEP if due is None else min(max(due - time.time(), 0), _LONGEST_SLEEP)
        with self._wake:
            if not self._due and not self._closed:
                self._wake.wait(left)
            self._due = False

    def _is_local(self, subscription: Subscription) -> bool:
        endpoint = subscription["pushConfig"]["pushEndpoint"]
        if urlsplit(endpoint).hostname in _LOOPBACK:
            return True
        if subscription["name"] not in self._told:
            self._told.add(subscription["name"])
            LOG.warning("%s is not on this machine: nothing is pushed to it", endpoint)
        return False

    def _deliver(self, client: httpx.Client, subscription: Subscription) -> None:
        for received in self._messages.take(subscription, _AT_ONCE):
            if self._closed:
                return
            name, ack_id = subscription["name"], received["ackId"]
            if _post(client, subscription, received):
                self._messages.acknowledge(name, [ack_id])
            else:
                policy = subscription.get("retryPolicy") or {}
                backoff = float(policy.get("minimumBackoff", "1s").removesuffix("s"))
                self._messages.postpone(name, [ack_id], max(backoff, 0.1))


def _post(client: httpx.Client, subscription: Subscription, received: dict[str, object]) -> bool:
    """Post one message; whether the endpoint took it."""
    config = subscription["pushConfig"]
    body = {**received, "subscription": subscription["name"]}
    body.pop("ackId")
    try:
        answer = client.post(config["pushEndpoint"], json=body)
    except httpx.HTTPError as error:
        LOG.warning("push to %s failed: %s", config["pushEndpoint"], type(error).__name__)
        return False
    if not answer.is_success:
        LOG.warning("push to %s was answered %s", config["pushEndpoint"], answer.status_code)
    return answer.is_success
