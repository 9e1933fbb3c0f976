"""Export to Cloud Storage, an object of lines for each resource type, or to BigQuery.

Documented (the description of `export`): the objects and their content, `_since` and `_type`.
Inferred (conformance: fhir-export-text, fhir-export-objects): the texts of refusals, and the names
of the objects, which are those of the types.
"""

from collections.abc import Iterable, Iterator
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
PART_BYTES = 1 << 20
"""Bytes of a part of an object; no more of it is in memory."""
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
    selection = selection_of(body)
    name = ResourceName.parse(store)
    destination = body[given[0]]
    if given == ["gcsDestination"]:
        uri, url = destination.get("uriPrefix", ""), fhir.settings.storage_url
        checked: dict[str, Any] = require_folder(fhir.agent, url, name.project, uri)
    else:
        checked = bigquery_export.request_of(fhir, name.project, destination)
    request = {"store": store, **checked, **selection.request()}
    return fhir.operations.start(str(name.parent), METHOD, request, version=version)


def selection_of(body: dict[str, Any]) -> Selection:
    """Return what a request selects by type and time; raises 400."""
    since = body.get("_since", "")
    return Selection(
        parse_types(body.get("_type", ""), "_type"),
        parse_instant(since, "_since") if since else 0,
    )


def register(fhir: Fhir) -> None:
    """Register the operation, which a restart resumes."""

    def run(operation: OperationRun) -> dict[str, Any]:
        _run(fhir, operation)
        return {}

    fhir.operations.register(operation_type(METHOD, run, response=RESPONSE))


def _run(fhir: Fhir, operation: OperationRun) -> None:
    """Export a type after the other."""
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
            name = f"{request['prefix']}{type_}"
            lines = _lines(fhir, operation, type_)
            write_lines(storage, request["bucket"], name, lines, progress)


def write_lines(
    storage: GcsClient, bucket: str, name: str, lines: Iterable[bytes], progress: BatchProgress
) -> None:
    """Write an object line by line, and count the lines; log an object that is refused."""
    count = 0

    def counted() -> Iterator[bytes]:
        nonlocal count
        for line in lines:
            count += 1
            yield line

    try:
        storage.write(bucket, name, batched(counted()), "application/fhir+ndjson")
    except ApiError as error:
        if error.code >= 500:
            raise
        progress.fail(f"gs://{bucket}/{name}", error.message, RPC_CODES[error.status])
    else:
        progress.succeed(count)
    progress.check()


def batched(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Yield parts of some size, so that a line is not sent alone."""
    held = bytearray()
    for line in lines:
        held += line
        if len(held) >= PART_BYTES:
            yield bytes(held)
            held.clear()
    yield bytes(held)


def _lines(fhir: Fhir, operation: OperationRun, type_: str) -> Iterator[bytes]:
    selection = Selection([type_], operation.request["since"])
    for page in selection.pages(fhir.resources, operation.request["store"]):
        operation.check_cancelled()
        for version in page:
            yield version.body + b"\n"
