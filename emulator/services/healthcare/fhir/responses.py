"""Answers of FHIR stores as a whole: metrics."""

from typing import Any

from emulator.core.rest import Call
from emulator.services.healthcare.fhir.service import Fhir
from emulator.services.healthcare.store_service import store_of


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
