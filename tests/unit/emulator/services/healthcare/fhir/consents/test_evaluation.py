"""Access determination, compared with the vendor's pseudocode in its words."""

import itertools
import random
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from emulator.services.healthcare.fhir.consents import evaluation, parsing
from emulator.services.healthcare.fhir.consents.directives import (
    CONFIDENTIALITY,
    Accessor,
    Criteria,
    Directive,
)
from emulator.services.healthcare.fhir.consents.evaluation import Outcome
from emulator.services.healthcare.fhir.consents.scopes import ConsentScope
from tests.support.fhir_consents import EXTENSIONS, HL7, consent
from tests.support.fhir_resources import patient

STORE = "projects/p/locations/l/datasets/d/fhirStores/s"
TAG = {"system": "urn:example:tags", "code": "employee"}
RESOURCES = {
    ("Patient", "1"): patient("1", meta={"tag": [TAG]}),
    ("Patient", "2"): patient("2"),
    ("Encounter", "e"): {
        "resourceType": "Encounter",
        "id": "e",
        "meta": {"tag": [TAG]},
        "subject": {"reference": "Patient/2"},
    },
}
ACCESSED: Sequence[dict[str, Any]] = (
    RESOURCES["Patient", "1"],
    RESOURCES["Encounter", "e"],
    {"resourceType": "Organization", "id": "o", "meta": {"tag": [TAG]}},
    {
        "resourceType": "Observation",
        "id": "b",
        "subject": {"reference": "Patient/2"},
        "encounter": {"reference": "Encounter/e"},
    },
    {
        "resourceType": "Appointment",
        "id": "a",
        "participant": [{"actor": {"reference": f"Patient/{number}"}} for number in (1, 2)],
    },
)
TAGGED = Criteria(tags=frozenset({frozenset({(TAG["system"], TAG["code"])})}))
CRITERIA = (Criteria(), TAGGED, Criteria(types=frozenset({"Observation", "Patient"})))
ACCESSORS = (Accessor("A/1"), Accessor("A/2"), Accessor("A/1", "TREAT"), Accessor("A/1", "", "e"))
SCOPES = (ConsentScope(("A/1",)), ConsentScope(("A/1", "A/2"), "TREAT"))


def read(type_: str, id_: str) -> Mapping[str, Any] | None:
    return RESOURCES.get((type_, id_))


def naive(resource: Mapping[str, Any], scope: ConsentScope, all_: Sequence[Directive]) -> bool:
    """The pseudocode, with the compartments of these resources written out."""
    compartments = {
        "Patient": {"Patient/1"},
        "Encounter": {"Patient/2", "Encounter/e"},
        "Organization": set[str](),
        "Observation": {"Patient/2", "Encounter/e"},
        "Appointment": {"Patient/1", "Patient/2"},
    }[resource["resourceType"]]
    patients = {name for name in compartments if name.startswith("Patient/")}

    def bases(directive: Directive) -> list[str]:
        return [
            name
            for name in compartments
            if directive.covers(RESOURCES[name.partition("/")[0], name.partition("/")[2]])
        ]

    def matching(permits: bool, policy: str) -> list[Directive]:
        return [
            each
            for each in all_
            if each.permits is permits
            and each.accessor.matches(scope)
            and policy == ("patient" if each.owner else "cascade" if each.is_cascading else "admin")
            and (bases(each) if each.is_cascading else each.covers(resource))
            and (not each.owner or f"Patient/{each.owner}" in patients)
        ]

    if any(matching(False, policy) for policy in ("patient", "cascade", "admin")):
        return False
    if matching(True, "admin"):
        return True
    permitting = {f"Patient/{each.owner}" for each in matching(True, "patient")}
    for each in matching(True, "cascade"):
        for name in bases(each):
            permitting.add("Patient/2" if name == "Encounter/e" else name)
    return bool(patients) and patients <= permitting


def test_determinations_are_those_of_the_pseudocode() -> None:
    chance = random.Random(14)
    givers = [("", False), ("", True), ("1", False), ("2", False)]
    pool = [
        Directive(permits, accessor, criteria, cascades, "c", owner)
        for permits, accessor, criteria, (owner, cascades) in itertools.product(
            (True, True, False), ACCESSORS, CRITERIA, givers
        )
    ]
    outcomes = set()
    for _ in range(600):
        chosen = chance.sample(pool, chance.randint(0, 4))

        def directives(patients: set[str], chosen: list[Directive] = chosen) -> list[Directive]:
            return [each for each in chosen if not each.owner or each.owner in patients]

        for resource, scope in itertools.product(ACCESSED, SCOPES):
            found = evaluation.determine(resource, scope, directives, read).outcome
            assert (found is Outcome.PERMIT) is naive(resource, scope, chosen), (resource, chosen)
            outcomes.add(found)
    assert outcomes == set(Outcome)


@pytest.mark.parametrize(
    ("type_", "code", "label", "covers"),
    [
        ("permit", "R", "N", True),
        ("permit", "R", "V", False),
        ("deny", "R", "V", True),
        ("deny", "R", "N", False),
        ("permit", "R", "other", False),
    ],
)
def test_labels_of_confidentiality_are_ranked(
    type_: str, code: str, label: str, covers: bool
) -> None:
    labels = [{"system": CONFIDENTIALITY, "code": code}]
    [directive] = parsing.parse(consent("c", type_=type_, securityLabel=labels), STORE)
    resource = patient("1", meta={"security": [{"system": CONFIDENTIALITY, "code": label}]})
    assert directive.covers(resource) is covers


def test_a_consent_has_a_directive_for_each_actor() -> None:
    nested = [{"url": f"{EXTENSIONS}/DataTag", "valueCoding": TAG}]
    given = consent(
        "c",
        "Patient/1",
        actors=(f"https://example.com/v1/{STORE}/fhir/Practitioner/1", "Group/2"),
        purpose="TREAT",
        environment="App/1",
        types=("Encounter",),
        extension=[{"url": f"{EXTENSIONS}/DataTag", "extension": nested}],
        data=[{"meaning": "instance", "reference": {"reference": "Encounter/e"}}],
    )
    directives = parsing.parse(given, STORE)
    assert [each.accessor for each in directives] == [
        Accessor("Practitioner/1", "TREAT", "App/1"),
        Accessor("Group/2", "TREAT", "App/1"),
    ]
    assert directives[0].owner == "1"
    assert directives[0].criteria == Criteria(
        types=frozenset({"Encounter"}), names=frozenset({"Encounter/e"}), tags=TAGGED.tags
    )


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"period": {"start": "2020"}}, "provision.period is not supported"),
        ({"provision": [{}]}, "provision.provision is not supported"),
        ({"actors": ()}, "must have 1 to 25 values, got 0"),
        ({"type_": ""}, "type must be permit or deny"),
        ({"purpose": "A-PURPOSE-TOO-LONG"}, "at most 13 characters"),
        ({"environment": "App/longer-than-that"}, "at most 14 characters"),
        ({"cascades": True, "types": ("Observation",)}, "needs the class Patient or Encounter"),
        ({"extension": [{"url": "urn:x"}]}, "the extension urn:x"),
        ({"securityLabel": [{"system": f"{HL7}/other", "code": "x"}]}, "securityLabel must be"),
        ({"data": [{"meaning": "related", "reference": {}}]}, "mean the instance"),
        ({"action": [{"coding": [{"code": "correct"}]}]}, "action must be access"),
    ],
)
def test_what_is_not_supported(members: dict[str, Any], words: str) -> None:
    with pytest.raises(parsing.UnsupportedConsentError, match=words):
        parsing.parse(consent("c", **members), STORE)
