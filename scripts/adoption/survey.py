"""Survey of a program's existing resources, in a copy of the stack, round by round.

A round is a preview, which lists the resources to create, and an import of the existing ones. An
imported resource has outputs, so the next preview knows more ids. When a round finds no further
resource, its preview is the plan after the adoption.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from scripts.adoption import service_agents
from scripts.adoption.service_agents import Identity
from scripts.lib.errors import ScriptError
from scripts.lib.pulumi_stack import PulumiStack
from scripts.lib.wording import plural
from scripts.preview import names
from scripts.preview.model import Change, State
from scripts.resources.lookup import Lookup, NotServedError
from scripts.resources.resource_type import ResourceType
from scripts.resources.resource_types import RESOURCE_TYPES, agent
from scripts.stacks import plan as plans
from scripts.stacks.plan import Plan

DATASET = "gcp:healthcare/dataset:Dataset"
RUN_SERVICE = "gcp:cloudrunv2/service:Service"

_HARMLESS = "creating it again does no harm"


class AdoptionOutcome(StrEnum):
    """The outcome for a resource of the program that the stack does not manage yet."""

    ADOPTED = "adopted"
    MISSING = "missing"
    UNKNOWN = "unknown"
    NOT_LOOKED_FOR = "not looked for"


@dataclass(frozen=True)
class Candidate:
    """A resource of the program.

    Attributes:
        state: as in the program
        outcome: of the survey
        id: its id in the cloud; empty if it is not known
        note: why it is not looked up
        namesakes: full names of resources with the same id in other locations
    """

    state: State
    outcome: AdoptionOutcome
    id: str = ""
    note: str = ""
    namesakes: tuple[str, ...] = ()

    @property
    def urn(self) -> str:
        """The resource's name in the stack: its URN."""
        return self.state.urn

    @property
    def type_name(self) -> str:
        """The type of the resource, for people."""
        return names.type_name(self.state)


@dataclass(frozen=True)
class Round:
    """One round of adoption: an import file, and service agents that no import accepts."""

    document: Mapping[str, Any]
    identities: tuple[Identity, ...] = ()

    def import_into(self, stack: PulumiStack) -> None:
        """Import it into a stack.

        Raises:
            ScriptError: Pulumi refused; part of it may be in the state
        """
        if self.document["resources"]:
            stack.import_resources(self.document)
        if self.identities:
            state = service_agents.enter(
                stack.export_state() or {"deployment": {}}, self.identities
            )
            if state is None:
                raise ScriptError(
                    f"The state of stack {stack.name!r} has no provider for its agents.",
                    f"Deploy the stack once (`make up STACK={stack.name}`), then run it again.",
                )
            stack.import_state(state)


@dataclass(frozen=True)
class Survey:
    """The findings of a survey.

    Attributes:
        candidates: resources of the program that the stack does not manage yet
        rounds: the imports, in order
        plan: after the imports
    """

    candidates: tuple[Candidate, ...]
    rounds: tuple[Round, ...]
    plan: Plan

    def of(self, *outcomes: AdoptionOutcome) -> list[Candidate]:
        """Return the candidates with these outcomes, containers first."""
        found = [candidate for candidate in self.candidates if candidate.outcome in outcomes]
        return sorted(found, key=lambda candidate: names.sort_key(candidate.state))

    @property
    def adopted(self) -> set[str]:
        """The URNs of the resources to adopt."""
        return {candidate.urn for candidate in self.of(AdoptionOutcome.ADOPTED)}

    def replaced_grants(self) -> set[str]:
        """Return the URNs of adopted grants that the plan would replace."""
        grants = {
            t.urn for t in self.of(AdoptionOutcome.ADOPTED) if RESOURCE_TYPES[t.state.type].grant
        }
        return {change.urn for change in self.plan.destructive_changes(grants)}


class Discovery:
    """A survey of one stack.

    Args:
        lookup: the services
        report: called with progress
        left: URNs of grants to leave: the program creates them again, which changes nothing
    """

    def __init__(
        self,
        lookup: Lookup,
        report: Callable[[str], None],
        left: frozenset[str] = frozenset(),
    ) -> None:
        self._left = left
        self._lookup = lookup
        self._project = ""
        self._report = report
        self._candidates: dict[str, Candidate] = {}
        self._rounds: list[Round] = []

    def survey(self, copy: PulumiStack) -> Survey:
        """Import all existing resources into the copy.

        Raises:
            ScriptError: the program or an import fails, or a service does not answer
        """
        while True:
            plan = plans.preview(copy)
            self._project = plan.preview.config.get("gcp:project", "")
            found = self._judge(plan)
            if not found:
                break
            self._report(f"  found {plural(len(found), 'resource')}; continuing ...")
            self._rounds.append(self._round(plan, found))
            self._rounds[-1].import_into(copy)
        wanted = {change.urn for change in plan.created}
        lost = [
            t.urn
            for t in self._candidates.values()
            if t.outcome is AdoptionOutcome.ADOPTED and t.urn in wanted
        ]
        if lost:
            raise ScriptError(f"The engine imported {', '.join(lost)}, but would create it.")
        candidates = tuple(
            self._with_namesakes(candidate)
            for candidate in self._candidates.values()
            if candidate.outcome is AdoptionOutcome.ADOPTED or candidate.urn in wanted
        )
        return Survey(candidates, tuple(self._rounds), plan)

    def _judge(self, plan: Plan) -> list[Candidate]:
        """Look up resources that are new in the plan or have an id only now."""
        found = []
        self._lookup.run_services |= self._run_services(plan)
        for change in plan.created:
            before = self._candidates.get(change.urn)
            if before is not None and before.outcome is not AdoptionOutcome.UNKNOWN:
                continue
            self._candidates[change.urn] = candidate = self._look_for(plan, change)
            if candidate.outcome is AdoptionOutcome.ADOPTED:
                found.append(candidate)
        return found

    def _run_services(self, plan: Plan) -> set[str]:
        """Return the full names of the program's services of Cloud Run, as far as known."""
        states = [change.state for change in plan.created if change.state.type == RUN_SERVICE]
        ids = [
            RESOURCE_TYPES[RUN_SERVICE].identify(state.inputs, self._project) for state in states
        ]
        return {id_ for id_ in ids if id_ is not None}

    def _look_for(self, plan: Plan, change: Change) -> Candidate:
        state = change.state
        resource_type = RESOURCE_TYPES.get(state.type)
        if resource_type is None:
            return Candidate(
                state, AdoptionOutcome.NOT_LOOKED_FOR, note="this type can't be looked up"
            )
        id_ = resource_type.identify(state.inputs, self._project)
        if id_ is None:
            return Candidate(
                state, AdoptionOutcome.UNKNOWN, note="its id is known only once it is created"
            )
        if not plan.lists(change.urn):
            return Candidate(
                state, AdoptionOutcome.NOT_LOOKED_FOR, id_, note="the engine can't import it"
            )
        if plan.orphan(change.urn):
            return Candidate(state, AdoptionOutcome.MISSING, id_, note="its parent does not exist")
        if change.urn in self._left or resource_type.repeatable:
            return Candidate(state, AdoptionOutcome.MISSING, id_, note=_note(resource_type))
        try:
            exists = resource_type.find(state.inputs, self._project, id_, self._lookup)
        except NotServedError as error:
            return Candidate(
                state, AdoptionOutcome.NOT_LOOKED_FOR, id_, note=f"{error} is not available here"
            )
        return Candidate(state, AdoptionOutcome.ADOPTED if exists else AdoptionOutcome.MISSING, id_)

    def _round(self, plan: Plan, found: Sequence[Candidate]) -> Round:
        agents = [candidate for candidate in found if RESOURCE_TYPES[candidate.state.type].identity]
        ids = {candidate.urn: candidate.id for candidate in found if candidate not in agents}
        document = plan.importable(ids, [candidate.urn for candidate in agents])
        return Round(document, tuple(self._identity(plan, candidate) for candidate in agents))

    def _identity(self, plan: Plan, candidate: Candidate) -> Identity:
        service = str(candidate.state.inputs["service"])
        project = str(candidate.state.inputs.get("project") or self._project)
        email = agent(self._lookup, project, service)
        assert email is not None, "it was found by this address"
        return Identity(
            candidate.urn, plan.parent(candidate.urn), candidate.id, project, service, email
        )

    def _with_namesakes(self, candidate: Candidate) -> Candidate:
        """Add Healthcare datasets with the same id in other locations: one may be the one meant."""
        if candidate.state.type != DATASET or candidate.outcome is not AdoptionOutcome.MISSING:
            return candidate
        project, _, dataset = candidate.id.split("/")[1::2]
        wanted = {other.id for other in self._candidates.values()}
        found = self._lookup.namesakes(project, dataset)
        return replace(candidate, namesakes=tuple(name for name in found if name not in wanted))


def _note(resource_type: ResourceType) -> str:
    return f"{'cannot be imported' if resource_type.repeatable else 'exists'}; {_HARMLESS}"
