"""The Healthcare API: builds the rooms of the data, and registers their operations."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from emulator.services.healthcare.consents import query_accessible_data
from emulator.services.healthcare.consents import store_settings as consent_settings
from emulator.services.healthcare.consents.service import Consents
from emulator.services.healthcare.context import HealthcareContext
from emulator.services.healthcare.deidentify import fhir_operation as fhir_deidentification
from emulator.services.healthcare.deidentify import fhir_streams as deidentified_streams
from emulator.services.healthcare.deidentify import operation as deidentification
from emulator.services.healthcare.dicom.bigquery import table_layout
from emulator.services.healthcare.dicom.operations import (
    blob_storage_settings,
    deletion,
    exporter,
    importer,
    metadata_update,
)
from emulator.services.healthcare.dicom.service import Dicom
from emulator.services.healthcare.fhir import streams as fhir_streams
from emulator.services.healthcare.fhir.bulk import export as fhir_bulk_export
from emulator.services.healthcare.fhir.consents import application as fhir_consent_application
from emulator.services.healthcare.fhir.consents import policies as fhir_consent_policies
from emulator.services.healthcare.fhir.consents import settings as fhir_consent_settings
from emulator.services.healthcare.fhir.operations import deletion as fhir_deletion
from emulator.services.healthcare.fhir.operations import exporter as fhir_exporter
from emulator.services.healthcare.fhir.operations import history_exporter as fhir_history_exporter
from emulator.services.healthcare.fhir.operations import history_importer as fhir_history_importer
from emulator.services.healthcare.fhir.operations import importer as fhir_importer
from emulator.services.healthcare.fhir.operations import rollback as fhir_rollback
from emulator.services.healthcare.fhir.operations import (
    search_configuration as fhir_search_configuration,
)
from emulator.services.healthcare.fhir.service import Fhir
from emulator.services.healthcare.hl7v2 import store_settings
from emulator.services.healthcare.hl7v2.operations import exporter as hl7v2_exporter
from emulator.services.healthcare.hl7v2.operations import importer as hl7v2_importer
from emulator.services.healthcare.hl7v2.operations import rollback as hl7v2_rollback
from emulator.services.healthcare.hl7v2.service import Hl7v2
from emulator.services.healthcare.operation_types import operation_type
from emulator.services.healthcare.stores.models import CREATE_DATASET
from emulator.services.healthcare.stores.store_types import STORE_TYPES

_DICOM_OPERATIONS = (importer, exporter, deletion, blob_storage_settings, metadata_update)
_FHIR_OPERATIONS = (
    fhir_importer,
    fhir_exporter,
    fhir_history_importer,
    fhir_history_exporter,
    fhir_deletion,
    fhir_rollback,
    fhir_search_configuration,
    fhir_bulk_export,
    fhir_deidentification,
    fhir_consent_application,
    fhir_consent_policies,
)
_HL7V2_OPERATIONS = (hl7v2_importer, hl7v2_exporter, hl7v2_rollback)


def _check_fhir_store(store: Mapping[str, Any]) -> None:
    fhir_streams.check_store(store)
    deidentified_streams.check_store(store)
    fhir_consent_settings.check_store(store)


class Healthcare:
    """The state of the Healthcare API.

    Built before any operation is resumed: this registers the code of all operations.
    """

    def __init__(self, context: HealthcareContext) -> None:
        self.context = context
        self.stores = context.stores
        self.resources = context.stores.resources
        self.store_types = {
            **STORE_TYPES,
            "dicomStores": replace(STORE_TYPES["dicomStores"], validate=table_layout.check_store),
            "fhirStores": replace(
                STORE_TYPES["fhirStores"],
                validate=_check_fhir_store,
                complete=self._complete_fhir_store,
            ),
            "hl7V2Stores": replace(
                STORE_TYPES["hl7V2Stores"],
                validate=store_settings.check_store,
                check_change=store_settings.check_change,
            ),
            "consentStores": replace(
                STORE_TYPES["consentStores"], validate=consent_settings.check_store
            ),
        }
        operations, policies = context.operations, context.stores.iam.policies
        operations.register(operation_type(CREATE_DATASET, self.resources.finish_create))
        self.resources.on_delete(policies.delete_prefix)
        self.resources.on_delete(operations.delete_for_parent)
        self.dicom = Dicom(context)
        for module in _DICOM_OPERATIONS:
            module.register(self.dicom)
        self.hl7v2 = Hl7v2(context)
        for module in _HL7V2_OPERATIONS:
            module.register(self.hl7v2)
        self.fhir = Fhir(context)
        self.fhir.listeners.append(deidentified_streams.DeidentifiedStreams(self.fhir))
        for module in _FHIR_OPERATIONS:
            module.register(self.fhir)
        self.consents = Consents(context)
        query_accessible_data.register(self.consents)
        deidentification.register(self.dicom, self.fhir)
        self._finish_deletions()

    def _complete_fhir_store(self, store: Mapping[str, Any]) -> Mapping[str, Any]:
        with_policies = fhir_consent_policies.complete(self.fhir, store)
        return fhir_search_configuration.complete(self.fhir, with_policies)

    def _finish_deletions(self) -> None:
        """Finish the deletions of datasets and stores that a crash interrupted."""
        exists = self.resources.exists
        self.context.stores.iam.policies.delete_orphans("/datasets/", exists)
        self.context.operations.delete_orphans("/datasets/", exists)
        self.dicom.delete_orphans()
        self.hl7v2.delete_orphans()
        self.fhir.delete_orphans()
        self.consents.delete_orphans()

    def start(self) -> None:
        """Start the background work."""
        self.context.outbox.start()

    def reset(self) -> None:
        """Delete every dataset with all inside it."""
        for dataset in self.resources.datasets():
            self.resources.delete(dataset)

    def close(self) -> None:
        """Stop the background work."""
        self.context.outbox.close()
        self.dicom.close()
        self.fhir.close()
