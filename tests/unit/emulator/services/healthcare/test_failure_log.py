"""Failures of operations, notifications and streams as entries of Cloud Logging."""

import json
from typing import Any

import pytest

from emulator.cloud import Cloud
from emulator.core.operations.operation_type import FailedItem
from emulator.services.healthcare.failure_log import FailureLog

DATASET = "projects/p1/locations/l1/datasets/d1"
STORE = f"{DATASET}/dicomStores/s1"
OPERATION = f"{DATASET}/operations/7"
LABELS = {"project_id": "p1", "location": "l1", "dataset_id": "d1"}
STORE_RESOURCE = {
    "type": "healthcare_dicom_store",
    "labels": {**LABELS, "dicom_store_id": "s1"},
}


@pytest.fixture
def log(cloud: Cloud) -> FailureLog:
    return FailureLog(cloud.logging.entries)


def entries(cloud: Cloud) -> list[dict[str, Any]]:
    return [entry for _, entry in cloud.logging.entries.page(["p1"], None, 100)]


def add(cloud: Cloud, log: FailureLog, method: str, request: dict[str, Any]) -> None:
    item = FailedItem(OPERATION, method, request, "gs://b/1.dcm", "not a DICOM file", 3)
    with cloud.database.write() as connection:
        log.add_item(connection, item)


def test_a_file_that_is_not_imported(cloud: Cloud, log: FailureLog) -> None:
    for _ in range(2):  # again after a restart
        add(cloud, log, "dicom.DicomService.ImportDicomData", {"store": STORE})
    [entry] = entries(cloud)
    assert entry["logName"] == "projects/p1/logs/healthcare.googleapis.com%2Fimport_dicom"
    assert entry["severity"] == "ERROR"
    assert entry["resource"] == STORE_RESOURCE
    assert entry["operation"] == {
        "id": OPERATION,
        "producer": "healthcare.googleapis.com/ImportDicomData",
    }
    assert entry["jsonPayload"] == {
        "@type": "type.googleapis.com/google.cloud.healthcare.logging.ImportDicomLogEntry",
        "source": "gs://b/1.dcm",
        "error": {"code": 3, "message": "not a DICOM file"},
    }


@pytest.mark.parametrize(
    ("method", "request_body", "message", "resource"),
    [
        (
            "dicom.DicomService.ExportDicomData",
            {"store": STORE},
            "ExportDicomLogEntry",
            STORE_RESOURCE,
        ),
        (
            "dicom.DicomService.DeidentifyDicomStore",
            {"stores": {STORE: f"{STORE}2"}},
            "DeidentifyLogEntry",
            STORE_RESOURCE,
        ),
        (
            "dataset.DatasetService.DeidentifyDataset",
            {"source": DATASET, "destination": f"{DATASET}2"},
            "DeidentifyLogEntry",
            {"type": "healthcare_dataset", "labels": LABELS},
        ),
    ],
)
def test_an_instance_that_is_not_exported_or_deidentified(
    cloud: Cloud,
    log: FailureLog,
    method: str,
    request_body: dict[str, Any],
    message: str,
    resource: dict[str, Any],
) -> None:
    add(cloud, log, method, request_body)
    [entry] = entries(cloud)
    assert entry["jsonPayload"]["@type"].endswith(f".{message}")
    assert entry["jsonPayload"]["resourceName"] == "gs://b/1.dcm"
    assert entry["resource"] == resource


def test_a_notification_that_is_not_published(cloud: Cloud, log: FailureLog) -> None:
    resources = [f"{STORE}/dicomWeb/studies/1"]
    with cloud.database.write() as connection:
        log.add_notifications(connection, STORE, "projects/p1/topics/t", resources, 5, "gone")
    [entry] = entries(cloud)
    assert entry["jsonPayload"] == {
        "@type": "type.googleapis.com/google.cloud.healthcare.logging.DicomNotificationLogEntry",
        "resourceName": f"{STORE}/dicomWeb/studies/1",
        "pubsubTopic": "projects/p1/topics/t",
        "error": {"code": 5, "message": "gone"},
    }
    assert entry["resource"] == STORE_RESOURCE


def test_a_notification_of_an_hl7v2_store(cloud: Cloud, log: FailureLog) -> None:
    store = f"{DATASET}/hl7V2Stores/h1"
    with cloud.database.write() as connection:
        log.add_notifications(
            connection, store, "projects/p1/topics/t", [f"{store}/messages/m="], 7, "no role"
        )
    [entry] = entries(cloud)
    assert entry["logName"] == "projects/p1/logs/healthcare.googleapis.com%2Fhl7v2_notification"
    assert entry["jsonPayload"]["@type"].endswith(".logging.Hl7V2NotificationLogEntry")
    assert entry["resource"] == {
        "type": "healthcare_hl7v2_store",
        "labels": {**LABELS, "hl7v2_store_id": "h1"},
    }


def test_rows_that_are_not_streamed(cloud: Cloud, log: FailureLog) -> None:
    with cloud.database.write() as connection:
        log.add_stream(connection, STORE, "bq://p1.d.t", 7, "no role")
    [entry] = entries(cloud)
    assert entry["jsonPayload"]["destination"] == "bq://p1.d.t"
    assert json.dumps(entry).count("DicomStreamLogEntry") == 1
