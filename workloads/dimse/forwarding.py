"""The outgoing side without a spool: the subscription is the queue.

A notification is acknowledged once the peer has the instance, so that nothing is lost on a machine
without a disk, such as one of Cloud Run. A crash sends an instance again at worst.
"""

import threading
from concurrent.futures import ThreadPoolExecutor

from workloads.common.counters import Counters
from workloads.common.delivery import Backoff, Refused, Unavailable
from workloads.common.logs import Log
from workloads.common.subscription import Notification, Subscription
from workloads.dimse.outgoing import Sender, instance_of

LOG = Log("dimse.outgoing")
DEADLINE_SECONDS = 300
"""Of a notification in work: for the transfer of an instance, and the longest wait after it."""


class Forwarder:
    """Sends the instances of notifications, several at the same time.

    Args:
        subscription: to the notifications of the store
        store: whose notifications are sent; those of others are skipped
        sender: sends an instance
        counters: counts `notifications`, `skipped_notifications`, `retries` and `dead_letters`
    """

    def __init__(
        self, subscription: Subscription, store: str, sender: Sender, counters: Counters
    ) -> None:
        self._subscription, self._store = subscription, store
        self._sender, self._counters = sender, counters

    def run(self, workers: int, stop: threading.Event) -> None:
        """Receive and send until the adapter stops.

        Args:
            workers: instances that are sent at the same time
            stop: ends it after the current attempts

        Raises:
            SubscriptionError: the subscription can't be used
        """
        with ThreadPoolExecutor(workers) as pool:
            for notifications in self._subscription.receive(workers, stop):
                for _ in pool.map(lambda one: self._until_done(one, stop), notifications):
                    pass

    def _until_done(self, notification: Notification, stop: threading.Event) -> None:
        self._counters.add("notifications")
        found = instance_of(notification, self._store)
        if found is None:
            self._counters.add("skipped_notifications")
            return self._subscription.acknowledge([notification])
        backoff = Backoff()
        while not stop.is_set():
            self._subscription.extend([notification], DEADLINE_SECONDS)
            try:
                self._sender.send(*found)
            except Unavailable as failure:
                self._retry(backoff, found[1], str(failure), stop)
            except Refused as refusal:
                return self._give_up(notification, found[1], refusal.reason)
            except Exception as error:
                LOG.exception("sending crashed", instance=found[1])
                self._retry(backoff, found[1], type(error).__name__, stop)
            else:
                return self._subscription.acknowledge([notification])
        return None

    def _retry(self, backoff: Backoff, instance: str, reason: str, stop: threading.Event) -> None:
        seconds = backoff.seconds()
        self._counters.add("retries")
        LOG.warning(
            "instance not sent",
            instance=instance,
            reason=reason,
            retry_in_seconds=round(seconds, 1),
        )
        stop.wait(seconds)

    def _give_up(self, notification: Notification, instance: str, reason: str) -> None:
        """Return a notification to the subscription, whose dead letter policy decides."""
        self._counters.add("dead_letters")
        LOG.error("instance refused", instance=instance, reason=reason)
        self._subscription.extend([notification], 0)
