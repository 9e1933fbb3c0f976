"""Messages about instances that a store has got, as Pub/Sub carries them.

https://cloud.google.com/healthcare-api/docs/dicom-pubsub, and the description of
`DicomNotificationConfig.pubsubTopic` in the API's reference.
"""

import base64
import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from emulator.healthcare.dicom.parsing import Record

if TYPE_CHECKING:
    from emulator.cloud import Cloud

LOG = logging.getLogger(__name__)
STORED, IMPORTED = "StoreInstances", "ImportDicomData"


def tell(cloud: "Cloud", store: str, records: Sequence[Record], action: str) -> None:
    """Tell the store's topics of new instances.

    What can't be published is logged and lost, as in the real service, and the instances stay.

    Args:
        cloud: The local Google Cloud.
        store: The full name of the DICOM store.
        records: The new instances.
        action: `STORED`, or `IMPORTED`, of which only topics hear that want bulk imports.
    """
    body = cloud.healthcare.get(store)
    single, several = body.get("notificationConfig"), body.get("notificationConfigs", [])
    for config in [single] if single else several:
        if records and (action != IMPORTED or config.get("sendForBulkImport")):
            _publish(cloud, store, config["pubsubTopic"], records, action)


def _publish(
    cloud: "Cloud", store: str, topic: str, records: Sequence[Record], action: str
) -> None:
    agent = cloud.services.healthcare_agent(store.split("/")[1])
    places = ["/".join(topic.split("/")[:2]), topic]
    if not cloud.policies.allows(places, f"serviceAccount:{agent}", "pubsub.topics.publish"):
        LOG.error(
            "%s does not have pubsub.topics.publish on %s: nobody is told of %d new instances of "
            "%s. Grant it roles/pubsub.publisher.",
            *(agent, topic, len(records), store),
        )
    elif not cloud.topics.exists(topic):
        LOG.error("%s is gone: nobody is told of %d new instances", topic, len(records))
    else:
        cloud.messages.publish(topic, [_message(store, record, action) for record in records])


def _message(store: str, record: Record, action: str) -> dict[str, object]:
    path = (
        f"{store}/dicomWeb/studies/{record.study_uid}/series/{record.series_uid}"
        f"/instances/{record.sop_uid}"
    )
    attributes = {
        "action": action,
        "lastUpdatedTime": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
        "storeName": store,
        "studyInstanceUID": record.study_uid,
        "seriesInstanceUID": record.series_uid,
        "sopInstanceUID": record.sop_uid,
        "modality": record.modality,
    }
    return {"data": base64.b64encode(path.encode()).decode(), "attributes": attributes}
