"""The state of the FHIR stores, as their handlers and operations see it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from emulator.services.healthcare.context import HealthcareContext
from emulator.services.healthcare.fhir import notifications
from emulator.services.healthcare.fhir.resources.changes import Changes
from emulator.services.healthcare.fhir.resources.models import Index, ResourceStore
from emulator.services.healthcare.fhir.search.index import SearchIndex
from emulator.services.healthcare.fhir.store_settings import StoreSettings

COLLECTION = "fhirStores"


class Fhir:
    """The resources of all FHIR stores.

    Attributes:
        context: what the FHIR stores use of the rest
        settings: of the context
        operations: of the context
        agent: of the context
        resources: the resources
        indexes: get each resource that is written
    """

    def __init__(self, context: HealthcareContext) -> None:
        self.context = context
        self.settings = context.settings
        self.operations = context.operations
        self.agent = context.agent
        self._stores = context.stores.resources
        self.resources = ResourceStore(context.database, self._stores.exists)
        self.indexes: tuple[Index, ...] = (SearchIndex(),)
        self._stores.on_delete(self.resources.delete_store)

    def store(self, name: str) -> dict[str, Any]:
        """Return a store as a resource; raises 404."""
        return self._stores.get(name)

    @contextmanager
    def changing(self, settings: StoreSettings) -> Iterator[Changes]:
        """Yield the changes of a transaction, which commits whole or not at all.

        The commit follows a check of the references, and the topics of the store are notified.

        Raises:
            StoreGoneError: the store was deleted meanwhile
            OutcomeError: references are broken
        """
        notifier = self.context.notifier
        with self.resources.writing(settings.name) as connection:
            changes = Changes(connection, settings, self.indexes)
            yield changes
            changes.finish()
            has_messages = notifications.add(connection, notifier, settings, changes.done)
        if has_messages:
            notifier.wake()

    def delete_orphans(self) -> None:
        """Delete the resources of stores that no longer exist."""
        self.resources.delete_orphans()
