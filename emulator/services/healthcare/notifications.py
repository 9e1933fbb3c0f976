"""Notifications: messages about the data of a store, published to the store's topics.

Inferred (conformance: notification-imported, notification-singular): which form of the settings
asks for messages about imports.
"""

import logging
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from emulator.core.errors import RPC_CODES
from emulator.core.json_bytes import decode_bytes
from emulator.core.resource_name import ResourceName
from emulator.services.healthcare.failure_log import FailureLog
from emulator.services.healthcare.service_agent import ServiceAgent
from emulator.services.healthcare.stores.models import Resources
from emulator.services.pubsub.messages import Messages
from emulator.services.pubsub.topics import Topics

LOG = logging.getLogger(__name__)


class Action(StrEnum):
    """A change of the data of a store: the name of its method, as messages have it."""

    STORED = "StoreInstances"
    IMPORTED = "ImportDicomData"
    DELETED = "DeleteInstances"
    STORAGE_CLASS_SET = "SetBlobSettings"
    STORE_DEIDENTIFIED = "DeidentifyDicomStore"
    DATASET_DEIDENTIFIED = "DeidentifyDataset"


class Notifier:
    """Publishes as a project's service agent.

    A message that can't be published is logged and dropped, as in the real service: the data that
    it is about stays.
    """

    def __init__(
        self,
        resources: Resources,
        agent: ServiceAgent,
        topics: Topics,
        messages: Messages,
        failures: FailureLog,
    ) -> None:
        self._resources = resources
        self._agent = agent
        self._topics = topics
        self._messages = messages
        self._failures = failures

    def topics_of(self, store: str, action: Action) -> list[str]:
        """Return the topics of a DICOM store that an action is published to.

        The settings in the plural have no field for a choice: all actions are published. Those in
        the singular are for new instances, of bulk imports only where they say so.
        """
        body = self._resources.get(store)
        single = body.get("notificationConfig")
        if not single:
            return [config["pubsubTopic"] for config in body.get("notificationConfigs", [])]
        is_wanted = action is Action.STORED or (
            action is Action.IMPORTED and single.get("sendForBulkImport")
        )
        return [single["pubsubTopic"]] if is_wanted else []

    def publish(self, store: str, topic: str, messages: Sequence[Mapping[str, Any]]) -> None:
        """Publish messages about a store's data to one of its topics."""
        project = ResourceName.parse(store).project
        if not self._agent.may_publish(project, topic):
            self._drop(
                (store, topic),
                messages,
                "PERMISSION_DENIED",
                f"{self._agent.email(project)} does not have pubsub.topics.publish on {topic}. "
                "Grant it roles/pubsub.publisher.",
            )
        elif not self._topics.exists(topic):
            reason = f"The topic {topic} does not exist."
            self._drop((store, topic), messages, "NOT_FOUND", reason)
        else:
            self._messages.publish(topic, messages)

    def _drop(
        self,
        store_and_topic: tuple[str, str],
        messages: Sequence[Mapping[str, Any]],
        status: str,
        reason: str,
    ) -> None:
        LOG.error("dropped %d notifications of %s: %s", len(messages), store_and_topic[0], reason)
        # The data of a notification is the name of the resource.
        resources = [decode_bytes(message["data"]).decode() for message in messages]
        self._failures.log_notifications(*store_and_topic, resources, RPC_CODES[status], reason)
