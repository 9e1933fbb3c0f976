"""Interactions with a resource type: create, the conditional writes, validate."""

from starlette.responses import Response

from emulator.core.rest import JsonResponse
from emulator.services.healthcare.fhir.interactions.instance import patch_of
from emulator.services.healthcare.fhir.interactions.representation import written_response
from emulator.services.healthcare.fhir.interactions.request import FhirRequest, json_response
from emulator.services.healthcare.fhir.outcome import error
from emulator.services.healthcare.fhir.refusals import OutcomeError, success, unsupported
from emulator.services.healthcare.fhir.resources import parsing, writes


def create(request: FhirRequest) -> Response:
    """Create a resource, unless If-None-Exist matches one."""
    type_, resource = request.type, request.resource()
    with request.fhir.changing(request.settings) as changes:
        written = writes.create(changes, type_, resource, request.header("if-none-exist"))
    return written_response(request, written)


def conditional_update(request: FhirRequest) -> Response:
    """Replace the resource that the query matches, or create one."""
    type_, resource = request.type, request.resource()
    with request.fhir.changing(request.settings) as changes:
        written = writes.conditional_update(
            changes, type_, request.query, resource, if_match=request.header("if-match")
        )
    return written_response(request, written)


def conditional_patch(request: FhirRequest) -> Response:
    """Change the resource that the query matches by a JSON Patch."""
    type_, operations = request.type, patch_of(request)
    with request.fhir.changing(request.settings) as changes:
        written = writes.conditional_patch(
            changes, type_, request.query, operations, if_match=request.header("if-match")
        )
    return written_response(request, written)


def conditional_delete(request: FhirRequest) -> Response:
    """Delete the resource that the query matches; documented: the answer is empty."""
    type_ = request.type
    with request.fhir.changing(request.settings) as changes:
        writes.conditional_delete(changes, type_, request.query)
    return JsonResponse({})


def validate(request: FhirRequest) -> Response:
    """Report what is wrong with a resource, which is not stored.

    Documented: a Parameters resource as input is not supported, and a profile must be in the
    store. Inferred (conformance: fhir-validate): the text of a success.
    """
    type_, resource = request.type, request.resource()
    if resource.get("resourceType") == "Parameters" != type_:
        raise unsupported("the input of $validate is the resource itself, not Parameters")
    parsing.check_resource(resource, type_, request.settings)
    if profile := request.parameter("profile"):
        _check_profile(request, profile)
    return json_response(success("the resource is valid"))


def _check_profile(request: FhirRequest, profile: str) -> None:
    url, _, version = profile.partition("|")
    rows = request.fhir.resources.select(
        "SELECT 1 FROM fhir_canonicals JOIN fhir_resources ON number = resource"
        " WHERE fhir_canonicals.store = ? AND url = ? AND type = 'StructureDefinition'"
        " AND ? IN ('', fhir_canonicals.version)",
        (request.store, url, version),
    )
    if not rows:
        text = f"the profile {profile!r} was not found in the FHIR store"
        raise OutcomeError(400, error("not-found", "profile_not_found", text))
    raise unsupported(
        f"the local Google Cloud does not check resources by profiles such as {profile!r} yet; "
        "without the parameter profile, $validate checks by the specification",
        501,
    )
