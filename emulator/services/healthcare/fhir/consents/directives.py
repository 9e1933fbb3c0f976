"""Directives: what one consent permits or denies, to whom, and of which resources.

Documented (the guides): the criteria of accessors and of resources, and how labels of
confidentiality are ranked.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from emulator.services.healthcare.fhir.consents.scopes import ConsentScope

CONFIDENTIALITY = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
RANKS = {code: rank for rank, code in enumerate("ULMNRV")}
"""Codes of confidentiality, from unrestricted to very restricted."""
Code = tuple[str, str]
"""System and code."""


class Policy(StrEnum):
    """Who gave a consent: a patient, or an administrator for the store."""

    PATIENT = "PATIENT"
    ADMIN = "ADMIN"


@dataclass(frozen=True, slots=True)
class Accessor:
    """Who reads, for which purpose, and where.

    Attributes:
        actor: such as `Practitioner/1`
        purpose: empty for any
        environment: empty for any
    """

    actor: str
    purpose: str = ""
    environment: str = ""

    def matches(self, scope: ConsentScope) -> bool:
        """Whether a request is of this accessor."""
        return (
            self.actor in scope.actors
            and self.purpose in ("", scope.purpose)
            and self.environment in ("", scope.environment)
        )


@dataclass(frozen=True, slots=True)
class Criteria:
    """Which resources a directive is about; an empty criterion is about all.

    Attributes:
        types: resource types
        names: such as `Encounter/1`
        sources: values of `meta.source`
        tags: alternatives, each a set of tags that a resource must have together
        labels: security labels
    """

    types: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    sources: frozenset[str] = frozenset()
    tags: frozenset[frozenset[Code]] = frozenset()
    labels: frozenset[Code] = frozenset()

    def identify(self, type_: str, id_: str) -> bool:
        """Whether a resource is of the types and names."""
        return (not self.types or type_ in self.types) and (
            not self.names or f"{type_}/{id_}" in self.names
        )

    @property
    def need_content(self) -> bool:
        """Whether there are criteria beside types and names."""
        return bool(self.sources or self.tags or self.labels)


@dataclass(frozen=True, slots=True)
class Directive:
    """A rule of one consent for one accessor.

    Attributes:
        permits: whether it permits; it denies otherwise
        accessor: whom it is about
        criteria: what it is about
        is_cascading: whether it is about what is in the compartments of these resources
        consent: the id of the consent
        owner: the id of the patient who gave it; empty for an administrator
    """

    permits: bool
    accessor: Accessor
    criteria: Criteria = Criteria()
    is_cascading: bool = False
    consent: str = ""
    owner: str = ""

    @property
    def policy(self) -> Policy:
        """Who gave the consent."""
        return Policy.PATIENT if self.owner else Policy.ADMIN

    def covers(self, resource: Mapping[str, Any]) -> bool:
        """Whether a resource meets the criteria, for any accessor."""
        criteria, meta = self.criteria, resource.get("meta", {})
        if not criteria.identify(str(resource["resourceType"]), str(resource["id"])):
            return False
        if criteria.sources and meta.get("source", "") not in criteria.sources:
            return False
        tags = _codes(meta.get("tag", ()))
        if criteria.tags and not any(wanted <= tags for wanted in criteria.tags):
            return False
        labels = _codes(meta.get("security", ()))
        return not criteria.labels or any(
            self._has_label(wanted, label) for wanted in criteria.labels for label in labels
        )

    def _has_label(self, wanted: Code, label: Code) -> bool:
        """Whether a label is the wanted one, or a lower one to permit, or a higher one to deny."""
        if wanted[0] != CONFIDENTIALITY or label[0] != CONFIDENTIALITY:
            return wanted == label
        limit, rank = RANKS[wanted[1]], RANKS.get(label[1])
        if rank is None:
            return False
        return rank <= limit if self.permits else rank >= limit


def _codes(codings: Any) -> frozenset[Code]:
    return frozenset((str(one.get("system", "")), str(one.get("code", ""))) for one in codings)
