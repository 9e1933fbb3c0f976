"""Access determination: whether directives permit a request to read a resource.

Documented (the pseudocode of "Access enforcement and access determination"): a denial wins; an
administrator's permission is enough; without it, every patient of the resource must permit the
access, or be the subject of an encounter whose cascading policy permits it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from emulator.services.healthcare.fhir import compartments
from emulator.services.healthcare.fhir.compartments import ENCOUNTER, PATIENT
from emulator.services.healthcare.fhir.consents.directives import Directive
from emulator.services.healthcare.fhir.consents.scopes import ConsentScope
from emulator.services.healthcare.fhir.references import Form, of_element

Read = Callable[[str, str], Mapping[str, Any] | None]
"""Returns the current version of a resource by type and id."""


class Outcome(StrEnum):
    """The result of a determination, as audit logs name it."""

    PERMIT = "PERMIT"
    DENY = "DENY"
    NO_CONSENT = "NO_CONSENT"


@dataclass(frozen=True, slots=True)
class Match:
    """A directive that is about a resource.

    Attributes:
        directive: the directive
        owners: the patients for whom it speaks; an administrator's speaks for all without any
        origins: the resources from which it cascades, such as `Patient/1`
    """

    directive: Directive
    owners: frozenset[str] = frozenset()
    origins: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Determination:
    """Whether a request may read a resource, and why.

    Attributes:
        outcome: of the determination
        matches: the directives that matched resource and accessor
        is_missing: whether the resource does not exist, and the request may know that
    """

    outcome: Outcome
    matches: Sequence[Match] = field(default=())
    is_missing: bool = False


def determine(
    resource: Mapping[str, Any],
    scope: ConsentScope,
    directives: Callable[[set[str]], Sequence[Directive]],
    read: Read,
) -> Determination:
    """Return whether a request may read a resource.

    Args:
        resource: that exists
        scope: of the request
        directives: returns those of administrators and of the patients with these ids
        read: reads the resources that policies cascade from
    """
    patients = compartments.bases(resource, PATIENT)
    matches = [
        match
        for match in matches_of(resource, directives(patients), read)
        if match.directive.accessor.matches(scope)
    ]
    return Determination(combine(patients, matches), matches)


def combine(patients: set[str], matches: Sequence[Match]) -> Outcome:
    """Return the outcome of the directives that are about a resource of some patients."""
    if any(not match.directive.permits for match in matches):
        return Outcome.DENY
    if any(not match.directive.owner and not match.directive.is_cascading for match in matches):
        return Outcome.PERMIT
    permitting = {owner for match in matches for owner in match.owners}
    if patients and patients <= permitting:
        return Outcome.PERMIT
    return Outcome.DENY if matches else Outcome.NO_CONSENT


def matches_of(
    resource: Mapping[str, Any], directives: Sequence[Directive], read: Read
) -> Iterator[Match]:
    """Yield the directives that are about a resource, for any accessor."""
    cascades = [each for each in directives if each.is_cascading]
    bases = [*_bases(resource, read)] if cascades else []
    for directive in directives:
        if not directive.is_cascading:
            if directive.covers(resource):
                owners = frozenset({directive.owner} if directive.owner else ())
                yield Match(directive, owners)
            continue
        covered = [base for base in bases if directive.covers(base)]
        if covered:
            names = tuple(f"{base['resourceType']}/{base['id']}" for base in covered)
            owners = frozenset(owner for base in covered for owner in _owners(base))
            yield Match(directive, owners, names)


def determine_missing(
    type_: str, id_: str, scope: ConsentScope, policies: Sequence[Directive]
) -> Determination:
    """Return whether a request may know that a resource does not exist.

    Inferred (conformance: fhir-consent-missing): a permission counts if it has no criteria beside
    types and names, and a cascading policy does not count.

    Args:
        type_: of the resource
        id_: of the resource
        scope: of the request
        policies: of administrators
    """
    if compartments.has_type(type_):
        return Determination(Outcome.DENY)
    matches = [
        Match(policy)
        for policy in policies
        if not policy.is_cascading
        and policy.accessor.matches(scope)
        and policy.criteria.identify(type_, id_)
        and not (policy.permits and policy.criteria.need_content)
    ]
    outcome = combine(set(), matches)
    return Determination(outcome, matches, is_missing=outcome is Outcome.PERMIT)


def _bases(resource: Mapping[str, Any], read: Read) -> Iterator[Mapping[str, Any]]:
    """Yield the patients and encounters in whose compartments a resource is."""
    for base in (PATIENT, ENCOUNTER):
        for id_ in sorted(compartments.bases(resource, base)):
            found = read(base, id_)
            if found is not None:
                yield found


def _owners(base: Mapping[str, Any]) -> Iterator[str]:
    """Yield the patient that a base is, or the subject of an encounter."""
    if base["resourceType"] == PATIENT:
        yield str(base["id"])
    elif isinstance(subject := base.get("subject"), dict):
        reference = of_element(subject, "Encounter.subject")
        if reference.form is Form.LOCAL and reference.type == PATIENT:
            yield reference.id
