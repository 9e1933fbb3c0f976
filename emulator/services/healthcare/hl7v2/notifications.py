"""Messages of Pub/Sub about messages that are created or ingested.

https://cloud.google.com/healthcare-api/docs/how-tos/pubsub, and the description of
`Hl7V2NotificationConfig`. Inferred (conformance: hl7v2-notification): no attributes, and no
notification about a message that was there, nor about an import.
"""

from collections.abc import Iterator, Mapping, Sequence
from sqlite3 import Connection
from typing import Any

from emulator.core.json_bytes import encode_bytes
from emulator.services.healthcare.hl7v2.message_filter import compile_filter
from emulator.services.healthcare.notifications import Notifier


def add(
    connection: Connection,
    notifier: Notifier,
    store: Mapping[str, Any],
    time_zone: str,
    message: Mapping[str, Any],
) -> bool:
    """Notify the topics of a store whose filters match a new message, in its transaction.

    Args:
        connection: in the transaction; `notifier.wake` must follow the commit
        notifier: publishes
        store: the store as a resource
        time_zone: of its dataset
        message: the message as a resource

    Returns:
        Whether there is a topic to notify
    """
    topics = [*_topics(store, time_zone, message)]
    for topic in topics:
        notifier.add(connection, store["name"], topic, [about(message["name"])])
    return bool(topics)


def about(name: str) -> dict[str, str]:
    """Return the message of Pub/Sub about a message, by its resource name."""
    return {"data": encode_bytes(name.encode())}


def configs_of(store: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Return the settings of the notifications of a store; most stores have none."""
    single = store.get("notificationConfig", {})
    return [single] if single else store.get("notificationConfigs", [])


def _topics(store: Mapping[str, Any], time_zone: str, message: Mapping[str, Any]) -> Iterator[str]:
    for config in configs_of(store):
        matches = compile_filter(config.get("filter", ""), time_zone)
        if config.get("pubsubTopic") and matches(message):
            yield config["pubsubTopic"]
