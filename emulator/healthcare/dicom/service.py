"""What the DICOM part of the local cloud keeps between requests."""

from typing import TYPE_CHECKING

from emulator.healthcare.deidentify import runs as deidentification
from emulator.healthcare.dicom import deletion, exporter, importer, storage_settings, streams
from emulator.healthcare.dicom.models import DicomContents
from emulator.healthcare.dicom.streams import Streams, Target
from emulator.healthcare.dicom.workers import Workers

if TYPE_CHECKING:
    from emulator.cloud import Cloud


class Dicom:
    """The stores' contents, the workers that parse, and the operations on both.

    Made after the parts of the cloud that it builds on, and before any operation is resumed.
    """

    def __init__(self, cloud: "Cloud") -> None:
        root = f"{cloud.settings.root_url}/v1"

        def targets_of(store: str) -> list[Target]:
            # The contents of a store are deleted after the store itself: nobody is told of that.
            exists = cloud.healthcare.exists(store)
            return streams.targets(cloud.healthcare.get(store), root) if exists else []

        def may_write(store: str, project: str, dataset: str) -> bool:
            agent_of = store.split("/")[1]
            permission = "bigquery.tables.updateData"
            return cloud.service_agent_has_on_dataset(agent_of, permission, project, dataset)

        self.streams = Streams(cloud.database, cloud.bigquery_url, targets_of, may_write)
        self.contents = DicomContents(
            cloud.database,
            cloud.settings.state_dir / "dicom",
            cloud.healthcare.exists,
            self.streams,
        )
        self.contents.sweep()
        self.workers = Workers()
        # A deleted dataset is followed by each of its stores: the store's name suffices.
        cloud.healthcare.on_delete(self.contents.delete_store)
        for module in (importer, exporter, deletion, storage_settings, deidentification):
            module.register(cloud)

    def close(self) -> None:
        """End the streams and the workers."""
        self.streams.close()
        self.workers.close()
