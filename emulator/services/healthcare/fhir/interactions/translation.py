"""`ConceptMap/$translate`: a code by concept maps (v1beta1).

Documented (http://hl7.org/fhir/R4/conceptmap-operation-translate.html, and the reference of
`ConceptMap-search-translate`): the parameters, and the result. Inferred (conformance:
fhir-translate): the message of a code that no map has.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from starlette.responses import Response

from emulator.services.healthcare.fhir.interactions import instance
from emulator.services.healthcare.fhir.interactions.request import FhirRequest, json_response
from emulator.services.healthcare.fhir.refusals import invalid_query, missing
from emulator.services.healthcare.fhir.resources.version import Version

TYPE = "ConceptMap"
_NO_MATCH = frozenset({"unmatched", "disjoint"})


def translate(request: FhirRequest) -> Response:
    """Translate a code by one concept map, which the path names."""
    concept_map = instance.current(request)
    version = request.parameter("conceptMapVersion")
    found = [concept_map.resource()]
    if version and str(found[0].get("version", "")) != version:
        raise missing(f"{concept_map.name} with the version {version}")
    return _answer(request, found)


def search_translate(request: FhirRequest) -> Response:
    """Translate a code by the concept maps of a URL, or of a source or target."""
    url, version = request.parameter("url"), request.parameter("conceptMapVersion")
    source, target = request.parameter("source"), request.parameter("target")
    if not (url or source or target):
        raise invalid_query("one of the parameters url, source and target is required")
    found = [
        resource
        for resource in _maps(request)
        if (not url or resource.get("url") == url)
        and (not version or str(resource.get("version", "")) == version)
        and (not source or source in _scopes(resource, "source"))
        and (not target or target in _scopes(resource, "target"))
    ]
    if not found:
        raise missing(f"a {TYPE} that the parameters name")
    return _answer(request, _current(found) if url and not version else found)


def _maps(request: FhirRequest) -> Iterator[dict[str, Any]]:
    rows = request.fhir.resources.select(
        "SELECT * FROM fhir_resources WHERE store = ? AND type = ? ORDER BY number",
        (request.store, TYPE),
    )
    return (Version.of(row).resource() for row in rows)


def _scopes(resource: Mapping[str, Any], side: str) -> set[Any]:
    return {resource.get(f"{side}Uri"), resource.get(f"{side}Canonical")}


def _current(found: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Documented: without a version, the most current one is used."""
    return [max(found, key=lambda resource: _version_key(str(resource.get("version", ""))))]


def _version_key(version: str) -> list[tuple[int, int, str]]:
    parts = version.replace("-", ".").split(".")
    return [(1, int(part), "") if part.isdecimal() else (0, 0, part) for part in parts]


def _answer(request: FhirRequest, maps: Sequence[Mapping[str, Any]]) -> Response:
    code, system = request.parameter("code"), request.parameter("system")
    if not code or not system:
        raise invalid_query("the parameters code and system are required")
    matches = [match for resource in maps for match in _matches(resource, code, system)]
    is_found = any(match["equivalence"] not in _NO_MATCH for match in matches)
    parameters: list[dict[str, Any]] = [{"name": "result", "valueBoolean": is_found}]
    if not matches:
        text = f"no mapping of the code {code!r} of {system!r} was found"
        parameters.append({"name": "message", "valueString": text})
    parameters += [{"name": "match", "part": _parts(match)} for match in matches]
    return json_response({"resourceType": "Parameters", "parameter": parameters})


def _matches(resource: Mapping[str, Any], code: str, system: str) -> Iterator[dict[str, Any]]:
    for group in resource.get("group", []):
        if group.get("source") != system:
            continue
        elements = [each for each in group.get("element", []) if each.get("code") == code]
        targets = [target for each in elements for target in each.get("target", [])]
        if not elements:
            targets = _unmapped(group.get("unmapped", {}), code)
        for target in targets:
            concept = {"system": group.get("target"), **target}
            yield {
                "equivalence": target.get("equivalence", "equivalent"),
                "concept": {
                    key: concept[key] for key in ("system", "code", "display") if concept.get(key)
                },
                "source": resource.get("url", ""),
            }


def _unmapped(rule: Mapping[str, Any], code: str) -> list[dict[str, Any]]:
    """Return the target of a code that a group does not have."""
    match rule.get("mode"):
        case "provided":
            return [{"code": code, "equivalence": "equal"}]
        case "fixed":
            fixed = {key: rule[key] for key in ("code", "display") if key in rule}
            return [{**fixed, "equivalence": "inexact"}]
    return []


def _parts(match: Mapping[str, Any]) -> list[dict[str, Any]]:
    parts = [
        {"name": "equivalence", "valueCode": match["equivalence"]},
        {"name": "concept", "valueCoding": match["concept"]},
    ]
    if match["source"]:
        parts.append({"name": "source", "valueUri": match["source"]})
    return parts
