"""The steps of a tear-down, in order; any of them may be the last one, and be made up for later."""

import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from google.api_core.retry import exponential_sleep_generator

from scripts.common import clients, leftovers
from scripts.common.cli import Output
from scripts.common.errors import ExitCode, ScriptError
from scripts.common.leftovers import Made, Verdict
from scripts.removal import age, contents, memberships, running
from scripts.removal.contents import Content, Fate
from scripts.removal.engine import Engine
from scripts.removal.memory import Item, Memory, merged
from scripts.removal.state import HEALTHCARE_DATASET, HELD, State, Why

# A service may list for a while what is gone already.
_LOOKS = 6
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.5, 8.0
# Of a key the usable versions are looked for, of Google's account its roles: both stay without.
_STAYING = (Why.KEY, Why.AGENT)


@dataclass(frozen=True)
class Request:
    """What the command line asks for.

    Attributes:
        resume: the same command line again.
        dry_run: only tell.
        older_than: leave a stack alone that was updated less than this ago.
        strays: stores that others made in the stack's datasets go as well.
        timeout: seconds that what is under way may take to end.
    """

    resume: str
    dry_run: bool = False
    older_than: timedelta | None = None
    strays: bool = False
    timeout: float = running.WAIT_SECONDS


@dataclass
class Outcome:
    """What a tear-down did; of a dry run, what it would do.

    Attributes:
        skipped: why nothing was done.
        cancelled: operations, by full name.
        contents: what others had put into what the stack made.
        memberships: of deleted accounts, taken out.
        gone: what the stack had made.
        left: what is left of it, with the reason.
        unknown: what can't be looked for.
    """

    skipped: str = ""
    cancelled: list[str] = field(default_factory=list)
    contents: list[Content] = field(default_factory=list)
    memberships: list[Made] = field(default_factory=list)
    gone: list[Made] = field(default_factory=list)
    left: list[Item] = field(default_factory=list)
    unknown: list[Made] = field(default_factory=list)

    @property
    def protected(self) -> list[Item]:
        """What is left in the stack, too."""
        return [item for item in self.left if item.why in HELD]

    @property
    def worth_naming(self) -> list[Item]:
        """What is left and was there for the stack alone: no services, no accounts of Google's."""
        return [item for item in self.left if item.why not in (Why.SERVICE, Why.AGENT)]

    @property
    def empty(self) -> bool:
        """Whether there was nothing at all."""
        return not (self.gone or self.left or self.unknown)


class TearDown:
    """One tear-down of a stack.

    Args:
        engine: the stack's.
        memory: of what is being torn down.
        request: what is asked for.
        output: where to tell of it.
    """

    def __init__(self, engine: Engine, memory: Memory, request: Request, output: Output) -> None:
        self._engine = engine
        self._memory = memory
        self._request = request
        self._output = output

    def run(self) -> Outcome:
        """Tear the stack down, or only look.

        Raises:
            ScriptError: something blocks (nothing was changed then), a step failed, or what has
                to be gone is still there.
        """
        say = self._output.say
        if not self._request.dry_run:
            self._engine.wait_for_others(self._request.timeout, say)
        state = self._engine.read()
        young = self._too_young(state)
        if young:
            return Outcome(skipped=young)
        if not self._request.dry_run:
            self._engine.settle(say)
            state = self._engine.read()
        elif state.pending:
            say("An earlier update was interrupted: what it left half done would be settled first.")
        found = contents.find(state, strays=self._request.strays)
        _refuse_what_blocks(found, "Nothing was changed")
        return self._look(state, found) if self._request.dry_run else self._act(state, found)

    def _too_young(self, state: State) -> str:
        limit = self._request.older_than
        if limit is None or not state.made:
            return ""
        times = [time for time in (self._engine.last_update(), state.touched) if time]
        if not times:
            raise ScriptError(
                f"Nobody can tell when stack {self._engine.stack!r} was last updated.",
                "Tear it down without --older-than.",
                ExitCode.REFUSED,
            )
        return age.too_young(max(times), limit)

    def _look(self, state: State, found: list[Content]) -> Outcome:
        """Tell what would be done."""
        items = merged(_items(state), self._memory.recall())
        datasets = [entry.id for entry in state.destroyed(HEALTHCARE_DATASET)]
        outcome = Outcome(
            cancelled=[each.name for each in running.running(clients.healthcare(), datasets)],
            contents=found,
            memberships=memberships.find(item.made for item in items if item.why is None),
            gone=[item.made for item in items if item.why is None],
            left=[item for item in items if item.why],
        )
        if _due(state):
            self._engine.preview_destroy(
                state.targets(), self._output.raw, color=self._output.out.is_terminal
            )
        return outcome

    def _act(self, state: State, found: list[Content]) -> Outcome:
        """Do it."""
        say, request = self._output.say, self._request
        items = merged(_items(state), self._memory.recall())
        outcome = Outcome(contents=found)
        if _due(state):
            self._memory.keep(items)
            datasets = [entry.id for entry in state.destroyed(HEALTHCARE_DATASET)]
            outcome.cancelled = running.stop(
                clients.healthcare(),
                datasets,
                resume=request.resume,
                say=say,
                timeout=request.timeout,
            )
            if outcome.cancelled:
                # An export that ends may have made a table just now.
                outcome.contents = contents.find(state, strays=request.strays)
                _refuse_what_blocks(outcome.contents, "Nothing was destroyed")
            contents.empty(outcome.contents, say)
            self._engine.destroy(
                state.targets(), self._output.raw, color=self._output.out.is_terminal
            )
        due = [item.made for item in items if item.why is None]
        outcome.memberships = memberships.remove(due, say)
        self._prove(items, outcome)
        self._memory.drop()
        return outcome

    def _prove(self, items: Sequence[Item], outcome: Outcome) -> None:
        """Ask the services for all of it, more than once where something is still listed."""
        whys = {item.made.key: item.why for item in items}
        for made, verdict in _asked_patiently(items, self._output.say):
            why = whys[made.key]
            if verdict is Verdict.UNKNOWN and why is None:
                outcome.unknown.append(made)
            elif verdict is Verdict.GONE and why not in _STAYING:
                outcome.gone.append(made)
            else:
                # Of a key, "there" means that it can be used: then its name alone is not left.
                usable = why is Why.KEY and verdict is Verdict.THERE
                outcome.left.append(Item(made, None if usable else why))
        wrong = [item.made for item in outcome.left if item.why is None]
        if wrong:
            named = ", ".join(f"{made.kind} {made.name}" for made in wrong)
            raise ScriptError(
                f"{len(wrong)} of {len(items)} are still there: {named}.",
                "Run it again. What stays even then was made anew by someone else: delete it by "
                "hand.",
                details={"left": [made.shown() for made in wrong]},
            )


def _items(state: State) -> list[Item]:
    left = state.left()
    return [
        Item(Made.of(e.type, e.id, e.urn, e.values, state.project_of(e)), left.get(e.urn))
        for e in state.made
    ]


def _due(state: State) -> bool:
    """Whether the engine has anything to destroy, or to let go of."""
    targets = state.targets()
    chosen = state.entries if targets is None else [e for e in state.entries if e.urn in targets]
    return any(not entry.type.startswith("pulumi:") for entry in chosen)


def _refuse_what_blocks(found: list[Content], done: str) -> None:
    blocking = [content for content in found if content.fate is Fate.BLOCKS]
    if not blocking:
        return
    named = "".join(f"\n  {content.kind} {content.name}" for content in blocking)
    cures = dict.fromkeys(content.cure for content in blocking)
    raise ScriptError(
        f"{done}: others put this into what the stack made, and it would be lost.{named}",
        "\n".join(cures),
        ExitCode.REFUSED,
        {"blocking": [content.shown() for content in blocking]},
    )


def _asked_patiently(
    items: Sequence[Item], say: Callable[[str], None]
) -> list[tuple[Made, Verdict]]:
    due = {item.made.key for item in items if item.why in (None, Why.KEY)}
    pauses = exponential_sleep_generator(_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS)
    for pause in itertools.islice(pauses, _LOOKS - 1):
        verdicts = leftovers.examine([item.made for item in items])
        wrong = [made for made, v in verdicts if v is Verdict.THERE and made.key in due]
        if not wrong:
            return verdicts
        say(f"{len(wrong)} still listed: asking again ...")
        time.sleep(pause)
    return leftovers.examine([item.made for item in items])
