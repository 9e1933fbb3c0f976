"""A Pub/Sub subscription to the notifications of a store, by pull over REST."""

import base64
import re
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import requests
from google.auth.exceptions import GoogleAuthError
from google.auth.transport.requests import AuthorizedSession

from workloads.common import google
from workloads.common.delivery import Backoff, Unavailable
from workloads.common.logs import Log

NAME = re.compile(r"projects/[^/]+/subscriptions/[^/]+")
PULL_SECONDS = 120.0
"""Longer than the service waits for a message before it answers without one."""
EMPTY_SECONDS = 0.2
"""Until the next pull after one without messages: the service may answer at once (documented:
https://cloud.google.com/pubsub/docs/reference/rest/v1/projects.subscriptions/pull)."""


class SubscriptionError(Exception):
    """A subscription that does not exist, or may not be read, in a sentence for people."""


@dataclass(frozen=True)
class Notification:
    """A notification.

    Attributes:
        ack_id: of its delivery
        name: of the resource
        action: the method that changed it, of DICOM stores alone
    """

    ack_id: str
    name: str
    action: str = ""


class Subscription:
    """A subscription.

    Args:
        session: with credentials
        name: `projects/P/subscriptions/S`
        log: names the resources of notifications
    """

    def __init__(self, session: AuthorizedSession, name: str, log: Log) -> None:
        self._session, self._name, self._log = session, name, log

    def receive(self, number: int, stop: threading.Event) -> Iterator[list[Notification]]:
        """Yield a few notifications at a time until `stop` is set, with backoff after failures.

        Where there are none, it yields an empty list: callers have other work to look for.

        Args:
            number: of notifications at most
            stop: ends it after the current pull

        Raises:
            SubscriptionError: the subscription can't be used
        """
        backoff = Backoff()
        while not stop.is_set():
            try:
                found = self._pull(number)
            except Unavailable as failure:
                seconds = backoff.seconds()
                self._log.warning(
                    "notifications not received",
                    reason=str(failure),
                    retry_in_seconds=round(seconds, 1),
                )
                stop.wait(seconds)
                continue
            backoff.reset()
            yield found
            if not found:
                stop.wait(EMPTY_SECONDS)

    def acknowledge(self, notifications: Sequence[Notification]) -> None:
        """Forget notifications; those that can't be acknowledged now are delivered again."""
        self._try("not acknowledged", "acknowledge", notifications)

    def extend(self, notifications: Sequence[Notification], seconds: int) -> None:
        """Keep notifications from other subscribers; 0 returns them to the subscription."""
        self._try(
            "deadline not extended", "modifyAckDeadline", notifications, ackDeadlineSeconds=seconds
        )

    def _try(
        self, complaint: str, verb: str, notifications: Sequence[Notification], **body: Any
    ) -> None:
        try:
            self._call(verb, ackIds=[each.ack_id for each in notifications], **body)
        except (Unavailable, SubscriptionError) as failure:
            names = [each.name for each in notifications]
            self._log.warning(complaint, names=names, reason=str(failure))

    def _pull(self, number: int) -> list[Notification]:
        received = self._call("pull", maxMessages=number).get("receivedMessages", [])
        return [_notification(each) for each in received]

    def _call(self, verb: str, **body: Any) -> dict[str, Any]:
        url = f"{google.pubsub_root()}v1/{self._name}:{verb}"
        try:
            answer = self._session.post(url, json=body, timeout=PULL_SECONDS)
        except (requests.RequestException, GoogleAuthError) as error:
            raise Unavailable(f"no answer of Pub/Sub ({type(error).__name__})") from error
        if answer.status_code in google.TRANSIENT_CODES:
            raise Unavailable(f"Pub/Sub: {answer.status_code} {answer.reason}")
        if not answer.ok:
            raise SubscriptionError(
                f"The subscription {self._name} can't be used: {answer.status_code}"
                f" {answer.reason}. Check its name and the role roles/pubsub.subscriber."
            )
        return dict(answer.json())


def _notification(received: dict[str, Any]) -> Notification:
    message = received["message"]
    data = base64.b64decode(message.get("data", "")).decode("utf-8", "replace")
    action = message.get("attributes", {}).get("action", "")
    return Notification(received["ackId"], data.strip(), action)
