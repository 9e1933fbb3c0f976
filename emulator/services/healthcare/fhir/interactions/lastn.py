"""`Observation/$lastn`: the last observations of a subject, by code (v1beta1).

Documented (the reference of `Observation-lastn`): the required parameters, `max`, the order, and
that more than 1,000 results are refused. Inferred (conformance: fhir-lastn): the texts of refusals,
and that observations with the same codings are one group.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import Response

from emulator.services.healthcare.fhir.interactions.compartment import entry_of
from emulator.services.healthcare.fhir.interactions.paging import bundle
from emulator.services.healthcare.fhir.interactions.request import FhirRequest, json_response
from emulator.services.healthcare.fhir.interactions.search import is_strict, reader
from emulator.services.healthcare.fhir.refusals import OutcomeError, invalid_query, too_costly
from emulator.services.healthcare.fhir.search import query, searching
from emulator.services.healthcare.fhir.search.conditions import Limits
from emulator.services.healthcare.fhir.search.criteria import SearchError

TYPE = "Observation"
MAX_RESULTS = 1000
MAX = "max"
_SUBJECTS = frozenset({"subject", "patient"})
_OWN = frozenset({MAX, "_count", "_sort", "_page_token", "_include", "_revinclude"})
"""Parameters that the search gets from here, or that have no meaning for groups."""


def last_observations(request: FhirRequest) -> Response:
    """Return the last observations of each code."""
    number = _max(request)
    groups: dict[Any, list[Mapping[str, Any]]] = {}
    for observation in _search(request):
        group = groups.setdefault(_code(observation), [])
        if len(group) < number:
            group.append(observation)
    found = [observation for group in groups.values() for observation in group]
    entries = [entry_of(request, f"{TYPE}/{each['id']}", each) for each in found]
    return json_response(bundle(request, "searchset", entries, None, len(found)))


def _search(request: FhirRequest) -> Sequence[Mapping[str, Any]]:
    """Return all matches, the most recent ones first."""
    pairs = [pair for pair in request.query if pair[0] not in _OWN]
    names = {name.partition(":")[0].partition(".")[0] for name, _ in pairs}
    if not names & _SUBJECTS:
        raise invalid_query("$lastn needs the search parameter subject or patient")
    if not any(name == "category" or "code" in name.split("-") for name in names):
        raise invalid_query("$lastn needs the search parameter category or code")
    resources, read = request.fhir.resources, reader(request)
    try:
        wanted = query.read(pairs, TYPE, strict=is_strict(request), known=request.parameters)
        wanted.sort, wanted.count = [("date", True)], MAX_RESULTS
        with (
            resources.database.snapshot(),
            resources.database.read() as connection,
            request.access.filtering(connection) as visible,
        ):
            limits = Limits(visible=visible)
            page = searching.search(connection, request.store, wanted, read, limits)
            found = [read(key.type, key.id) for key in page.matches]
    except SearchError as refused:
        raise OutcomeError(400, refused.issue) from None
    if page.total > MAX_RESULTS:
        raise too_costly(f"$lastn finds {page.total} results; {MAX_RESULTS} are supported")
    return [observation for observation in found if observation is not None]


def _max(request: FhirRequest) -> int:
    text = request.parameter(MAX) or "1"
    if not (text.isascii() and text.isdigit() and 0 < int(text[:5]) <= MAX_RESULTS):
        raise invalid_query(f'invalid max "{text[:20]}": from 1 to {MAX_RESULTS}')
    return int(text)


def _code(observation: Mapping[str, Any]) -> Any:
    """Return what observations of one group share: their codings, or their text without one."""
    code = observation.get("code", {})
    codings = frozenset(
        (coding.get("system", ""), coding.get("code", "")) for coding in code.get("coding", [])
    )
    return codings or code.get("text", "")
