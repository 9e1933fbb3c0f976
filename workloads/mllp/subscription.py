"""A Pub/Sub subscription to the notifications of an HL7v2 store, by pull over REST."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import requests
from google.auth.exceptions import GoogleAuthError
from google.auth.transport.requests import AuthorizedSession

from workloads.common import google
from workloads.common.delivery import Unavailable

PULL_SECONDS = 120.0
"""Longer than the service waits for a message before it answers without one."""


class SubscriptionError(Exception):
    """A subscription that does not exist, or may not be read, in a sentence for people."""


@dataclass(frozen=True)
class Notification:
    """A notification.

    Attributes:
        ack_id: of its delivery
        name: of the HL7v2 message, `projects/.../messages/M`
    """

    ack_id: str
    name: str


class Subscription:
    """A subscription.

    Args:
        session: with credentials
        name: `projects/P/subscriptions/S`
    """

    def __init__(self, session: AuthorizedSession, name: str) -> None:
        self._session, self._name = session, name

    def pull(self, number: int) -> list[Notification]:
        """Wait for notifications, and return a few.

        Raises:
            SubscriptionError: the subscription can't be used
            Unavailable: the service does not answer now
        """
        answer = self._call("pull", maxMessages=number)
        return [
            Notification(
                each["ackId"], base64.b64decode(each["message"].get("data", "")).decode().strip()
            )
            for each in answer.get("receivedMessages", [])
        ]

    def acknowledge(self, notification: Notification) -> None:
        """Forget a notification."""
        self._call("acknowledge", ackIds=[notification.ack_id])

    def extend(self, notifications: Sequence[Notification], seconds: int) -> None:
        """Keep notifications from other subscribers; 0 returns them to the subscription."""
        ids = [each.ack_id for each in notifications]
        self._call("modifyAckDeadline", ackIds=ids, ackDeadlineSeconds=seconds)

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
