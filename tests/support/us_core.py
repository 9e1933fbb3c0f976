"""Resources for two profiles of US Core, as these want them and otherwise."""

import json
from collections.abc import Iterator
from typing import Any

from tests.support.fhir_resources import patient

US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition/"


def us_core_cases() -> list[tuple[str, dict[str, Any]]]:
    """Return patients and blood pressures, each with the URL of its profile."""
    race = {
        "url": f"{US_CORE}us-core-race",
        "extension": [
            {
                "url": "ombCategory",
                "valueCoding": {"system": "urn:oid:2.16.840.1.113883.6.238", "code": "1002-5"},
            },
            {"url": "text", "valueString": "a text"},
        ],
    }
    base = patient(
        "p",
        extension=[race],
        identifier=[{"system": "urn:example", "value": "1"}],
        name=[{"family": "A"}],
        gender="female",
    )
    inner = race["extension"]
    assert isinstance(inner, list)
    races = [[inner[0]], [inner[1], inner[1]], [inner[0]] * 6 + [inner[1]], [{"url": "text"}]]
    patients = [
        base,
        *each_without_a_member(base),
        *({**base, "extension": [{**race, "extension": one}]} for one in races),
        {**base, "extension": [race, race]},
        {**base, "extension": [{"url": race["url"], "valueString": "x"}]},
        {**base, "identifier": [{"value": "1"}]},
        {**base, "identifier": [{"system": "urn:example"}]},
        {**base, "telecom": [{"system": "phone"}]},
        {**base, "name": [{"use": "official"}]},
    ]
    pressure = blood_pressure()
    pressures = [
        pressure,
        *each_without_a_member(pressure),
        {**pressure, "component": pressure["component"][:1]},
        {**pressure, "code": {"coding": [{"system": "http://loinc.org", "code": "1-8"}]}},
        {**pressure, "category": [{"text": "vital signs"}]},
    ]
    parts = json.loads(json.dumps(pressure))
    parts["component"][0]["valueQuantity"]["code"] = "kPa"
    return [
        *((f"{US_CORE}us-core-patient", one) for one in patients),
        *((f"{US_CORE}us-core-blood-pressure", one) for one in [*pressures, parts]),
    ]


def each_without_a_member(resource: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for name in sorted(resource.keys() - {"resourceType"}):
        yield {key: value for key, value in resource.items() if key != name}


def blood_pressure() -> dict[str, Any]:
    def component(code: str) -> dict[str, Any]:
        unit = {"unit": "mmHg", "system": "http://unitsofmeasure.org", "code": "mm[Hg]"}
        coding = {"system": "http://loinc.org", "code": code}
        return {"code": {"coding": [coding]}, "valueQuantity": {"value": 100, **unit}}

    system = "http://terminology.hl7.org/CodeSystem/observation-category"
    return {
        "resourceType": "Observation",
        "status": "final",
        "category": [{"coding": [{"system": system, "code": "vital-signs"}]}],
        "code": {"coding": [{"system": "http://loinc.org", "code": "85354-9"}]},
        "subject": {"reference": "Patient/p"},
        "effectiveDateTime": "2026-01-31",
        "component": [component("8480-6"), component("8462-4")],
    }
