"""Searches over a resource type, or over types.

Documented (the reference of `fhir.search`): parameters are in the URL, in a POST as in a GET; a
form in the body is not supported. Clients and stores choose strict handling: the header
`Prefer: handling=strict`, and `defaultSearchHandlingStrict`. Inferred (conformance:
fhir-search-form): a form is refused with 415.
"""

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from emulator.services.healthcare.fhir import instants
from emulator.services.healthcare.fhir.interactions.request import FhirRequest, json_response
from emulator.services.healthcare.fhir.outcome import error
from emulator.services.healthcare.fhir.refusals import OutcomeError
from emulator.services.healthcare.fhir.resources import parsing
from emulator.services.healthcare.fhir.search import bundle, query, searching
from emulator.services.healthcare.fhir.search.conditions import Limits
from emulator.services.healthcare.fhir.search.criteria import SearchError

_TYPE = "resourceType"
_NANOSECONDS = 1_000_000_000
_FORM = "application/x-www-form-urlencoded"


def search_type(request: FhirRequest) -> Response:
    """Search the resources of a type."""
    return _search(request, request.type)


def search_all(request: FhirRequest) -> Response:
    """Search the resources of several types, or of all.

    Documented (the method's parameters): `resourceType` may name the one type to search.
    """
    named = request.parameter(_TYPE)
    return _search(request, parsing.check_type(named) if named else "")


def is_strict(request: FhirRequest) -> bool:
    """Whether unknown parameters are refused."""
    handling = request.handling()
    return handling == "strict" or (request.settings.is_strict and handling != "lenient")


def reader(request: FhirRequest) -> searching.Read:
    """Return the function that reads current versions of the store."""

    def read(type_: str, id_: str) -> Mapping[str, Any] | None:
        found = request.fhir.resources.find(request.store, type_, id_)
        return found.resource() if found else None

    return read


def _search(request: FhirRequest, resource_type: str) -> Response:
    if request.body and request.header("content-type").startswith(_FORM):
        text = "search parameters in the body are not supported: put them into the URL's query"
        raise OutcomeError(415, error("not-supported", "unsupported_media_type", text))
    resources, read = request.fhir.resources, reader(request)
    try:
        wanted = query.read(
            request.query, resource_type, strict=is_strict(request), known=request.parameters
        )
        before = _before(request, wanted)
        with (
            resources.database.snapshot(),
            resources.database.read() as connection,
            request.access.filtering(connection) as visible,
        ):
            limits = Limits(before, visible)
            page = searching.search(connection, request.store, wanted, read, limits)
            found = bundle.searchset(page, wanted, request.root, resource_type, read)
    except SearchError as refused:
        raise OutcomeError(400, refused.issue) from None
    return json_response(found)


def _before(request: FhirRequest, wanted: query.Query) -> int | None:
    """Return the version from which on resources are not in a delayed index yet."""
    delay = request.settings.index_delay_seconds
    if not delay or query.is_by_identifier(wanted):
        return None
    return instants.next_version() - delay * _NANOSECONDS
