"""Interactions with a resource type: create, the conditional writes, validate."""

from collections.abc import Sequence
from typing import Any

from starlette.responses import Response

from emulator.core.rest import JsonResponse
from emulator.services.healthcare.fhir.interactions.instance import patch_of
from emulator.services.healthcare.fhir.interactions.representation import written_response
from emulator.services.healthcare.fhir.interactions.request import FhirRequest, json_response
from emulator.services.healthcare.fhir.outcome import Issue, error
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
    if wrong := _problems(request, resource, request.parameter("profile")):
        raise OutcomeError(400, *wrong)
    return json_response(success("the resource is valid"))


def _problems(request: FhirRequest, resource: dict[str, Any], profile: str) -> Sequence[Issue]:
    """Return what is wrong by one profile, or by those that the resource and the store name."""
    checks, settings = request.fhir.profiles, request.settings
    with request.fhir.resources.database.read() as connection:
        args = (connection, request.store, settings.profiles, resource)
        if not profile:
            return checks.check_declared(*args)
        found = checks.check_by(*args, profile)
    if found is None:
        text = f"the profile {profile!r} was not found in the FHIR store"
        raise OutcomeError(400, error("not-found", "profile_not_found", text))
    return found
