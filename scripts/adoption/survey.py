"""What of a program exists already: found out in a copy of the stack, round by round.

A round is a preview, which tells what the program still has to create, and an import of those of
it that exist. An imported resource has outputs, so the next preview knows ids that the one before
did not. When a round finds nothing more, its preview is the plan after the adoption.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from scripts.adoption import identities
from scripts.adoption.identities import Identity
from scripts.adoption.kinds import KINDS, agent
from scripts.adoption.lookup import Lookup, NotServedError
from scripts.adoption.plan import Plan
from scripts.adoption.workspace import Workspace
from scripts.common.errors import ScriptError
from scripts.preview import names
from scripts.preview.model import Change, State

DATASET = "gcp:healthcare/dataset:Dataset"


class Fate(StrEnum):
    """What becomes of a resource that the program wants and the stack does not manage yet."""

    ADOPTED = "adopted"
    MISSING = "missing"
    UNKNOWN = "unknown"
    NOT_LOOKED_FOR = "not looked for"


@dataclass(frozen=True)
class Thing:
    """A resource that the program wants.

    Attributes:
        state: as the program wants it.
        fate: what becomes of it.
        id: its id in the cloud; empty if it is not known.
        note: why it is not looked for.
        namesakes: full names of what has the same id in other locations.
    """

    state: State
    fate: Fate
    id: str = ""
    note: str = ""
    namesakes: tuple[str, ...] = ()

    @property
    def urn(self) -> str:
        """What names it in the stack."""
        return self.state.urn

    @property
    def kind(self) -> str:
        """What it is, in words."""
        return names.kind(self.state)


@dataclass(frozen=True)
class Round:
    """What is taken over at one go: an import file, and agents that no import takes."""

    document: Mapping[str, Any]
    identities: tuple[Identity, ...] = ()

    def take(self, workspace: Workspace) -> None:
        """Take it over.

        Raises:
            ScriptError: the engine refused; part of it may be in the state.
        """
        if self.document["resources"]:
            workspace.take(self.document)
        if self.identities:
            state = identities.enter(workspace.state() or {"deployment": {}}, self.identities)
            if state is None:
                raise ScriptError(
                    f"The state of stack {workspace.stack!r} has no provider for its agents.",
                    "Deploy the stack once (`make up`), then run it again.",
                )
            workspace.put(state)


@dataclass(frozen=True)
class Survey:
    """What was found.

    Attributes:
        things: what the program wants and the stack did not manage.
        rounds: how the adopted ones come under the stack, in order.
        plan: what the program would do after that.
    """

    things: tuple[Thing, ...]
    rounds: tuple[Round, ...]
    plan: Plan

    def of(self, *fates: Fate) -> list[Thing]:
        """Give the things of these fates, in the order in which people think of them."""
        found = [thing for thing in self.things if thing.fate in fates]
        return sorted(found, key=lambda thing: names.sort_key(thing.state))

    @property
    def adopted(self) -> set[str]:
        """The URNs of what comes under the stack."""
        return {thing.urn for thing in self.of(Fate.ADOPTED)}

    def replaced_grants(self) -> set[str]:
        """The URNs of adopted grants that the plan would replace."""
        grants = {t.urn for t in self.of(Fate.ADOPTED) if KINDS[t.state.type].grant}
        return {change.urn for change in self.plan.damaged(grants)}


class Surveyor:
    """Surveys one stack.

    Args:
        lookup: the services.
        project: the provider's.
        report: told what is going on.
        left: URNs of grants to leave: the program makes them again, which changes nothing.
    """

    def __init__(
        self,
        lookup: Lookup,
        project: str,
        report: Callable[[str], None],
        left: frozenset[str] = frozenset(),
    ) -> None:
        self._left = left
        self._lookup = lookup
        self._project = project
        self._report = report
        self._things: dict[str, Thing] = {}
        self._rounds: list[Round] = []

    def survey(self, copy: Workspace) -> Survey:
        """Take everything that exists into the copy.

        Raises:
            ScriptError: the program or an import fails, or a service can't tell.
        """
        while True:
            plan = copy.preview()
            found = self._judge(plan)
            if not found:
                break
            self._report(f"  found {names.plural(len(found), 'resource')}; looking on ...")
            self._rounds.append(self._round(plan, found))
            self._rounds[-1].take(copy)
        wanted = {change.urn for change in plan.created}
        lost = [t.urn for t in self._things.values() if t.fate is Fate.ADOPTED and t.urn in wanted]
        if lost:
            raise ScriptError(f"The engine imported {', '.join(lost)}, but would create it.")
        things = tuple(
            self._with_namesakes(thing)
            for thing in self._things.values()
            if thing.fate is Fate.ADOPTED or thing.urn in wanted
        )
        return Survey(things, tuple(self._rounds), plan)

    def _judge(self, plan: Plan) -> list[Thing]:
        """Look for what is new in the plan, and for what can be identified only now."""
        found = []
        for change in plan.created:
            before = self._things.get(change.urn)
            if before is not None and before.fate is not Fate.UNKNOWN:
                continue
            self._things[change.urn] = thing = self._look_for(plan, change)
            if thing.fate is Fate.ADOPTED:
                found.append(thing)
        return found

    def _look_for(self, plan: Plan, change: Change) -> Thing:
        state = change.state
        kind = KINDS.get(state.type)
        if kind is None:
            return Thing(state, Fate.NOT_LOOKED_FOR, note="this type can't be looked for")
        id_ = kind.identify(state.inputs, self._project)
        if id_ is None:
            return Thing(state, Fate.UNKNOWN, note="its id is known only once it is created")
        if not plan.lists(change.urn):
            return Thing(state, Fate.NOT_LOOKED_FOR, id_, note="the engine can't import it")
        if plan.orphan(change.urn):
            return Thing(state, Fate.MISSING, id_, note="what it belongs to does not exist")
        if change.urn in self._left:
            return Thing(state, Fate.MISSING, id_, note="exists; to make it again does no harm")
        try:
            exists = kind.find(state.inputs, self._project, id_, self._lookup)
        except NotServedError as error:
            return Thing(state, Fate.NOT_LOOKED_FOR, id_, note=f"there is no {error} here")
        return Thing(state, Fate.ADOPTED if exists else Fate.MISSING, id_)

    def _round(self, plan: Plan, found: Sequence[Thing]) -> Round:
        agents = [thing for thing in found if KINDS[thing.state.type].identity]
        ids = {thing.urn: thing.id for thing in found if thing not in agents}
        document = plan.importable(ids, [thing.urn for thing in agents])
        return Round(document, tuple(self._identity(plan, thing) for thing in agents))

    def _identity(self, plan: Plan, thing: Thing) -> Identity:
        service = str(thing.state.inputs["service"])
        project = str(thing.state.inputs.get("project") or self._project)
        email = agent(self._lookup, project, service)
        assert email is not None, "it was found by this address"
        return Identity(thing.urn, plan.parent(thing.urn), thing.id, project, service, email)

    def _with_namesakes(self, thing: Thing) -> Thing:
        """Note Healthcare datasets of the same id elsewhere: one of them may be the one meant."""
        if thing.state.type != DATASET or thing.fate is not Fate.MISSING:
            return thing
        project, _, dataset = thing.id.split("/")[1::2]
        wanted = {other.id for other in self._things.values()}
        found = self._lookup.namesakes(project, dataset)
        return replace(thing, namesakes=tuple(name for name in found if name not in wanted))
