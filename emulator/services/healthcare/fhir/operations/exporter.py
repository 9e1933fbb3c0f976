"""Export to Cloud Storage, an object of lines for each resource type, or to BigQuery.

Documented (the description of `export`): the objects and their content, `_since` and `_type`.
Inferred (conformance: fhir-export-text, fhir-export-objects): the texts of refusals, and the names
of the objects, which are those of the types.
"""

from typing import Any

from emulator.core.errors import RPC_CODES, ApiError, invalid_argument
from emulator.core.operations.batch_progress import BatchProgress
from emulator.core.operations.operation_type import OperationRun
from emulator.core.resource_name import ResourceName
from emulator.services.healthcare.clients.agent_writes import require_folder
from emulator.services.healthcare.clients.gcs import GcsClient
from emulator.services.healthcare.fhir.operations import bigquery_export
from emulator.services.healthcare.fhir.operations.selection import (
    Selection,
    parse_instant,
    parse_types,
)
from emulator.services.healthcare.fhir.service import Fhir
from emulator.services.healthcare.fhir.store_settings import StoreSettings
from emulator.services.healthcare.operation_types import operation_type

METHOD = "fhir.FhirService.ExportResources"
RESPONSE = "fhir.rest.ExportResourcesResponse"
_DESTINATIONS = ("gcsDestination", "bigqueryDestination")


def begin(fhir: Fhir, store: str, body: dict[str, Any], version: str) -> dict[str, Any]:
    """Check a request as Google does before an operation, and start the operation.

    Raises:
        ApiError: 400 for an invalid destination or selection, 403 if the agent lacks a role
    """
    StoreSettings.of(fhir.store(store))
    given = [key for key in _DESTINATIONS if key in body]
    if len(given) != 1:
        raise invalid_argument(
            "exactly one of gcs_destination and bigquery_destination is required"
        )
    since = body.get("_since", "")
    selection = Selection(
        parse_types(body.get("_type", ""), "_type"),
        parse_instant(since, "_since") if since else 0,
    )
    name = ResourceName.parse(store)
    destination = body[given[0]]
    if given == ["gcsDestination"]:
        uri, url = destination.get("uriPrefix", ""), fhir.settings.storage_url
        checked: dict[str, Any] = require_folder(fhir.agent, url, name.project, uri)
    else:
        checked = bigquery_export.request_of(fhir, name.project, destination)
    request = {"store": store, **checked, **selection.request()}
    return fhir.operations.start(str(name.parent), METHOD, request, version=version)


def register(fhir: Fhir) -> None:
    """Register the operation, which a restart resumes."""

    def run(operation: OperationRun) -> dict[str, Any]:
        _run(fhir, operation)
        return {}

    fhir.operations.register(operation_type(METHOD, run, response=RESPONSE))


def _run(fhir: Fhir, operation: OperationRun) -> None:
    """Export a type after the other; only the content of one is in memory."""
    request = operation.request
    store, selection = request["store"], Selection.of(request)
    counts = {
        row["type"]: row["count"]
        for row in fhir.resources.select(
            "SELECT type, COUNT(*) AS count FROM fhir_resources WHERE store = ? AND version >= ?"
            " GROUP BY type ORDER BY type",
            (store, selection.since),
        )
        if not selection.types or row["type"] in selection.types
    }
    progress = BatchProgress(operation, sum(counts.values()))
    progress.report()
    if "dataset" in request:
        for type_ in counts:
            bigquery_export.export_type(fhir, operation, progress, type_)
            progress.check()
        return
    with GcsClient(fhir.settings.storage_url) as storage:
        for type_ in counts:
            _export_type(fhir, operation, storage, progress, type_)


def _export_type(
    fhir: Fhir, operation: OperationRun, storage: GcsClient, progress: BatchProgress, type_: str
) -> None:
    request = operation.request
    selection = Selection([type_], request["since"])
    lines: list[bytes] = []
    for page in selection.pages(fhir.resources, request["store"]):
        lines += [version.body + b"\n" for version in page]
        operation.check_cancelled()
    name = f"{request['prefix']}{type_}"
    try:
        storage.write(request["bucket"], name, b"".join(lines), "application/fhir+ndjson")
    except ApiError as error:
        if error.code >= 500:
            raise
        progress.fail(f"gs://{request['bucket']}/{name}", error.message, RPC_CODES[error.status])
    else:
        progress.succeed(len(lines))
    progress.check()
