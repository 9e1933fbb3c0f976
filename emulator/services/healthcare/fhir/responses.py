"""Requests and answers of FHIR stores as a whole: import, export, bulk deletion, metrics."""

from typing import Any

from emulator.core.rest import Call
from emulator.services.healthcare.fhir.operations import (
    deletion,
    exporter,
    history_exporter,
    history_importer,
    importer,
    rollback,
    search_configuration,
)
from emulator.services.healthcare.fhir.service import COLLECTION, Fhir
from emulator.services.healthcare.stores import schema


def store_of(call: Call[Fhir]) -> str:
    """Return the full name of the store in a path.

    Raises:
        ApiError: 404 for a store that does not exist; 400 or 403 if its key can't be used
    """
    return call.service.context.stores.require_store(COLLECTION, call.path)


def metrics(call: Call[Fhir]) -> dict[str, Any]:
    """Count the resources of a store, and their bytes, by type."""
    store = store_of(call)
    rows = call.service.resources.select(
        "SELECT type, SUM(is_current) AS count, SUM(is_current * size) AS current,"
        " SUM((1 - is_current) * size) AS earlier FROM ("
        " SELECT type, 1 AS is_current, LENGTH(body) AS size FROM fhir_resources WHERE store = ?1"
        " UNION ALL SELECT type, 0, COALESCE(LENGTH(body), 0) FROM fhir_versions WHERE store = ?1"
        ") GROUP BY type ORDER BY type",
        (store,),
    )
    counts = [
        {
            "resourceType": row["type"],
            "count": str(row["count"] or ""),
            "structuredStorageSizeBytes": str(row["current"] or ""),
            "versionedStorageSizeBytes": str(row["earlier"] or ""),
        }
        for row in rows
    ]
    found = [{key: value for key, value in one.items() if value} for one in counts]
    return {"name": store, **({"metrics": found} if found else {})}


def import_resources(call: Call[Fhir]) -> dict[str, Any]:
    """Start an import."""
    schema.check(call.version, "ImportResourcesRequest", call.body)
    return importer.begin(call.service, store_of(call), call.body, call.version)


def export_resources(call: Call[Fhir]) -> dict[str, Any]:
    """Start an export."""
    schema.check(call.version, "ExportResourcesRequest", call.body)
    return exporter.begin(call.service, store_of(call), call.body, call.version)


def import_history(call: Call[Fhir]) -> dict[str, Any]:
    """Start an import of versions."""
    schema.check(call.version, "ImportResourcesHistoryRequest", call.body)
    return history_importer.begin(call.service, store_of(call), call.body, call.version)


def export_history(call: Call[Fhir]) -> dict[str, Any]:
    """Start an export of versions."""
    schema.check(call.version, "ExportResourcesHistoryRequest", call.body)
    return history_exporter.begin(call.service, store_of(call), call.body, call.version)


def configure_search(call: Call[Fhir]) -> dict[str, Any]:
    """Start to change the search parameters of a store."""
    schema.check(call.version, "ConfigureSearchRequest", call.body)
    return search_configuration.begin(call.service, store_of(call), call.body, call.version)


def bulk_delete(call: Call[Fhir]) -> dict[str, Any]:
    """Start a deletion of many resources."""
    schema.check(call.version, "BulkDeleteResourcesRequest", call.body)
    return deletion.begin(call.service, store_of(call), call.body, call.version)


def roll_back(call: Call[Fhir]) -> dict[str, Any]:
    """Start a rollback."""
    schema.check(call.version, "RollbackFhirResourcesRequest", call.body)
    return rollback.begin(call.service, store_of(call), call.body, call.version)
