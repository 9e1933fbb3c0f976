"""`$references`: the resources that refer to one (v1beta1).

Documented (the reference of `Resource-incoming-references`): the parameters, and that the target
need not exist.
"""

from typing import Any

from starlette.responses import Response

from emulator.services.healthcare.fhir.interactions import paging
from emulator.services.healthcare.fhir.interactions.compartment import entry_of, types_of
from emulator.services.healthcare.fhir.interactions.request import FhirRequest, json_response
from emulator.services.healthcare.fhir.refusals import invalid_query
from emulator.services.healthcare.fhir.resources import parsing
from emulator.services.healthcare.fhir.resources.version import Version

_TEXT = ("resourceType", "id", "meta", "text")
_SUMMARIES = ("", "text", "data", "false")


def incoming_references(request: FhirRequest) -> Response:
    """Return the resources that refer to the target, page by page."""
    type_, _, id_ = request.parameter("target").partition("/")
    if not id_:
        raise invalid_query("the parameter target is required: ResourceType/ResourceID")
    wanted = [parsing.check_type(type_), parsing.check_id(id_)]
    summary = request.parameter("_summary")
    if summary not in _SUMMARIES:
        raise invalid_query(f'invalid _summary "{summary}": text, data or false')
    types = sorted(types_of(request))
    condition = f" AND type IN ({','.join('?' * len(types))})" if types else ""
    rows = request.fhir.resources.select(
        "SELECT * FROM fhir_resources WHERE number IN (SELECT resource FROM fhir_references"  # noqa: S608
        f" WHERE store = ? AND target_type = ? AND target_id = ?){condition} ORDER BY number",
        (request.store, *wanted, *types),
    )
    after, count = paging.last_key(request, 0), paging.count(request)
    found = [version for row in rows if request.access.permits(version := Version.of(row))]
    rest = [version for version in found if version.number > after]
    page = rest[:count]
    entries = [
        entry_of(request, version.name, _summarize(version.resource(), summary)) for version in page
    ]
    following = page[-1].number if len(rest) > count else None
    return json_response(paging.bundle(request, "searchset", entries, following, len(found)))


def _summarize(resource: dict[str, Any], summary: str) -> dict[str, Any]:
    if summary == "text":
        return {key: value for key, value in resource.items() if key in _TEXT}
    if summary == "data":
        return {key: value for key, value in resource.items() if key != "text"}
    return resource
