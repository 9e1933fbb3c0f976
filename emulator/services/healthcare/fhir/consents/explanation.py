"""`explainDataAccess`: who may read a resource, for which purpose and where.

Documented (`ExplainDataAccessResponse` of the discovery document): the members and their order.
Inferred (conformance: fhir-consent-explain): each accessor that a directive names has an entry, and
so has the accessor that two of them describe together; its exceptions are the narrower accessors
with another decision.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from emulator.core.errors import not_found
from emulator.services.healthcare.fhir import compartments, instants
from emulator.services.healthcare.fhir.compartments import PATIENT
from emulator.services.healthcare.fhir.consents.application import require_config
from emulator.services.healthcare.fhir.consents.directives import Accessor
from emulator.services.healthcare.fhir.consents.evaluation import (
    Match,
    Outcome,
    combine,
    matches_of,
)
from emulator.services.healthcare.fhir.consents.scopes import ConsentScope
from emulator.services.healthcare.fhir.service import Fhir

_DECISIONS = {True: "CONSENT_DECISION_TYPE_PERMIT", False: "CONSENT_DECISION_TYPE_DENY"}


def explain(fhir: Fhir, store: str, type_: str, id_: str) -> dict[str, Any]:
    """Return the accessors that directives about a resource name, with the decision of each.

    Raises:
        ApiError: 404 for a resource that does not exist, 400 for a store without `consentConfig`
    """
    require_config(fhir, store)
    version = fhir.resources.find(store, type_, id_)
    if version is None:
        raise not_found(f"resource {type_}/{id_} was not found in {store}")
    resource = version.resource()

    def read(base: str, base_id: str) -> Mapping[str, Any] | None:
        found = fhir.resources.find(store, base, base_id)
        return found.resource() if found else None

    patients = compartments.bases(resource, PATIENT)
    directives = [
        directive
        for owner in ("", *sorted(patients))
        for directive in fhir.consents.directives(store, owner)
    ]
    explanation = _Explanation(fhir, store, patients, [*matches_of(resource, directives, read)])
    scopes = explanation.scopes()
    return {"consentScopes": scopes} if scopes else {}


class _Explanation:
    """The decisions about one resource."""

    def __init__(
        self, fhir: Fhir, store: str, patients: set[str], matches: Sequence[Match]
    ) -> None:
        self._fhir, self._store, self._patients, self._matches = fhir, store, patients, matches

    def scopes(self) -> list[dict[str, Any]]:
        """Return the entries of all accessors, those of one actor together."""
        named = {match.directive.accessor for match in self._matches}
        both = {meet for one in named for other in named if (meet := _both(one, other))}
        accessors = sorted(
            named | both, key=lambda each: (each.actor, each.purpose, each.environment)
        )
        decisions = {each: self._permits(each) for each in accessors}
        return [
            {
                **self._entry(each, decisions[each]),
                **_listed(
                    exceptions=[
                        self._entry(other, decisions[other])
                        for other in accessors
                        if other != each
                        and _is_within(other, each)
                        and decisions[other] != decisions[each]
                    ]
                ),
            }
            for each in accessors
        ]

    def _permits(self, accessor: Accessor) -> bool:
        return combine(self._patients, self._of(accessor)) is Outcome.PERMIT

    def _of(self, accessor: Accessor) -> list[Match]:
        scope = ConsentScope((accessor.actor,), accessor.purpose, accessor.environment)
        return [match for match in self._matches if match.directive.accessor.matches(scope)]

    def _entry(self, accessor: Accessor, permits: bool) -> dict[str, Any]:
        decisive = [
            match for match in self._of(accessor) if permits or not match.directive.permits
        ] or self._of(accessor)
        consents: dict[str, list[Match]] = {}
        for match in decisive:
            consents.setdefault(match.directive.consent, []).append(match)
        return {
            "accessorScope": _scope(accessor),
            "decision": _DECISIONS[permits],
            "enforcingConsents": [self._info(id_, found) for id_, found in consents.items()],
        }

    def _info(self, id_: str, matches: Sequence[Match]) -> dict[str, Any]:
        root, directive = f"{self._store}/fhir", matches[0].directive
        applied = self._fhir.consents.find(self._store, id_)
        origins = dict.fromkeys(origin for match in matches for origin in match.origins)
        info: dict[str, Any] = {
            "consentResource": f"{root}/Consent/{id_}",
            "type": f"CONSENT_POLICY_TYPE_{directive.policy.value}",
            "variants": [f"CONSENT_VARIANT_{'CASCADE' if origins else 'STANDARD'}"],
            "matchingAccessorScopes": [_scope(match.directive.accessor) for match in matches],
            **_listed(cascadeOrigins=[f"{root}/{origin}" for origin in origins]),
        }
        if applied is not None:
            info["enforcementTime"] = instants.last_updated(applied.applied)
        if directive.owner:
            info["patientConsentOwner"] = f"{root}/{PATIENT}/{directive.owner}"
        return info


def _scope(accessor: Accessor) -> dict[str, str]:
    found = {
        "actor": accessor.actor,
        "purpose": accessor.purpose,
        "environment": accessor.environment,
    }
    return {name: value for name, value in found.items() if value}


def _is_within(inner: Accessor, outer: Accessor) -> bool:
    return (
        inner.actor == outer.actor
        and outer.purpose in ("", inner.purpose)
        and outer.environment in ("", inner.environment)
    )


def _both(one: Accessor, other: Accessor) -> Accessor | None:
    """Return the accessor that two describe together; None if no accessor is both."""
    met = Accessor(one.actor, one.purpose or other.purpose, one.environment or other.environment)
    return met if _is_within(met, one) and _is_within(met, other) else None


def _listed(**members: Sequence[Any]) -> dict[str, Any]:
    return {name: [*values] for name, values in members.items() if values}
