"""Failures in Cloud Logging: of operations, notifications and streams.

Documented: the messages of google/cloud/healthcare/logging/*.proto, and the fields on
https://cloud.google.com/healthcare-api/docs/how-tos/logging. Inferred (conformance:
import-log-entries, export-log-entries, deidentify-log-entries, stream-log-entries,
notification-log-entries): the names of the logs but `query_accessible_data` and
`import_annotations`, whose form they follow, and of the producers.
The service samples its entries where many items fail; here each item has one.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from sqlite3 import Connection
from typing import Any

from emulator.core.operations.operation_type import FailedItem
from emulator.core.resource_name import ResourceName
from emulator.services.logging.entries import Entries, Entry

_TYPES = "type.googleapis.com/google.cloud.healthcare.logging"
_MAX_NOTIFICATIONS = 100
"""Entries about messages that one call could not publish."""


@dataclass(frozen=True)
class _LogType:
    """A log of an operation.

    Attributes:
        log: its id, without the service
        message: the type of its payload
        item: the field of the payload that names the item
    """

    log: str
    message: str
    item: str


_OPERATIONS = {
    "dicom.DicomService.ImportDicomData": _LogType("import_dicom", "ImportDicomLogEntry", "source"),
    "dicom.DicomService.ExportDicomData": _LogType(
        "export_dicom", "ExportDicomLogEntry", "resourceName"
    ),
    "dicom.DicomService.DeidentifyDicomStore": _LogType(
        "deidentify", "DeidentifyLogEntry", "resourceName"
    ),
    "fhir.FhirStoreService.DeidentifyFhirStore": _LogType(
        "deidentify", "DeidentifyLogEntry", "resourceName"
    ),
    "dataset.DatasetService.DeidentifyDataset": _LogType(
        "deidentify", "DeidentifyLogEntry", "resourceName"
    ),
    "hl7v2.Hl7V2Service.ImportMessages": _LogType("import_hl7v2", "ImportHl7V2LogEntry", "source"),
    "fhir.FhirService.ImportResources": _LogType("import_fhir", "ImportFhirLogEntry", "source"),
    "fhir.FhirService.ExportResources": _LogType(
        "export_fhir", "ExportFhirLogEntry", "destination"
    ),
    "fhir.FhirService.ImportResourcesHistory": _LogType(
        "import_fhir", "ImportFhirLogEntry", "source"
    ),
    "fhir.FhirService.ExportResourcesHistory": _LogType(
        "export_fhir", "ExportFhirLogEntry", "destination"
    ),
    "consent.ConsentService.QueryAccessibleData": _LogType(
        "query_accessible_data", "QueryAccessibleDataLogEntry", "resourceName"
    ),
    "fhir.FhirStoreService.ApplyConsents": _LogType(
        "apply_consents_fhir", "ApplyConsentsLogEntry", "resourceName"
    ),
    "fhir.FhirService.BulkDeleteResources": _LogType(
        "bulk_delete_fhir", "BulkDeleteFhirLogEntry", "resourceName"
    ),
}
_NOTIFICATIONS = {
    "dicomStores": ("dicom_notification", "DicomNotificationLogEntry"),
    "fhirStores": ("fhir_notification", "FhirNotificationLogEntry"),
    "hl7V2Stores": ("hl7v2_notification", "Hl7V2NotificationLogEntry"),
}
"""Collection of stores -> the log, and the type of its payload."""
_STREAMS = {
    "dicomStores": ("dicom_stream", "DicomStreamLogEntry"),
    "fhirStores": ("fhir_stream", "FhirStreamLogEntry"),
}
_STORE_LABELS = {
    "dicomStores": ("healthcare_dicom_store", "dicom_store_id"),
    "fhirStores": ("healthcare_fhir_store", "fhir_store_id"),
    "hl7V2Stores": ("healthcare_hl7v2_store", "hl7v2_store_id"),
    "consentStores": ("healthcare_consent_store", "consent_store_id"),
}


class FailureLog:
    """Writes entries of severity ERROR about what failed in stores and datasets."""

    def __init__(self, entries: Entries) -> None:
        self._entries = entries

    def add_item(self, connection: Connection, item: FailedItem) -> None:
        """Add the entry of an operation's item, once, in the transaction that counts it."""
        type_ = _OPERATIONS.get(item.method)
        if type_ is None:
            return
        payload = {type_.item: item.source}
        entry = _entry(_resource(item), type_.log, type_.message, payload, item.code, item.error)
        method = item.method.rpartition(".")[2]
        entry |= {
            "insertId": _digest(item.operation, item.source),
            "operation": {"id": item.operation, "producer": f"healthcare.googleapis.com/{method}"},
        }
        # An operation that a restart resumes meets the same items again.
        if not self._entries.has(connection, entry["logName"], entry["insertId"]):
            self._entries.add(connection, entry)

    def add_notifications(
        self,
        connection: Connection,
        store: str,
        topic: str,
        resources: Sequence[str],
        code: int,
        error: str,
    ) -> None:
        """Add entries about messages that could not be published, in a transaction.

        Args:
            connection: in the transaction
            store: the full name of the store
            topic: the full name of the topic
            resources: what each message is about
            code: of google.rpc.Code
            error: the reason
        """
        log, message = _NOTIFICATIONS[ResourceName.parse(store).collection]
        for resource in resources[:_MAX_NOTIFICATIONS]:
            payload = {"resourceName": resource, "pubsubTopic": topic}
            self._entries.add(connection, _entry(store, log, message, payload, code, error))

    def add_stream(
        self, connection: Connection, store: str, destination: str, code: int, error: str
    ) -> None:
        """Add an entry about rows that were not sent to BigQuery, in a transaction.

        Args:
            connection: in the transaction
            store: the full name of the store
            destination: of the rows, `bq://PROJECT.DATASET.TABLE`, or the name of a store
            code: of google.rpc.Code
            error: the reason
        """
        payload = {"resourceName": store, "destination": destination}
        log, message = _STREAMS[ResourceName.parse(store).collection]
        entry = _entry(store, log, message, payload, code, error)
        self._entries.add(connection, entry)


def _entry(
    resource: str, log: str, message: str, payload: Mapping[str, str], code: int, error: str
) -> Entry:
    name = ResourceName.parse(resource)
    return {
        "logName": f"projects/{name.project}/logs/healthcare.googleapis.com%2F{log}",
        "resource": _monitored_resource(name),
        "severity": "ERROR",
        "jsonPayload": {
            "@type": f"{_TYPES}.{message}",
            **payload,
            "error": {"code": code, "message": error},
        },
    }


def _resource(item: FailedItem) -> str:
    """Return the full name of the store that an operation reads or fills, or of its dataset."""
    stores = [item.request.get("store"), *item.request.get("stores", ())]
    return next(filter(None, stores), item.operation.partition("/operations/")[0])


def _monitored_resource(name: ResourceName) -> dict[str, Any]:
    parts = str(name).split("/")
    labels = {"project_id": name.project, "location": parts[3], "dataset_id": parts[5]}
    if len(parts) == 6:
        return {"type": "healthcare_dataset", "labels": labels}
    type_, label = _STORE_LABELS[parts[6]]
    return {"type": type_, "labels": {**labels, label: parts[7]}}


def _digest(*texts: str) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:16]
