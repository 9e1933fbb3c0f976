"""Binary resources in their raw form (http://hl7.org/fhir/R4/binary.html#rest).

Documented (the reference of `Binary-create` and its like): which bodies are resources, the empty
answers with a Location, and that data comes decoded where Accept names its media type. Inferred
(conformance: fhir-binary-accept): a request without such an Accept gets the resource as JSON.
"""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from emulator.core import media_type
from emulator.core.json_reader import JsonError
from emulator.services.healthcare.fhir import json_text
from emulator.services.healthcare.fhir.interactions import instance, type_level
from emulator.services.healthcare.fhir.interactions.representation import headers, location
from emulator.services.healthcare.fhir.interactions.request import (
    JSON_TYPES,
    FhirRequest,
    Handler,
)
from emulator.services.healthcare.fhir.refusals import invalid
from emulator.services.healthcare.fhir.resources import writes
from emulator.services.healthcare.fhir.resources.writes import Written

TYPE = "Binary"
MAX_BYTES = 256 << 20
"""Of a body, which is held in memory; Google Cloud takes 1 GB."""
_DEFAULT = "application/octet-stream"


def create(request: FhirRequest) -> Response:
    """Create a Binary, from a resource or from raw data."""
    if _holds_resource(request):
        return type_level.create(request)
    _check_prefer(request)
    with request.fhir.changing(request.settings) as changes:
        written = writes.create(changes, TYPE, _binary(request))
    return _empty(request, written)


def update(request: FhirRequest) -> Response:
    """Replace a Binary, by a resource or by raw data."""
    if _holds_resource(request):
        return instance.update(request)
    _check_prefer(request)
    id_ = request.id
    with request.fhir.changing(request.settings) as changes:
        written = writes.update(
            changes,
            TYPE,
            id_,
            {**_binary(request), "id": id_},
            if_match=request.header("if-match"),
            if_none_match=request.header("if-none-match"),
        )
    return _empty(request, written)


def read(request: FhirRequest) -> Response:
    """Return a Binary, decoded where the client accepts its media type."""
    return _decoded(request, instance.read)


def vread(request: FhirRequest) -> Response:
    """Return a version of a Binary, as `read` does."""
    return _decoded(request, instance.vread)


def _holds_resource(request: FhirRequest) -> bool:
    if media_type.parse(request.header("content-type")).type not in JSON_TYPES:
        return False
    try:
        return json_text.parse(request.body).get("resourceType") == TYPE
    except JsonError:
        return False


def _binary(request: FhirRequest) -> dict[str, Any]:
    found: dict[str, Any] = {
        "resourceType": TYPE,
        "contentType": request.header("content-type") or _DEFAULT,
        "data": base64.b64encode(request.body).decode(),
    }
    if context := request.header("x-security-context"):
        found["securityContext"] = {"reference": context}
    return {key: value for key, value in found.items() if value}


def _check_prefer(request: FhirRequest) -> None:
    if request.prefers() == "representation":
        raise invalid("invalid_header", "Prefer: return=representation is not allowed for raw data")


def _empty(request: FhirRequest, written: Written) -> Response:
    assert written.version is not None
    described = {**headers(written.version), "Location": location(request.root, written.version)}
    return Response(status_code=written.status, headers=described)


def _decoded(request: FhirRequest, handler: Handler) -> Response:
    response = handler(request)
    if response.status_code != 200:
        return response
    resource: Mapping[str, Any] = json_text.parse(bytes(response.body))
    content_type = str(resource.get("contentType", ""))
    accepted = [
        media_type.parse(each).type for each in request.header("accept").split(",") if each.strip()
    ]
    if not content_type or media_type.parse(content_type).type not in accepted:
        return response
    try:
        data = base64.b64decode(resource.get("data", ""), validate=True)
    except (binascii.Error, ValueError):
        return response
    described = {name: response.headers[name] for name in ("ETag", "Last-Modified")}
    return Response(data, headers={**described, "Content-Type": content_type})
