"""Versions of resources as answers of HTTP.

Documented (http://hl7.org/fhir/R4/http.html): the headers, and what `Prefer` asks for.
"""

from email.utils import format_datetime, parsedate_to_datetime

from starlette.responses import Response

from emulator.services.healthcare.fhir import instants
from emulator.services.healthcare.fhir.interactions.request import FhirRequest, json_response
from emulator.services.healthcare.fhir.refusals import success
from emulator.services.healthcare.fhir.resources.conditions import version_id_of
from emulator.services.healthcare.fhir.resources.version import Version
from emulator.services.healthcare.fhir.resources.writes import Written


def location(root: str, version: Version) -> str:
    """Return the URL of a version.

    Args:
        root: URL of the store's FHIR service
        version: of a resource
    """
    return f"{root}/{version.name}/_history/{version.version_id}"


def headers(version: Version) -> dict[str, str]:
    """Return the headers that describe a version."""
    modified = format_datetime(instants.moment(version.version), usegmt=True)
    return {"ETag": version.etag, "Last-Modified": modified}


def read_response(request: FhirRequest, version: Version) -> Response:
    """Return a version, or a 304 if the client has it (conditional read)."""
    described = headers(version)
    if _is_known(request, version):
        return Response(status_code=304, headers=described)
    return json_response(version.resource(), 200, described)


def written_response(request: FhirRequest, written: Written) -> Response:
    """Return the result of a write, as the header Prefer asks for it."""
    version = written.version
    if version is None:
        return json_response(success("the resource was deleted"), written.status)
    described = {**headers(version), "Location": location(request.root, version)}
    match request.prefers():
        case "minimal":
            return Response(status_code=written.status, headers=described)
        case "OperationOutcome":
            text = f"{version.name} was written"
            return json_response(success(text), written.status, described)
    return json_response(version.resource(), written.status, described)


def _is_known(request: FhirRequest, version: Version) -> bool:
    if known := request.header("if-none-match"):
        return known.strip() == "*" or version.version_id in map(version_id_of, known.split(","))
    if since := request.header("if-modified-since"):
        try:
            moment = parsedate_to_datetime(since)
        except ValueError:
            return False
        return instants.moment(version.version).replace(microsecond=0) <= moment
    return False
