"""The state of the consent stores, as their handlers and operations see it."""

from sqlite3 import Connection

from emulator.services.healthcare.consents.attributes import Definitions
from emulator.services.healthcare.consents.models import Records, definition_bodies
from emulator.services.healthcare.context import HealthcareContext
from emulator.services.healthcare.store_service import StoreService


class Consents(StoreService):
    """The data of all consent stores.

    Attributes:
        records: the data
    """

    collection = "consentStores"

    def __init__(self, context: HealthcareContext) -> None:
        super().__init__(context)
        self.records = Records(context.database, self._stores.exists)
        self._stores.on_delete(self.records.delete_store)

    def definitions(self, connection: Connection, store: str) -> Definitions:
        """Return the attribute definitions of a store."""
        return Definitions(definition_bodies(connection, store))

    def delete_orphans(self) -> None:
        """Delete the data of stores that no longer exist."""
        self.records.delete_orphans()
