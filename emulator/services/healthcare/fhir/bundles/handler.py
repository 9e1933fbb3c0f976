"""`executeBundle`: a POST to the root of a store's FHIR service."""

from typing import Any

from starlette.responses import Response

from emulator.services.healthcare.fhir.bundles import entries, history, permissions, transaction
from emulator.services.healthcare.fhir.bundles.execution import (
    execute,
    refused_entry,
    response_entry,
)
from emulator.services.healthcare.fhir.interactions.request import FhirRequest, json_response
from emulator.services.healthcare.fhir.refusals import OutcomeError, invalid, mismatch, unparseable

_TYPES = "batch, transaction or history"


def execute_bundle(request: FhirRequest) -> Response:
    """Execute the requests of a bundle."""
    bundle = request.resource()
    if bundle.get("resourceType") != "Bundle":
        raise mismatch("the body of executeBundle is a resource of the type Bundle")
    given = bundle.get("entry", [])
    if not isinstance(given, list):
        raise unparseable("expected array", "Bundle.entry")
    match bundle.get("type"):
        case "transaction":
            return _transaction(request, given)
        case "batch":
            return _batch(request, given)
        case "history":
            return history.execute(request, given)
    raise invalid("invalid_bundle", f"the type of the bundle must be {_TYPES}", "Bundle.type")


def _transaction(request: FhirRequest, given: list[Any]) -> Response:
    parsed = [entries.parse(index, each) for index, each in enumerate(given)]
    for method in sorted({entry.method for entry in parsed}):
        permissions.check(request, method)
    results = transaction.run(request, parsed)
    answers = [
        response_entry(request, entry, written)
        for entry, written in zip(parsed, results, strict=True)
    ]
    return _answer("transaction-response", answers)


def _batch(request: FhirRequest, given: list[Any]) -> Response:
    answers = []
    for index, each in enumerate(given):
        try:
            entry = entries.parse(index, each)
            permissions.check(request, entry.method)
            with request.fhir.changing(request.settings) as changes:
                written = execute(request, changes, entry)
        except OutcomeError as refused:
            answers.append(refused_entry(refused))
        else:
            answers.append(response_entry(request, entry, written))
    return _answer("batch-response", answers)


def _answer(type_: str, answers: list[Any]) -> Response:
    found: dict[str, Any] = {"resourceType": "Bundle", "type": type_}
    if answers:
        found["entry"] = answers
    return json_response(found)
