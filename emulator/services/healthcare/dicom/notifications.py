"""Messages about instances that change, as Pub/Sub carries them.

https://cloud.google.com/healthcare-api/docs/dicom-pubsub, and the description of
`DicomNotificationConfig.pubsubTopic` in the API's reference: the attributes, and that the time is
as in RFC 1123.

Inferred (conformance: notification-stored, notification-bulk, notification-actions): the form of
`versionId`, which changes have messages, and the names of the actions that the reference leaves
out. Inferred (conformance: dicom-update-message): those of updates and patches.
Inferred (conformance: notification-imported, notification-singular): which form of the settings
asks for messages about imports.
"""

import base64
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from sqlite3 import Connection
from typing import Any

from emulator.services.healthcare.dicom.instances.changes import Action, Change
from emulator.services.healthcare.dicom.resource_path import ResourcePath
from emulator.services.healthcare.notifications import Notifier


class Notifications:
    """Adds messages about changes to the topics of their store. A `ChangeListener`.

    Args:
        notifier: publishes
        topics_of: returns the topics of a store that an action is published to
    """

    def __init__(
        self, notifier: Notifier, topics_of: Callable[[str, Action], Sequence[str]]
    ) -> None:
        self._notifier = notifier
        self._topics_of = topics_of

    def add(
        self,
        connection: Connection,
        store: str,
        action: Action,
        changes: Callable[[], Iterable[Change]],
    ) -> bool:
        """Add the messages about changes, as `ChangeListener.add` describes."""
        topics = self._topics_of(store, action)
        if not topics:
            return False
        now = datetime.now(UTC)  # one change has one time in all topics
        messages = [_message(store, change, action, now) for change in changes()]
        for topic in topics if messages else ():
            self._notifier.add(connection, store, topic, messages)
        return bool(messages)

    def wake(self) -> None:
        """Deliver the messages: the transaction is committed."""
        self._notifier.wake()


def topics(store: Mapping[str, Any], action: Action) -> list[str]:
    """Return the topics of a DICOM store that an action is published to.

    The settings in the plural have no field for a choice: all actions are published. Those in the
    singular are for new instances, which updates may bring too; of bulk imports only where they
    say so.
    """
    single = store.get("notificationConfig")
    if not single:
        return [config["pubsubTopic"] for config in store.get("notificationConfigs", [])]
    is_wanted = action in (Action.STORED, Action.UPDATED) or (
        action is Action.IMPORTED and single.get("sendForBulkImport")
    )
    return [single["pubsubTopic"]] if is_wanted else []


def _message(store: str, instance: Change, action: Action, now: datetime) -> dict[str, object]:
    name = str(ResourcePath(store, instance.study, instance.series, instance.sop))
    attributes = {
        "action": str(action),
        "lastUpdatedTime": format_datetime(now, usegmt=True),
        "storeName": store,
        "studyInstanceUID": instance.study,
        "seriesInstanceUID": instance.series,
        "sopInstanceUID": instance.sop,
        "versionId": str(int(now.timestamp() * 1_000_000)),
        "modality": instance.modality,
        "storageClass": instance.storage_class,
    }
    if instance.previous_storage_class:
        attributes["previousStorageClass"] = instance.previous_storage_class
    return {"data": base64.b64encode(name.encode()).decode(), "attributes": attributes}
