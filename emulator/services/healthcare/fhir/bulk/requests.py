"""Requests of bulk exports: start, status and cancellation.

Documented (the reference of `bulk-export`, `get-fhir-operation-status` and `delete-fhir-operation`,
and https://hl7.org/fhir/uv/bulkdata/export.html): the headers, the parameters, the states and the
manifest. Inferred (conformance: fhir-bulk-export, fhir-bulk-export-text,
fhir-bulk-export-status): the texts of refusals, the URLs of the manifest, and a cancelled export
returns 404.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from sqlite3 import Row
from typing import Any
from urllib.parse import quote

from starlette.responses import Response

from emulator.core.errors import ApiError
from emulator.core.resource_name import ResourceName
from emulator.services.healthcare.clients.agent_writes import require_folder
from emulator.services.healthcare.fhir import instants
from emulator.services.healthcare.fhir.bulk.export import METHOD
from emulator.services.healthcare.fhir.interactions import instance
from emulator.services.healthcare.fhir.interactions.compartment import types_of
from emulator.services.healthcare.fhir.interactions.request import (
    JSON_TYPES,
    FhirRequest,
    json_response,
)
from emulator.services.healthcare.fhir.outcome import error
from emulator.services.healthcare.fhir.refusals import (
    OutcomeError,
    conflict,
    invalid,
    invalid_query,
    missing,
)
from emulator.services.healthcare.fhir.resources import parsing

_FORMATS = frozenset({"", "application/fhir+ndjson", "application/ndjson", "ndjson"})
_ACCEPTED = frozenset({"application/fhir+json", "application/*", "*/*"})
_PARAMETERS = frozenset({"_since", "_type", "_outputFormat", "outputFormat", "organizeOutputBy"})
_CANCELLED = 1


def export_all(request: FhirRequest) -> Response:
    """Start an export of the resources of a store."""
    return _start(request, "")


def export_group(request: FhirRequest) -> Response:
    """Start an export of a group and of its members."""
    group = instance.current(request)
    if request.parameter("organizeOutputBy") != "Patient":
        raise invalid_query('the parameter organizeOutputBy is required, and must be "Patient"')
    return _start(request, group.id)


def export_group_by_post(request: FhirRequest) -> Response:
    """Start an export of a group, whose parameters may be in a resource of the type Parameters."""
    if not request.body:
        return export_group(request)
    request.check_media_type(JSON_TYPES)
    parameters = parsing.parse(request.body)
    if parameters.get("resourceType") != "Parameters":
        raise invalid_query("the body of $export is a resource of the type Parameters")
    return export_group(replace(request, query=[*request.query, *_pairs(parameters)]))


def status(request: FhirRequest) -> Response:
    """Return the state of an export: 202, the manifest, or why it failed."""
    row = _operation(request)
    if row["ended"] is None:
        return Response(status_code=202, headers={"X-Progress": "in progress"})
    if row["error"] is not None:
        failure = json.loads(row["error"])
        if failure["code"] == _CANCELLED:
            raise missing(f"operations/{request.path['operation']}")
        raise OutcomeError(500, error("exception", "export_failed", failure["message"]))
    return json_response(
        _manifest(request, json.loads(row["request"]), json.loads(row["response"]))
    )


def cancel(request: FhirRequest) -> Response:
    """Cancel a running export."""
    row = _operation(request)
    if row["cancel_requested"]:
        raise conflict("the operation has already been cancelled")
    try:
        request.fhir.operations.cancel(row["name"])
    except ApiError:
        raise conflict("the operation is already complete") from None
    return Response(status_code=202)


def _start(request: FhirRequest, group: str) -> Response:
    _check_headers(request)
    for name in ("_outputFormat", "outputFormat"):
        if (wanted := request.parameter(name).replace(" ", "+")) not in _FORMATS:
            raise invalid_query(f"invalid {name} {wanted!r}: application/fhir+ndjson")
    since = request.parameter("_since")
    first = instants.version_of(instance.instant_of("_since", since)) if since else 0
    project = ResourceName.parse(request.store).project
    asked = {
        "store": request.store,
        "group": group,
        "types": sorted(types_of(request)),
        "since": first,
        "until": instants.next_version(),
        "url": request.url,
        **_folder(request, project),
    }
    operations = request.fhir.operations
    started = operations.start(request.store, METHOD, asked, version=request.version)
    number = started["name"].rpartition("/")[2]
    url = f"{request.root.removesuffix('/fhir')}/operations/{number}"
    return Response(status_code=202, headers={"Content-Location": url})


def _check_headers(request: FhirRequest) -> None:
    accepted = {part.partition(";")[0].strip() for part in request.header("accept").split(",")}
    if not accepted & _ACCEPTED:
        text = "the header Accept must be application/fhir+json"
        raise invalid("invalid_header", text)
    preferred = [part.strip() for part in request.header("prefer").replace(";", ",").split(",")]
    if "respond-async" not in preferred:
        raise invalid("invalid_header", "the header Prefer must be respond-async")


def _folder(request: FhirRequest, project: str) -> dict[str, str]:
    """Return where the store's exports go.

    Raises:
        OutcomeError: 400 without a destination, or the refusal of Cloud Storage
    """
    store = request.fhir.store(request.store)
    uri = store.get("bulkExportGcsDestination", {}).get("uriPrefix", "")
    if not uri:
        raise invalid(
            "invalid_store",
            "the FHIR store has no bulk_export_gcs_destination: set its uri_prefix to gs://BUCKET",
        )
    url = request.fhir.settings.storage_url
    try:
        return require_folder(request.fhir.agent, url, project, uri)
    except ApiError as refused:
        issue = error("exception", "export_refused", refused.message)
        raise OutcomeError(refused.code, issue) from None


def _operation(request: FhirRequest) -> Row:
    """Return the row of an export of the store; raises 404."""
    rows = request.fhir.resources.select(
        "SELECT * FROM operations WHERE name = ? AND method = ?",
        (f"{request.store}/operations/{request.path['operation']}", METHOD),
    )
    if not rows:
        raise missing(f"operations/{request.path['operation']}")
    return rows[0]


def _manifest(
    request: FhirRequest, asked: Mapping[str, Any], response: Mapping[str, Any]
) -> dict[str, Any]:
    storage = f"{request.fhir.settings.root_url}/{asked['bucket']}"
    return {
        "transactionTime": instants.last_updated(asked["until"]),
        "request": asked["url"],
        "requiresAccessToken": True,
        "output": [
            {
                "type": one["type"],
                "url": f"{storage}/{quote(one['object'])}",
                "count": one["count"],
            }
            for one in response["output"]
        ],
        "error": [],
    }


def _pairs(parameters: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the parameters of a body as those of a query."""
    pairs = []
    given = parameters.get("parameter", [])
    for one in given if isinstance(given, list) else []:
        name = one.get("name") if isinstance(one, Mapping) else None
        if name not in _PARAMETERS:
            raise invalid_query(f"unknown parameter {name!r} of $export")
        values = [value for key, value in one.items() if key.startswith("value")]
        pairs.append((str(name), str(values[0]) if values else ""))
    return pairs
