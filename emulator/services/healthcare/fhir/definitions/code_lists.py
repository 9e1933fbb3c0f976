"""The code lists of required bindings, for the generator of the table."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

_NAMES = {
    "all-types": "FHIRAllTypesValueSet",
    "care-plan-activity-kind": "CarePlanActivityKindValueSet",
    "care-plan-intent": "CarePlanIntentValueSet",
    "clinicalimpression-status": "ClinicalImpressionStatusValueSet",
    "contract-publicationstatus": "ContractResourcePublicationStatusCode",
    "contract-status": "ContractResourceStatusCode",
    "defined-types": "FHIRDefinedTypeValueSet",
    "event-timing": "EventTimingValueSet",
    "fm-status": "FinancialResourceStatusCode",
    "guide-parameter-code": "GuideParameterCode",
    "http-operations": "TestScriptRequestMethodCode",
    "immunization-evaluation-status": "ImmunizationEvaluationStatusCodesValueSet",
    "immunization-status": "ImmunizationStatusCodesValueSet",
    "medication-admin-status": "MedicationAdministrationStatusCode",
    "medication-statement-status": "MedicationStatementStatusCodes",
    "medication-status": "MedicationStatusCode",
    "medicationdispense-status": "MedicationDispenseStatusCode",
    "medicationknowledge-status": "MedicationKnowledgeStatusCode",
    "remittance-outcome": "ClaimProcessingCode",
    "search-modifier-code": "SearchModifierCode",
    "system-restful-interaction": "SystemRestfulInteractionValueSet",
    "task-intent": "TaskIntentValueSet",
    "type-restful-interaction": "TypeRestfulInteractionValueSet",
    "units-of-time": "UnitsOfTimeValueSet",
    "v3-ConfidentialityClassification": "V3ConfidentialityClassificationValueSet",
}
"""Lists whose name in google/fhir v0.7.4 (observed) is not the value set's name with `Code`, by the
last part of the value set's URL."""


class CodeLists:
    """The codes of value sets, as far as they are finite.

    Attributes:
        used: codes, separated by a tab, by the name that errors of google/fhir have for the list
        systems: of the lists whose codes are all of one system
    """

    def __init__(self, resources: Iterable[Mapping[str, Any]]) -> None:
        """Read the value sets and code systems among resources."""
        self.used: dict[str, str] = {}
        self.systems: dict[str, str] = {}
        self._sets: dict[str, Mapping[str, Any]] = {}
        self._systems: dict[str, Mapping[str, Any]] = {}
        for one in resources:
            if one["resourceType"] == "ValueSet":
                self._sets[one["url"]] = one
            elif one["resourceType"] == "CodeSystem":
                self._systems[one["url"]] = one

    def use(self, url: str) -> str:
        """Return the name of a value set's list, or an empty text if any code is allowed."""
        codes = self._expand(url)
        if codes is None:
            return ""
        name = _NAMES.get(url.rpartition("/")[2]) or _camel_case(self._sets[url]["name"]) + "Code"
        self.used[name] = "\t".join(dict.fromkeys(codes))
        systems = {one.get("system", "") for one in self._sets[url]["compose"]["include"]}
        if len(systems) == 1 and (system := systems.pop()):
            self.systems[name] = system
        return name

    def _expand(self, url: str) -> list[str] | None:
        if url not in self._sets:
            return None
        compose = self._sets[url]["compose"]
        codes: list[str] = []
        for include in compose["include"]:
            part = self._included(include)
            if part is None:
                return None
            codes.extend(part)
        excluded = {
            code for one in compose.get("exclude", ()) for code in self._included(one) or ()
        }
        return [code for code in codes if code not in excluded]

    def _included(self, include: Mapping[str, Any]) -> list[str] | None:
        if concepts := include.get("concept"):
            return [concept["code"] for concept in concepts]
        if sets := include.get("valueSet"):
            parts = [self._expand(url.partition("|")[0]) for url in sets]
            return None if None in parts else [code for part in parts for code in part or ()]
        system = self._systems.get(include["system"])
        if system is None or system["content"] != "complete":
            return None
        concepts = [*_concepts(system.get("concept", ()), ())]
        for criterion in include.get("filter", ()):
            concepts = [one for one in concepts if _matches(criterion, *one)]
        return [concept["code"] for concept, _ in concepts]


def _concepts(
    concepts: Iterable[Mapping[str, Any]], above: tuple[str, ...]
) -> Iterator[tuple[Mapping[str, Any], tuple[str, ...]]]:
    """Yield the concepts of a code system, each with the codes above it."""
    for concept in concepts:
        yield concept, above
        yield from _concepts(concept.get("concept", ()), (*above, concept["code"]))


def _matches(
    criterion: Mapping[str, str], concept: Mapping[str, Any], above: tuple[str, ...]
) -> bool:
    if criterion["property"] == "concept":
        is_below = criterion["value"] in above
        if criterion["op"] == "is-a":
            return is_below or concept["code"] == criterion["value"]
        if criterion["op"] == "descendent-of":
            return is_below
    raise NotImplementedError(f"the filter {criterion} of a value set")


def _camel_case(name: str) -> str:
    return "".join(word[:1].upper() + word[1:] for word in re.split(r"[^A-Za-z0-9]+", name))
