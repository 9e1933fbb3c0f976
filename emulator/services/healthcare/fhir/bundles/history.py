"""History bundles: versions of resources, inserted where they were made.

Documented (https://cloud.google.com/healthcare-api/docs/how-tos/fhir-bundles): an extension of
Google's, behind `enableHistoryModifications`, of at most 100 entries.
"""

from typing import Any

from starlette.responses import Response

from emulator.services.healthcare.fhir.bundles import permissions
from emulator.services.healthcare.fhir.interactions.request import FhirRequest, json_response
from emulator.services.healthcare.fhir.refusals import invalid, unsupported
from emulator.services.healthcare.fhir.resources import history_entries

MAX_ENTRIES = 100


def execute(request: FhirRequest, entries: list[Any]) -> Response:
    """Insert the versions of a history bundle, all or none."""
    if not request.settings.takes_history:
        raise unsupported(
            "history bundles need enable_history_modifications of the store to be true"
        )
    if not request.settings.keeps_versions:
        raise unsupported("the store has no history: its disable_resource_versioning is true")
    if len(entries) > MAX_ENTRIES:
        text = f"a history bundle has at most {MAX_ENTRIES} entries, got {len(entries)}"
        raise invalid("invalid_bundle", text, "Bundle.entry")
    versions = [
        history_entries.version_of(request.settings, index, entry)
        for index, entry in enumerate(entries)
    ]
    for method in sorted({version.method for version in versions}):
        permissions.check(request, method)
    with request.fhir.changing(request.settings) as changes:
        for version in versions:
            changes.insert(version)
    answers = [{"response": {"status": "201 Created"}} for _ in versions]
    found: dict[str, Any] = {"resourceType": "Bundle", "type": "batch-response"}
    return json_response({**found, **({"entry": answers} if answers else {})})
