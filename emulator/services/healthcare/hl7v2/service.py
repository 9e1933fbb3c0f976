"""The state of the HL7v2 stores, as their handlers and operations see it."""

from collections.abc import Mapping
from sqlite3 import Connection, Row
from typing import Any

from emulator.core.resource_name import ResourceName
from emulator.services.healthcare.context import HealthcareContext
from emulator.services.healthcare.hl7v2 import notifications, views
from emulator.services.healthcare.hl7v2.models import MessageStore, NewMessage
from emulator.services.healthcare.hl7v2.parsing.attributes import attributes
from emulator.services.healthcare.hl7v2.parsing.parsed_data import parsed_data
from emulator.services.healthcare.hl7v2.parsing.syntax import Hl7Error, parse
from emulator.services.healthcare.hl7v2.schematized.package import SchemaPackage
from emulator.services.healthcare.hl7v2.store_settings import ParserSettings
from emulator.services.healthcare.store_service import StoreService


class Hl7v2(StoreService):
    """The messages of all stores.

    Attributes:
        messages: the messages
    """

    collection = "hl7V2Stores"

    def __init__(self, context: HealthcareContext) -> None:
        super().__init__(context)
        self.messages = MessageStore(context.database, self._stores.exists)
        self._stores.on_delete(self.messages.delete_store)

    def time_zone(self, store: str) -> str:
        """Return the time zone of a store's dataset."""
        dataset = self._stores.get(str(ResourceName.parse(store).ancestor("datasets")))
        return str(dataset.get("timeZone", "UTC"))

    def parse(
        self, store: Mapping[str, Any], data: bytes, labels: dict[str, str], operation: str = ""
    ) -> NewMessage:
        """Parse a message by the settings of a store.

        Args:
            store: the store as a resource
            data: the raw message
            labels: of the message
            operation: the name of the import; empty without one

        Raises:
            Hl7Error: the message can't be parsed, or does not fit the schema of a store that
                refuses such messages
        """
        settings = ParserSettings.of(store)
        message = parse(data, settings.terminator, allow_null_header=settings.allow_null_header)
        schematized: dict[str, str] = {}
        if settings.schema is not None:
            package = SchemaPackage(settings.schema)
            schematized = package.schematize(message)
            if package.fails_hard and "error" in schematized:
                raise Hl7Error(schematized["error"])
        return NewMessage(
            data,
            labels,
            attributes(message, self.time_zone(store["name"])),
            parsed_data(message, settings.version),
            schematized,
            operation=operation,
        )

    def add(self, store: Mapping[str, Any], message: NewMessage) -> tuple[Row, bool]:
        """Store a message, and notify the topics of the store if it is new.

        Returns:
            The row, and whether it is new

        Raises:
            StoreGoneError: the store was deleted meanwhile
        """
        name, notifier = store["name"], self.context.notifier
        if not notifications.configs_of(store):
            return self.messages.add(name, message)
        time_zone, has_topics = self.time_zone(name), False

        def notify(connection: Connection, row: Row) -> None:
            nonlocal has_topics
            resource = views.attributes_of(name, row)
            has_topics = notifications.add(connection, notifier, store, time_zone, resource)

        row, is_new = self.messages.add(name, message, notify)
        if has_topics:
            notifier.wake()
        return row, is_new

    def delete_orphans(self) -> None:
        """Delete the messages of stores that no longer exist."""
        self.messages.delete_orphans()
