"""Directives of a Consent resource (http://hl7.org/fhir/R4/consent.html).

Documented ("Constraints and limitations" of the guide): what is supported. Inferred (conformance:
fhir-consent-unsupported): a provision with an element whose meaning enforcement would lose, such as
`period`, is unsupported, and so is one without a type.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from emulator.services.healthcare.fhir.consents.directives import (
    CONFIDENTIALITY,
    RANKS,
    Accessor,
    Code,
    Criteria,
    Directive,
)
from emulator.services.healthcare.fhir.references import Form, of_element

Json = Mapping[str, Any]

_EXTENSIONS = "https://g.co/fhir/medicalrecords"
ADMIN_POLICY, CASCADING_POLICY = (
    f"{_EXTENSIONS}/ConsentAdminPolicy",
    f"{_EXTENSIONS}/CascadingPolicy",
)
_ENVIRONMENT, _SOURCE, _TAG = (
    f"{_EXTENSIONS}/{name}" for name in ("Environment", "DataSource", "DataTag")
)
_HL7 = "http://terminology.hl7.org/CodeSystem"
_ROLES = {(f"{_HL7}/v3-RoleCode", "GRANTEE"), (f"{_HL7}/v3-RoleCode", "HPOWATT")}
_PURPOSES, _ACTIONS = f"{_HL7}/v3-ActReason", f"{_HL7}/consentaction"
_ACT_CODES = f"{_HL7}/v3-ActCode"
_RESOURCE_TYPES = "http://hl7.org/fhir/resource-types"
MAX_ACTORS, MAX_VALUES, MAX_NESTED_TAGS, MAX_PURPOSE, MAX_ENVIRONMENT = 25, 100, 5, 13, 14
_SUPPORTED = frozenset(
    {"id", "type", "actor", "action", "purpose", "class", "data", "extension", "securityLabel"}
)
_BASES = frozenset({"Patient", "Encounter"})


class UnsupportedConsentError(Exception):
    """A consent that is valid but can't be enforced; the message says why."""


def is_active(consent: Json) -> bool:
    """Whether a consent counts at all."""
    return consent.get("status") == "active"


def patient_of(consent: Json) -> str:
    """Return the id of the patient who gave a consent; empty for a policy of administrators."""
    patient = consent.get("patient")
    if not isinstance(patient, dict):
        return ""
    reference = of_element(patient, "Consent.patient")
    return reference.id if reference.form is Form.LOCAL and reference.type == "Patient" else ""


def is_admin_policy(consent: Json) -> bool:
    """Whether a consent is a policy of administrators."""
    return ADMIN_POLICY in _urls(consent) and not patient_of(consent)


def is_cascading(consent: Json) -> bool:
    """Whether a policy is about what is in compartments."""
    return CASCADING_POLICY in _urls(consent)


def parse(consent: Json, store: str) -> list[Directive]:
    """Return the directives of a consent, one for each of its actors.

    Args:
        consent: the resource
        store: its full name, which absolute names of actors may begin with

    Raises:
        UnsupportedConsentError: it can't be enforced
    """
    provision = consent.get("provision")
    if not isinstance(provision, dict):
        raise UnsupportedConsentError("Consent.provision is required")
    if others := sorted({key.lstrip("_") for key in provision} - _SUPPORTED):
        raise UnsupportedConsentError(f"Consent.provision.{others[0]} is not supported")
    if provision.get("type") not in ("permit", "deny"):
        raise UnsupportedConsentError("Consent.provision.type must be permit or deny")
    _check_actions(provision)
    cascading = is_cascading(consent)
    criteria = _criteria(provision)
    if cascading:
        _check_bases(criteria)
    purpose, environment = _purpose(provision), _environment(provision)
    return [
        Directive(
            permits=provision["type"] == "permit",
            accessor=Accessor(actor, purpose, environment),
            criteria=criteria,
            is_cascading=cascading,
            consent=str(consent["id"]),
            owner=patient_of(consent),
        )
        for actor in dict.fromkeys(_actors(provision, store))
    ]


def local_name(value: str, store: str) -> str:
    """Return how directives and scopes name an actor: a resource of the store by type and id."""
    _, found, local = value.partition(f"{store}/fhir/")
    return local if found else value


def _actors(provision: Json, store: str) -> Iterable[str]:
    actors = provision.get("actor", [])
    if not 1 <= len(actors) <= MAX_ACTORS:
        raise UnsupportedConsentError(
            f"Consent.provision.actor must have 1 to {MAX_ACTORS} values, got {len(actors)}"
        )
    for actor in actors:
        roles = _codings(actor.get("role", {}))
        if not any(role in _ROLES for role in roles):
            raise UnsupportedConsentError(
                "Consent.provision.actor.role must be GRANTEE or HPOWATT of v3-RoleCode"
            )
        name = actor.get("reference", {}).get("reference", "")
        if not name:
            raise UnsupportedConsentError("Consent.provision.actor.reference is required")
        yield local_name(name, store)


def _purpose(provision: Json) -> str:
    purposes = _all_codes(provision.get("purpose", []))
    if not purposes:
        return ""
    [(system, code), *others] = purposes
    if others or system != _PURPOSES or not 0 < len(code) <= MAX_PURPOSE:
        raise UnsupportedConsentError(
            "Consent.provision.purpose must be one code of v3-ActReason with at most "
            f"{MAX_PURPOSE} characters"
        )
    return code


def _environment(provision: Json) -> str:
    found = [
        _codings(each.get("valueCodeableConcept", {})) for each in _of(provision, _ENVIRONMENT)
    ]
    if not found:
        return ""
    codings = [coding for each in found for coding in each]
    if len(codings) != 1 or len("".join(codings[0])) > MAX_ENVIRONMENT or not all(codings[0]):
        raise UnsupportedConsentError(
            "the extension Environment of Consent.provision must be one code whose system and "
            f"code have at most {MAX_ENVIRONMENT} characters"
        )
    return "/".join(codings[0])


def _criteria(provision: Json) -> Criteria:
    classes, data = _all_codes(provision.get("class", [])), provision.get("data", [])
    if any(system != _RESOURCE_TYPES for system, _ in classes):
        raise UnsupportedConsentError(f"Consent.provision.class.system must be {_RESOURCE_TYPES}")
    labels = _all_codes(provision.get("securityLabel", []))
    for system, code in labels:
        if system not in (CONFIDENTIALITY, _ACT_CODES) or (
            system == CONFIDENTIALITY and code not in RANKS
        ):
            raise UnsupportedConsentError(
                "Consent.provision.securityLabel must be of v3-Confidentiality or v3-ActCode"
            )
    sources = [str(each.get("valueUri", "")) for each in _of(provision, _SOURCE)]
    tags = [_tags(each) for each in _of(provision, _TAG)]
    known = {_ENVIRONMENT, _SOURCE, _TAG}
    if others := sorted(_urls(provision) - known):
        raise UnsupportedConsentError(
            f"the extension {others[0]} of Consent.provision is not supported"
        )
    for name, values in (("class", classes), ("data", data), ("securityLabel", labels)):
        _check_number(name, values)
    for name, values in (("DataSource", sources), ("DataTag", tags)):
        _check_number(f"extension {name}", values)
    return Criteria(
        types=frozenset(code for _, code in classes),
        names=frozenset(_name(each) for each in data),
        sources=frozenset(sources),
        tags=frozenset(tags),
        labels=frozenset(labels),
    )


def _tags(extension: Json) -> frozenset[Code]:
    """Return the tags that a resource must have together."""
    nested = extension.get("extension", [])
    if len(nested) > MAX_NESTED_TAGS:
        raise UnsupportedConsentError(f"a DataTag has at most {MAX_NESTED_TAGS} nested tags")
    codings = [each.get("valueCoding") for each in nested or [extension]]
    if any(each.get("extension") or each.get("url") != _TAG for each in nested) or not all(codings):
        raise UnsupportedConsentError("a DataTag has a valueCoding, or is nested up to one level")
    return frozenset(_all_codes(codings))


def _name(data: Json) -> str:
    reference = of_element(data.get("reference", {}), "Consent.provision.data.reference")
    if data.get("meaning") != "instance" or reference.form is not Form.LOCAL:
        raise UnsupportedConsentError(
            "Consent.provision.data must refer to a resource of the store, and mean the instance"
        )
    return f"{reference.type}/{reference.id}"


def _check_actions(provision: Json) -> None:
    for action in provision.get("action", []):
        if _codings(action) != [(_ACTIONS, "access")]:
            raise UnsupportedConsentError("Consent.provision.action must be access")


def _check_bases(criteria: Criteria) -> None:
    types = criteria.types or {name.partition("/")[0] for name in criteria.names}
    if not types or not types <= _BASES:
        raise UnsupportedConsentError(
            "a cascading policy needs the class Patient or Encounter, and no other"
        )


def _check_number(name: str, values: Any) -> None:
    if len(values) > MAX_VALUES:
        raise UnsupportedConsentError(
            f"Consent.provision.{name} has {len(values)} values, more than {MAX_VALUES}"
        )


def _of(element: Json, url: str) -> list[Json]:
    """Return the extensions of an element with a URL."""
    return [each for each in element.get("extension", []) if each.get("url") == url]


def _urls(element: Json) -> set[str]:
    return {str(each.get("url", "")) for each in element.get("extension", [])}


def _codings(concept: Json) -> list[Code]:
    return _all_codes(concept.get("coding", []))


def _all_codes(codings: Iterable[Json]) -> list[Code]:
    return [(str(each.get("system", "")), str(each.get("code", ""))) for each in codings]
