"""The state of the DICOM stores, as their handlers and operations see it."""

from emulator.core.processes.worker_pool import WorkerPool
from emulator.services.healthcare.context import HealthcareContext
from emulator.services.healthcare.dicom import notifications
from emulator.services.healthcare.dicom.bigquery import streams
from emulator.services.healthcare.dicom.bigquery.streams import StreamDestination, Streams
from emulator.services.healthcare.dicom.instances.changes import Action, Listeners
from emulator.services.healthcare.dicom.instances.models import InstanceStore
from emulator.services.healthcare.dicom.notifications import Notifications
from emulator.services.healthcare.dicom.pixels.gdcm_process import GdcmProcess
from emulator.services.healthcare.dicom.pixels.pydicom_setup import (
    configure_pydicom,
    configure_worker,
)


class Dicom:
    """The instances of all stores, and the processes that parse.

    Attributes:
        context: what the DICOM stores use of the rest
        settings: of the context
        operations: of the context
        agent: of the context
        contents: the instances
        workers: parse, de-identify and render in processes of their own
    """

    def __init__(self, context: HealthcareContext) -> None:
        self.context = context
        self.settings = settings = context.settings
        self.operations = context.operations
        self.agent = context.agent
        self._resources = context.stores.resources
        self._root = f"{settings.root_url}/v1"
        self.contents = InstanceStore(
            context.database,
            settings.state_dir / "dicom",
            self._resources.exists,
            Listeners(
                [
                    Streams(context.outbox, self._destinations),
                    Notifications(context.notifier, self._topics),
                ]
            ),
        )
        self.contents.delete_orphans()
        self._gdcm = GdcmProcess()
        configure_pydicom(self._gdcm)
        self.workers = WorkerPool(configure_worker)
        # A deleted dataset is followed by each of its stores: the store's name suffices.
        self._resources.on_delete(self.contents.delete_store)

    def _destinations(self, store: str) -> list[StreamDestination]:
        # A store is deleted before its instances: their deletion has no listener.
        body = self._resources.find(store)
        return streams.destinations(body, self._root) if body else []

    def _topics(self, store: str, action: Action) -> list[str]:
        body = self._resources.find(store)
        return notifications.topics(body, action) if body else []

    def delete_orphans(self) -> None:
        """Delete the instances of stores that no longer exist."""
        for row in self.contents.select("SELECT DISTINCT store FROM dicom_instances"):
            if not self._resources.exists(row["store"]):
                self.contents.delete_store(row["store"])

    def close(self) -> None:
        """Stop the workers."""
        self.workers.close()
        self._gdcm.close()
