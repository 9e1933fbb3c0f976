"""The outgoing side: notifications of an HL7v2 store, to messages for a peer.

The subscription is the queue: a notification is acknowledged once the peer has acknowledged the
message, so a crash repeats a message at worst. Messages are sent one after the other.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from workloads.common.counters import Counters
from workloads.common.delivery import Backoff, Unavailable
from workloads.common.logs import Log
from workloads.common.spool import Spool
from workloads.common.subscription import Notification, Subscription
from workloads.mllp.acknowledgement import ACCEPT, REJECT, Acknowledgement
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
        dead_letters: of messages that the peer refuses, and those that a person put back; None
            returns their notifications to the subscription, whose dead letter policy decides
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
        """Pull, send and acknowledge; send dead letters that a person has put back.

        Raises:
            SubscriptionError: the subscription can't be used
        """
        for pulled in self._route.subscription.receive(_PULLED, self._stop):
            self._send_all(pulled)
            self._send_redelivered()
        self._route.peer.close()

    def _send_all(self, notifications: list[Notification]) -> None:
        for index, notification in enumerate(notifications):
            self._counters.add("notifications")
            # The others are kept meanwhile.
            rest = notifications[index:]
            answer = self._until_answered(notification.name, partial(self._extend, rest))
            if answer is None:
                return
            if answer.is_accepted or self._is_buried(notification, answer):
                self._route.subscription.acknowledge([notification])
            else:
                self._route.subscription.extend([notification], 0)

    def _send_redelivered(self) -> None:
        spool = self._route.dead_letters
        while spool and (item := spool.poll()):
            name = item.attributes["name"]
            answer = self._until_answered(name, lambda: None)
            if answer is None:
                return
            if answer.is_accepted:
                spool.remove(item)
            else:
                self._note_refusal(name, answer)
                spool.refuse(item, _reason(answer))

    def _until_answered(self, name: str, before_each: Callable[[], None]) -> Acknowledgement | None:
        """Send a message until the peer takes or refuses it; None if the adapter stops before."""
        backoff, errors = Backoff(), 0
        while not self._stop.is_set():
            before_each()
            try:
                answer = self._send(name)
            except Unavailable as failure:
                self._wait(backoff, failure, name)
                continue
            errors += not answer.is_accepted
            if answer.is_accepted or answer.is_rejected or errors == _ATTEMPTS:
                return answer
            self._wait(backoff, Unavailable(f"the peer answers {answer.code}"), name)
        return None

    def _send(self, name: str) -> Acknowledgement:
        """Send a message; return the answer, as if accepted if there is no such message now."""
        data = self._route.messages.get(name)
        if data is None:
            self._log.warning("message does not exist", name=name)
            return Acknowledgement(ACCEPT, "", "")
        if END + CARRIAGE_RETURN in data:
            return Acknowledgement(REJECT, "", "the message contains the end of a frame")
        answer = self._route.peer.send(data)
        if answer.is_accepted:
            self._counters.add("sent")
            self._log.info("message sent", name=name, bytes=len(data))
        return answer

    def _is_buried(self, notification: Notification, answer: Acknowledgement) -> bool:
        """Write the dead letter of a message that the peer refuses, if there is a place for it."""
        self._note_refusal(notification.name, answer)
        if self._route.dead_letters is None:
            return False
        self._route.dead_letters.bury(b"", _reason(answer), name=notification.name)
        return True

    def _note_refusal(self, name: str, answer: Acknowledgement) -> None:
        self._counters.add("dead_letters")
        self._log.error("peer refused a message", name=name, code=answer.code)

    def _extend(self, notifications: list[Notification]) -> None:
        self._route.subscription.extend(notifications, self._deadline())

    def _deadline(self) -> int:
        return min(int(self._route.ack_seconds) + _MARGIN_SECONDS, _MAX_DEADLINE_SECONDS)

    def _wait(self, backoff: Backoff, failure: Unavailable, name: str) -> None:
        seconds = backoff.seconds()
        self._counters.add("retries")
        self._log.warning(
            "not sent", name=name, reason=str(failure), retry_in_seconds=round(seconds, 1)
        )
        self._stop.wait(seconds)


def _reason(answer: Acknowledgement) -> str:
    return f"{answer.code} {answer.text}".strip()
