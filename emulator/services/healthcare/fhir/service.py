"""The state of the FHIR stores, as their handlers and operations see it."""

from collections.abc import Iterator
from contextlib import contextmanager

from emulator.core.processes.worker_pool import WorkerPool
from emulator.services.healthcare.context import HealthcareContext
from emulator.services.healthcare.fhir import streams
from emulator.services.healthcare.fhir.consents.models import ConsentStore
from emulator.services.healthcare.fhir.notifications import Notifications
from emulator.services.healthcare.fhir.profiles.checks import ProfileChecks
from emulator.services.healthcare.fhir.resources.changes import ChangeListener, Changes
from emulator.services.healthcare.fhir.resources.models import Index, ResourceStore
from emulator.services.healthcare.fhir.search import store_parameters
from emulator.services.healthcare.fhir.search.index import SearchIndex
from emulator.services.healthcare.fhir.store_settings import StoreSettings
from emulator.services.healthcare.store_service import StoreService

COLLECTION = "fhirStores"


class Fhir(StoreService):
    """The resources of all FHIR stores.

    Attributes:
        resources: the resources
        consents: as they were applied
        profiles: check resources by the profiles of their store
        indexes: get each resource that is written
        listeners: learn of each change
        workers: make the rows of large exports
    """

    collection = COLLECTION

    def __init__(self, context: HealthcareContext) -> None:
        super().__init__(context)
        self.resources = ResourceStore(
            context.database, self._stores.exists, [store_parameters.TABLE]
        )
        self.profiles = ProfileChecks()
        self.indexes: tuple[Index, ...] = (SearchIndex(),)
        self.listeners: list[ChangeListener] = [
            Notifications(context.notifier),
            streams.Streams(context.outbox, context.failures),
        ]
        self.workers = WorkerPool()
        context.outbox.plan_tables(COLLECTION, streams.plan_table)
        self.consents = ConsentStore(context.database, self._stores.exists)
        self._stores.on_delete(self.resources.delete_store)
        self._stores.on_delete(self.consents.delete_store)

    @contextmanager
    def changing(self, settings: StoreSettings, operation: str = "") -> Iterator[Changes]:
        """Yield the changes of a transaction, which commits whole or not at all.

        The commit follows a check of the references, and the listeners learn of the changes.

        Args:
            settings: of the store
            operation: the full name of the long-running operation that makes the changes

        Raises:
            StoreGoneError: the store was deleted meanwhile
            OutcomeError: references are broken
        """
        with self.resources.writing(settings.name) as connection:
            changes = Changes(connection, settings, self.indexes, operation, self.profiles)
            yield changes
            changes.finish()
            woken = [
                listener
                for listener in self.listeners
                if listener.add(connection, settings, changes.done)
            ]
        for listener in woken:
            listener.wake()

    def close(self) -> None:
        """Stop the workers."""
        self.workers.close()

    def delete_orphans(self) -> None:
        """Delete the resources and consents of stores that no longer exist."""
        self.resources.delete_orphans()
        self.consents.delete_orphans()
