"""Event notifications: messages to a secret's topics about each change of it and its versions.

Documented (https://cloud.google.com/secret-manager/docs/event-notifications): the types of events,
attributes and data, and that the service agent of Secret Manager needs the role Pub/Sub Publisher.

Inferred (conformance: secret-topic-text): the text for a topic that can't be published to.
"""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from sqlite3 import Connection
from typing import Any

from emulator.core import timestamps
from emulator.core.errors import failed_precondition
from emulator.core.json_bytes import encode_bytes
from emulator.services.iam.conditions import Target
from emulator.services.iam.service import Iam
from emulator.services.iam.service_accounts import agent_email

LOG = logging.getLogger(__name__)
API = "secretmanager.googleapis.com"
CONFIGURED = "TOPIC_CONFIGURED"
CREATED, UPDATED, DELETED = "SECRET_CREATE", "SECRET_UPDATE", "SECRET_DELETE"
VERSION_ADDED = "SECRET_VERSION_ADD"
VERSION_ENABLED, VERSION_DISABLED = "SECRET_VERSION_ENABLE", "SECRET_VERSION_DISABLE"
VERSION_DESTROYED = "SECRET_VERSION_DESTROY"
DESTRUCTION_SCHEDULED = "SECRET_VERSION_DESTROY_SCHEDULED"
REQUESTED, EXPIRED = "REQUESTED", "EXPIRATION"
"""Why a secret was deleted."""
_PUBSUB = "pubsub.googleapis.com"
_PUBLISH = "pubsub.topics.publish"

Json = dict[str, Any]


@dataclass(frozen=True)
class Publisher:
    """Pub/Sub, as events need it.

    Attributes:
        exists: whether there is a topic of a full name
        add: publishes messages to a topic, in a transaction
        wake: delivers what was added; the transaction is committed
    """

    exists: Callable[[str], bool]
    add: Callable[[Connection, str, Sequence[Mapping[str, Any]]], object]
    wake: Callable[[], None]


class Events:
    """Publishes as the service agent of a secret's project."""

    def __init__(self, iam: Iam, publisher: Publisher) -> None:
        self._iam = iam
        self._publisher = publisher

    def check_topics(self, secret: Json) -> None:
        """Refuse a secret with a topic that its service agent can't publish to.

        Raises:
            ApiError: 400, naming the topic and the agent
        """
        for topic in _topics(secret):
            if reason := self._reason(secret, topic):
                raise failed_precondition(reason)

    def add(
        self,
        connection: Connection,
        event: str,
        secret: Json,
        version: Json | None = None,
        **attributes: str,
    ) -> None:
        """Publish an event in the transaction of its change; `wake` must follow the commit.

        Args:
            connection: in the transaction
            event: the type
            secret: with its topics
            version: that the event is about, if it is not about the secret
            attributes: further ones of the message
        """
        about = {"versionId": version["name"]} if version else {}
        message = {
            "data": encode_bytes(json.dumps(version or secret).encode()),
            "attributes": {
                "eventType": event,
                "dataFormat": "JSON_API_V1",
                "secretId": secret["name"],
                "timestamp": timestamps.now(),
                **about,
                **attributes,
            },
        }
        for topic in _topics(secret):
            # As in the real service, a change succeeds though its message can't be published.
            if reason := self._reason(secret, topic):
                LOG.error("dropped the event %s of %s: %s", event, secret["name"], reason)
            else:
                self._publisher.add(connection, topic, [message])

    def wake(self) -> None:
        """Deliver the messages that were added: the transaction is committed."""
        self._publisher.wake()

    def _reason(self, secret: Json, topic: str) -> str:
        """Return why a topic can't be published to; empty if it can."""
        email = agent_email(secret["name"].split("/")[1], API)
        if self._iam.service_accounts.missing_agents([email]):
            return (
                f"The service agent {email} does not exist: create it with gcloud beta services "
                f"identity create --service={API}, and grant it roles/pubsub.publisher on {topic}."
            )
        owner = "/".join(topic.split("/")[:2])
        target = Target(topic, _PUBSUB, f"{_PUBSUB}/Topic")
        member = f"serviceAccount:{email}"
        if not self._iam.policies.allows([owner, topic], member, _PUBLISH, target):
            return f"{email} does not have {_PUBLISH} on {topic}: grant it roles/pubsub.publisher."
        return "" if self._publisher.exists(topic) else f"The topic {topic} does not exist."


def _topics(secret: Json) -> list[str]:
    return [topic["name"] for topic in secret.get("topics", [])]
