"""Search parameters that a store has beside R4's."""

from collections.abc import Callable
from typing import Any

import pytest

from emulator.cloud import Cloud
from tests.support.fhir_resources import observation, patient

RACE = "http://example.com/fhir/race.v1"
PARAMETERS = "http://example.com/fhir/parameters"
PATIENCE_SECONDS = 20


def parameter(code: str, type_: str, expression: str, base: str = "Patient") -> dict[str, Any]:
    return {
        "resourceType": "SearchParameter",
        "id": code,
        "url": f"{PARAMETERS}/{code}",
        "name": code.replace("-", ""),
        "status": "active",
        "description": "a parameter of the store",
        "code": code,
        "base": [base],
        "type": type_,
        "expression": expression,
    }


CUSTOM = (
    parameter("race", "string", f"Patient.extension('{RACE}').value.as(string)"),
    parameter("relation", "token", "Patient.contact.relationship"),
    parameter("multiple", "number", "(Patient.multipleBirth as integer)"),
    parameter(
        "asserter", "reference", f"Observation.extension.where(url = '{RACE}').value", "Observation"
    ),
)


@pytest.fixture
def configure(client: Any, cloud: Cloud, fhir: Any) -> Callable[..., Any]:
    """Configures the search of a store by the codes of parameters; returns the operation."""

    def configure(*codes: str, **more: Any) -> Any:
        body = {"canonicalUrls": [f"{PARAMETERS}/{code}" for code in codes], **more}
        answer = client.post(f"/v1beta1/{fhir.store}:configureSearch", json=body)
        if answer.status_code != 200:
            return answer.json()["error"]
        return cloud.operations.wait(answer.json()["name"], PATIENCE_SECONDS)

    return configure


def found(fhir: Any, query: str) -> list[str]:
    return [one["resource"]["id"] for one in fhir.ok("GET", query).get("entry", [])]


def with_race(id_: str, race: str) -> dict[str, Any]:
    return patient(id_, extension=[{"url": RACE, "valueString": race}])


def test_a_store_finds_by_its_own_parameters(fhir: Any, configure: Callable[..., Any]) -> None:
    for one in CUSTOM:
        fhir.put(one)
    fhir.put(with_race("old", "Elf"))
    fhir.put(patient("twin", multipleBirthInteger=2))
    strict = {"Prefer": "handling=strict"}
    fhir.refused(400, "GET", "Patient?race=elf", **strict)
    done = configure("race", "relation", "multiple", "asserter")
    assert "response" in done, done
    fhir.put(with_race("new", "elven"))
    contact = {"name": {"text": "Sam"}, "relationship": [{"coding": [{"code": "F"}]}]}
    fhir.put(patient("friend", contact=[contact]))
    asserted = [{"url": RACE, "valueReference": {"reference": "Patient/new"}}]
    fhir.put(observation("Patient/old", "o", extension=asserted))

    assert found(fhir, "Patient?race=el") == ["new", "old"]
    assert found(fhir, "Patient?race:exact=Elf") == ["old"]
    assert found(fhir, "Patient?race=el&_sort=-race") == ["new", "old"]
    assert found(fhir, "Patient?relation=F") == ["friend"]
    assert found(fhir, "Patient?multiple=gt1") == ["twin"]
    assert found(fhir, "Observation?subject:Patient.race=elf") == ["o"]
    assert found(fhir, "Patient?_has:Observation:asserter:code:missing=false") == ["new"]
    assert found(fhir, "Observation?asserter=Patient/new&_include=Observation:asserter") == [
        "o",
        "new",
    ]
    [shown] = [
        one for one in fhir.ok("GET", "metadata")["rest"][0]["resource"] if one["type"] == "Patient"
    ]
    assert {"name": "race", "type": "string"} in shown["searchParam"]


def test_a_configuration_replaces_the_one_before(fhir: Any, configure: Callable[..., Any]) -> None:
    for one in CUSTOM:
        fhir.put(one)
    fhir.put(with_race("a", "elf"))
    configure("race")
    stored = fhir.client.get(f"/v1beta1/{fhir.store}").json()
    [shown] = stored["searchConfig"]["searchParameters"]
    assert shown["canonicalUrl"] == f"{PARAMETERS}/race"
    assert shown["parameter"].startswith(f"{fhir.store}/fhir/SearchParameter/race/_history/")
    assert "searchConfig" not in fhir.client.get(f"/v1/{fhir.store}").json()

    configure("relation", validateOnly=True)
    assert found(fhir, "Patient?race=elf&_count=1") == ["a"]
    configure("relation")
    fhir.refused(400, "GET", "Patient?race=elf", Prefer="handling=strict")
    configure()
    assert "searchConfig" not in fhir.client.get(f"/v1beta1/{fhir.store}").json()


def test_parameters_of_a_store_go_with_it(
    fhir: Any, configure: Callable[..., Any], make_fhir: Callable[..., Any]
) -> None:
    fhir.put(CUSTOM[0])
    configure("race")
    fhir.client.delete(f"/v1/{fhir.store}")
    again = make_fhir()
    again.refused(400, "GET", "Patient?race=elf", Prefer="handling=strict")


@pytest.mark.parametrize(
    ("wrong", "culprit"),
    [
        ({"expression": "Patient.nothing"}, "names no element of Patient"),
        ({"expression": "Observation.code"}, "names no element of Patient"),
        ({"expression": "Patient.name.first().family"}, "Patient.name.first().family"),
        ({"type": "composite"}, "composite"),
        ({"code": "_bad"}, "_bad"),
        ({"url": "http://example.com/elsewhere"}, "was not found"),
    ],
)
def test_a_parameter_that_can_not_be_compiled_is_refused(
    fhir: Any, configure: Callable[..., Any], wrong: dict[str, Any], culprit: str
) -> None:
    written = {**CUSTOM[1], **wrong}
    fhir.put(written)
    refusal = configure("relation")
    assert (refusal["code"], culprit in refusal["message"]) == (400, True), refusal
