"""Notifications: messages about the data of a store, published to the store's topics."""

import logging
from collections.abc import Mapping, Sequence
from sqlite3 import Connection
from typing import Any

from emulator.core.errors import RPC_CODES
from emulator.core.json_bytes import decode_bytes
from emulator.core.resource_name import ResourceName
from emulator.services.healthcare.failure_log import FailureLog
from emulator.services.healthcare.service_agent import ServiceAgent
from emulator.services.pubsub.messages import Messages
from emulator.services.pubsub.topics import Topics

LOG = logging.getLogger(__name__)


class Notifier:
    """Publishes as a project's service agent.

    A message that can't be published is logged and dropped, as in the real service: the data that
    it is about stays.
    """

    def __init__(
        self,
        agent: ServiceAgent,
        topics: Topics,
        messages: Messages,
        failures: FailureLog,
    ) -> None:
        self._agent = agent
        self._topics = topics
        self._messages = messages
        self._failures = failures

    def add(
        self,
        connection: Connection,
        store: str,
        topic: str,
        messages: Sequence[Mapping[str, Any]],
        names: Sequence[str] = (),
    ) -> None:
        """Publish messages in the transaction of the change; `wake` must follow the commit.

        Topics and their messages are in the same database as the data of the stores. So a change
        and its messages are committed together, and a crash loses neither.

        Args:
            connection: in the transaction
            store: the full name of the store
            topic: the full name of one of its topics
            messages: about the store's data
            names: of the resources that they are about; by default what the messages hold
        """
        project = ResourceName.parse(store).project
        if not self._agent.may_publish(project, topic):
            status = "PERMISSION_DENIED"
            reason = (
                f"{self._agent.email(project)} does not have pubsub.topics.publish on {topic}. "
                "Grant it roles/pubsub.publisher."
            )
        elif not self._topics.exists(topic):
            status, reason = "NOT_FOUND", f"The topic {topic} does not exist."
        else:
            self._messages.add(connection, topic, messages)
            return
        LOG.error("dropped %d notifications of %s: %s", len(messages), store, reason)
        resources = names or [decode_bytes(message["data"]).decode() for message in messages]
        self._failures.add_notifications(
            connection, store, topic, resources, RPC_CODES[status], reason
        )

    def wake(self) -> None:
        """Deliver the messages that were added: the transaction is committed."""
        self._messages.notify()
