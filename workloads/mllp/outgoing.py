"""The outgoing side: notifications of an HL7v2 store, to messages for a peer.

The subscription is the queue: a notification is acknowledged once the peer has acknowledged the
message, so a crash repeats a message at worst. Messages are sent one after the other.
"""

import threading
from dataclasses import dataclass

from workloads.common.counters import Counters
from workloads.common.delivery import Backoff, Unavailable
from workloads.common.logs import Log
from workloads.common.spool import Spool
from workloads.common.subscription import Notification, Subscription
from workloads.mllp.acknowledgement import REJECT, Acknowledgement
from workloads.mllp.framing import CARRIAGE_RETURN, END
from workloads.mllp.peer import Peer
from workloads.mllp.store import Messages

_PULLED = 10
_ATTEMPTS = 5
"""Of a message that the peer answers with an error (AE), which may pass."""
_MARGIN_SECONDS = 90
"""Of the deadline of a notification, for the longest wait between two attempts."""
_MAX_DEADLINE_SECONDS = 600
"""Of Pub/Sub."""


@dataclass(frozen=True)
class Route:
    """The way of a message.

    Attributes:
        subscription: to the notifications
        messages: of the stores
        peer: that takes the messages
        ack_seconds: that the peer has for each answer
        dead_letters: of messages that the peer refuses; None returns their notifications to the
            subscription, whose dead letter policy decides
    """

    subscription: Subscription
    messages: Messages
    peer: Peer
    ack_seconds: float
    dead_letters: Spool | None


class Outgoing:
    """Sends the messages of a route until `stop` is set."""

    def __init__(self, route: Route, log: Log, counters: Counters, stop: threading.Event) -> None:
        self._route, self._log, self._counters, self._stop = route, log, counters, stop

    def run(self) -> None:
        """Pull, send and acknowledge.

        Raises:
            SubscriptionError: the subscription can't be used
        """
        for pulled in self._route.subscription.receive(_PULLED, self._stop):
            self._send_all(pulled)
        self._route.peer.close()

    def _send_all(self, notifications: list[Notification]) -> None:
        for index in range(len(notifications)):
            self._counters.add("notifications")
            self._until_done(notifications[index:])
            if self._stop.is_set():
                return

    def _until_done(self, rest: list[Notification]) -> None:
        """Send the first message of those that are pulled, and keep the others."""
        backoff, errors = Backoff(), 0
        while not self._stop.is_set():
            self._route.subscription.extend(rest, self._deadline())
            try:
                answer = self._send(rest[0])
            except Unavailable as failure:
                self._wait(backoff, failure, rest[0].name)
                continue
            if answer is None or answer.is_accepted:
                return self._route.subscription.acknowledge(rest[:1])
            errors += 1
            if answer.is_rejected or errors == _ATTEMPTS:
                return self._give_up(rest[0], answer)
            self._wait(backoff, Unavailable(f"the peer answers {answer.code}"), rest[0].name)
        return None

    def _send(self, notification: Notification) -> Acknowledgement | None:
        """Send a message; return the answer, or None if there is no such message any longer."""
        data = self._route.messages.get(notification.name)
        if data is None:
            self._log.warning("message does not exist", name=notification.name)
            return None
        if END + CARRIAGE_RETURN in data:
            return Acknowledgement(REJECT, "", "the message contains the end of a frame")
        answer = self._route.peer.send(data)
        if answer.is_accepted:
            self._counters.add("sent")
            self._log.info("message sent", name=notification.name, bytes=len(data))
        return answer

    def _give_up(self, notification: Notification, answer: Acknowledgement) -> None:
        self._counters.add("dead_letters")
        self._log.error("peer refused a message", name=notification.name, code=answer.code)
        if self._route.dead_letters is None:
            self._route.subscription.extend([notification], 0)
            return
        reason = f"{answer.code} {answer.text}".strip()
        self._route.dead_letters.bury(b"", reason, name=notification.name)
        self._route.subscription.acknowledge([notification])

    def _deadline(self) -> int:
        return min(int(self._route.ack_seconds) + _MARGIN_SECONDS, _MAX_DEADLINE_SECONDS)

    def _wait(self, backoff: Backoff, failure: Unavailable, name: str) -> None:
        seconds = backoff.seconds()
        self._counters.add("retries")
        self._log.warning(
            "not sent", name=name, reason=str(failure), retry_in_seconds=round(seconds, 1)
        )
        self._stop.wait(seconds)
