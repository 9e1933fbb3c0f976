"""The state of the consent stores, as their handlers and operations see it."""

from sqlite3 import Connection
from typing import Any

from emulator.services.healthcare.consents.attributes import Definitions
from emulator.services.healthcare.consents.models import Records, definition_bodies
from emulator.services.healthcare.context import HealthcareContext

COLLECTION = "consentStores"


class Consents:
    """The data of all consent stores.

    Attributes:
        context: what the consent stores use of the rest
        settings: of the context
        operations: of the context
        agent: of the context
        records: the data
    """

    def __init__(self, context: HealthcareContext) -> None:
        self.context = context
        self.settings = context.settings
        self.operations = context.operations
        self.agent = context.agent
        self._resources = context.stores.resources
        self.records = Records(context.database, self._resources.exists)
        self._resources.on_delete(self.records.delete_store)

    def store(self, name: str) -> dict[str, Any]:
        """Return a store as a resource; raises 404."""
        return self._resources.get(name)

    def definitions(self, connection: Connection, store: str) -> Definitions:
        """Return the attribute definitions of a store."""
        return Definitions(definition_bodies(connection, store))

    def delete_orphans(self) -> None:
        """Delete the data of stores that no longer exist."""
        self.records.delete_orphans()
