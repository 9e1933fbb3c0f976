"""Access determinations: whether the consents of a user permit a use of some data.

Documented (https://cloud.google.com/healthcare-api/docs/concepts/consent and the reference of
`ConsentEvaluation`): a policy applies to data that has one of the values of each of its RESOURCE
attributes, one satisfied rule is enough, and the meanings of the results. Inferred (conformance:
consent-default-values): the default values of an attribute stand for it in each policy that does
not name it. So such a policy permits less than one of a store without defaults.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from emulator.services.healthcare.consents.attributes import (
    REQUEST,
    RESOURCE,
    Definitions,
    Policy,
)
from emulator.services.healthcare.consents.authorization_rules import Outcome

Json = Mapping[str, Any]

NOT_APPLICABLE = "NOT_APPLICABLE"
NO_MATCHING_POLICY = "NO_MATCHING_POLICY"
NO_SATISFIED_POLICY = "NO_SATISFIED_POLICY"
HAS_SATISFIED_POLICY = "HAS_SATISFIED_POLICY"


@dataclass(frozen=True)
class Determination:
    """The result for one mapping.

    Attributes:
        consented: whether a consent permits the use
        details: the results of the evaluated consents, by their names
    """

    consented: bool
    details: Mapping[str, str]


class Evaluator:
    """Evaluates consents of one store for one use.

    Args:
        definitions: of the store
        request: the values of REQUEST attributes
        moment: of the evaluation, which decides what has expired
        drafts: whether drafts count, as they do where a request names its consents
    """

    def __init__(
        self,
        definitions: Definitions,
        request: Mapping[str, str],
        *,
        moment: datetime | None = None,
        drafts: bool = False,
    ) -> None:
        self._definitions = definitions
        self._request = dict(request)
        self._moment = moment or datetime.now(UTC)
        self._states = frozenset({"ACTIVE", "DRAFT"} if drafts else {"ACTIVE"})
        self._resource_defaults = definitions.consent_defaults(RESOURCE)
        self._request_defaults = definitions.consent_defaults(REQUEST)
        self._outcomes: dict[str, list[tuple[Policy, Outcome]]] = {}

    def determine(self, mapping: Json, consents: Sequence[Json]) -> Determination:
        """Return the result for a mapping, by all of some consents."""
        values = self._definitions.mapping_values(mapping)
        user = mapping["userId"]
        details = {one["name"]: self._result(one, user, values) for one in consents}
        return Determination(HAS_SATISFIED_POLICY in details.values(), details)

    def selects(self, mapping: Json, wanted: Mapping[str, str]) -> bool:
        """Whether a mapping has the values of RESOURCE attributes that a request names."""
        values = self._definitions.mapping_values(mapping)
        return all(values.get(name) == value for name, value in wanted.items())

    def applies(self, consent: Json) -> bool:
        """Whether a consent is in a state that counts, and has not expired."""
        expires = consent.get("expireTime")
        return consent["state"] in self._states and (
            expires is None or datetime.fromisoformat(expires) > self._moment
        )

    def failures(self) -> Iterator[str]:
        """Yield the names of the consents that have a rule that could not be evaluated."""
        for name, outcomes in self._outcomes.items():
            if any(outcome is Outcome.FAILED for _, outcome in outcomes):
                yield name

    def _result(self, consent: Json, user: str, values: Mapping[str, str]) -> str:
        if consent["userId"] != user or not self.applies(consent):
            return NOT_APPLICABLE
        matching = [
            outcome
            for policy, outcome in self._outcomes_of(consent)
            if self._matches(policy, values)
        ]
        if not matching:
            return NO_MATCHING_POLICY
        return HAS_SATISFIED_POLICY if Outcome.SATISFIED in matching else NO_SATISFIED_POLICY

    def _outcomes_of(self, consent: Json) -> list[tuple[Policy, Outcome]]:
        """Return the policies with the outcomes of their rules, which no mapping changes."""
        name = consent["name"]
        if name not in self._outcomes:
            self._outcomes[name] = [
                (policy, self._outcome(policy)) for policy in self._definitions.policies(consent)
            ]
        return self._outcomes[name]

    def _outcome(self, policy: Policy) -> Outcome:
        for name, allowed in self._request_defaults.items():
            if name not in policy.rule.attributes and self._request.get(name) not in allowed:
                return Outcome.NOT_SATISFIED
        return policy.rule.evaluate(self._request)

    def _matches(self, policy: Policy, values: Mapping[str, str]) -> bool:
        wanted = {**self._resource_defaults, **policy.values}
        return all(values.get(name) in allowed for name, allowed in wanted.items())
