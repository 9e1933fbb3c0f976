"""The parts of the local cloud that the data folders (DICOM, FHIR, HL7v2) may use."""

from dataclasses import dataclass

from emulator.core.database import Database
from emulator.core.operations.runner import Operations
from emulator.core.settings import Settings
from emulator.services.healthcare.clients.bigquery_outbox import BigQueryOutbox
from emulator.services.healthcare.failure_log import FailureLog
from emulator.services.healthcare.notifications import Notifier
from emulator.services.healthcare.service_agent import ServiceAgent
from emulator.services.healthcare.stores.service import Stores
from emulator.services.kms.service import Kms


@dataclass(frozen=True)
class HealthcareContext:
    """The services and the shared state that a data room may use.

    Attributes:
        settings: addresses of the backends, and the state folder
        database: holds the index of the data
        operations: runs long-running operations
        stores: datasets and stores as resources, and access to them
        agent: what the service agent may do in other services
        notifier: publishes notifications about the data of a store
        outbox: sends rows about the data of a store to BigQuery
        failures: logs what fails outside of operations
        kms: unwraps keys of de-identification
    """

    settings: Settings
    database: Database
    operations: Operations
    stores: Stores
    agent: ServiceAgent
    notifier: Notifier
    outbox: BigQueryOutbox
    failures: FailureLog
    kms: Kms
