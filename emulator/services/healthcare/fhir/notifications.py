"""Messages of Pub/Sub about resources that are created, updated, patched or deleted.

Documented (https://cloud.google.com/healthcare-api/docs/fhir-pubsub): the attributes, the data, and
what decides whether a message has the name or the whole resource. Inferred (conformance:
fhir-notification): a resource of more than 10 MB goes by its name.
"""

from collections.abc import Mapping, Sequence
from email.utils import format_datetime
from sqlite3 import Connection
from typing import Any

from emulator.core.json_bytes import encode_bytes
from emulator.services.healthcare.fhir import instants, json_text
from emulator.services.healthcare.fhir.resources.changes import DELETE, PATCH, Change
from emulator.services.healthcare.fhir.store_settings import StoreSettings
from emulator.services.healthcare.notifications import Notifier

MAX_BYTES = 10_000_000
"""Bytes of a message, as Pub/Sub limits them."""
_INDENT = 2


class Notifications:
    """Notifies the topics of a store about changes. A `ChangeListener`."""

    def __init__(self, notifier: Notifier) -> None:
        self._notifier = notifier

    def add(
        self, connection: Connection, settings: StoreSettings, changes: Sequence[Change]
    ) -> bool:
        """Add the messages of changes, as `ChangeListener.add` describes."""
        configs = [config for config in settings.notifications if config.get("pubsubTopic")]
        for config in configs if changes else ():
            messages = [_message(settings.name, config, change) for change in changes]
            # A message may hold patient data, which no log gets.
            names = [f"{settings.name}/fhir/{change.version.name}" for change in changes]
            self._notifier.add(connection, settings.name, config["pubsubTopic"], messages, names)
        return bool(configs and changes)

    def wake(self) -> None:
        """Publish the messages that were added: the transaction is committed."""
        self._notifier.wake()


def _message(store: str, config: Mapping[str, Any], change: Change) -> dict[str, Any]:
    version = change.version
    content = _content(config, change)
    data = content or f"{store}/fhir/{version.name}".encode()
    return {
        "data": encode_bytes(data),
        "attributes": {
            "action": _action(change),
            "lastUpdatedTime": format_datetime(instants.moment(version.version), usegmt=True),
            "payloadType": "FullResource" if content else "NameOnly",
            "resourceType": version.type,
            "storeName": store,
            "versionId": version.version_id,
        },
    }


def _content(config: Mapping[str, Any], change: Change) -> bytes:
    """Return the resource that a message carries; nothing if it carries the name."""
    if change.version.is_deletion:
        wanted = change.previous if config.get("sendPreviousResourceOnDelete") else None
    else:
        wanted = change.version if config.get("sendFullResource") else None
    content = json_text.dump(wanted.resource(), indent=_INDENT) if wanted else b""
    return content if len(content) <= MAX_BYTES else b""


def _action(change: Change) -> str:
    if change.version.method == DELETE:
        return "DeleteResource"
    if change.version.method == PATCH:
        return "PatchResource"
    return "CreateResource" if change.previous is None else "UpdateResource"
