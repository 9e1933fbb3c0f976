"""Messages about instances that change, as Pub/Sub carries them.

https://cloud.google.com/healthcare-api/docs/dicom-pubsub, and the description of
`DicomNotificationConfig.pubsubTopic` in the API's reference: the attributes, and that the time is
as in RFC 1123.

Inferred (conformance: notification-stored, notification-bulk, notification-actions): the form of
`versionId`, which changes have messages, and the names of the actions that the reference leaves
out.
"""

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from sqlite3 import Row

from emulator.services.healthcare.dicom.parsing.parser import Record
from emulator.services.healthcare.dicom.resource_path import ResourcePath
from emulator.services.healthcare.notifications import Action, Notifier


@dataclass(frozen=True, slots=True)
class ChangedInstance:
    """An instance after a change, or before its deletion.

    Attributes:
        study, series, sop: its UIDs
        modality: empty if it has none
        storage_class: of its file
        previous_storage_class: empty if the storage class has not changed
    """

    study: str
    series: str
    sop: str
    modality: str
    storage_class: str
    previous_storage_class: str = ""

    @classmethod
    def of_record(cls, record: Record, storage_class: str) -> "ChangedInstance":
        """Return a new instance."""
        uids = (record.study_uid, record.series_uid, record.sop_uid)
        return cls(*uids, record.modality, storage_class)

    @classmethod
    def of_row(cls, row: Row, storage_class: str = "") -> "ChangedInstance":
        """Return an instance of the index from before a change of its storage class, or none."""
        old = row["storage_class"]
        new = storage_class or old
        uids = (row["study"], row["series"], row["sop"])
        return cls(*uids, row["modality"], new, "" if new == old else old)


def publish(
    notifier: Notifier, store: str, action: Action, changed: Iterable[ChangedInstance]
) -> None:
    """Notify the topics of a store of changed instances.

    Args:
        notifier: publishes
        store: the full name of the DICOM store
        action: the change
        changed: the instances; read only if the store has such a topic
    """
    topics = notifier.topics_of(store, action)
    if not topics:
        return
    now = datetime.now(UTC)  # one change has one time in all topics
    messages = [_message(store, instance, action, now) for instance in changed]
    for topic in topics if messages else ():
        notifier.publish(store, topic, messages)


def _message(
    store: str, instance: ChangedInstance, action: Action, now: datetime
) -> dict[str, object]:
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
