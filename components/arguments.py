"""A stack's settings as the components' arguments."""

from typing import Any

from components.healthcare_dataset import (
    DicomStoreArgs,
    FhirStoreArgs,
    HealthcareDatasetArgs,
    Hl7v2ParserArgs,
    Hl7v2StoreArgs,
)
from components.settings import (
    Hl7v2StoreSettings,
    Settings,
    StoreSettings,
)
from components.warehouse import WarehouseArgs


def healthcare_dataset(settings: Settings) -> HealthcareDatasetArgs:
    """The Healthcare dataset with those of its stores that are switched on."""
    labels = settings.labels
    return HealthcareDatasetArgs(
        project=settings.project,
        location=settings.location,
        dataset=settings.dataset,
        time_zone=settings.time_zone,
        dicom_stores=[
            DicomStoreArgs(**_store(item, labels)) for item in settings.dicom_stores if item.enabled
        ],
        fhir_stores=[
            FhirStoreArgs(**_store(item, labels)) for item in settings.fhir_stores if item.enabled
        ],
        hl7v2_stores=[_hl7v2_store(item, labels) for item in settings.hl7v2_stores if item.enabled],
    )


def warehouse(settings: Settings) -> WarehouseArgs:
    """The BigQuery dataset, in the location of the Healthcare data."""
    return WarehouseArgs(
        project=settings.project,
        dataset=settings.bigquery_dataset,
        location=settings.location,
        description=settings.bigquery_description,
        delete_contents=settings.bigquery_delete_contents,
        labels=settings.labels,
    )


def _store(item: StoreSettings, labels: dict[str, str]) -> dict[str, Any]:
    """The fields of a store's arguments: its settings, its labels over those of the stack."""
    return item.model_dump(exclude={"enabled"}) | {"labels": {**labels, **item.labels}}


def _hl7v2_store(item: Hl7v2StoreSettings, labels: dict[str, str]) -> Hl7v2StoreArgs:
    fields = _store(item, labels)
    if item.parser_config is not None:
        fields["parser_config"] = Hl7v2ParserArgs(**item.parser_config.model_dump())
    return Hl7v2StoreArgs(**fields)
