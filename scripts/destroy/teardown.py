"""The steps of a tear-down, in order; after an interrupt, the next run continues."""

import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from google.api_core.retry import exponential_sleep_generator

from scripts.destroy import age, contents, iam_members, remaining, running_operations, shared_grants
from scripts.destroy.contents import Content, Treatment
from scripts.destroy.journal import Item, TeardownJournal, merge
from scripts.destroy.remaining import ManagedResource, Status
from scripts.destroy.request import Request
from scripts.destroy.state import HEALTHCARE_DATASET, HELD, Entry, RetentionReason, State
from scripts.lib.cli import Output
from scripts.lib.errors import ExitCode, ScriptError
from scripts.lib.google import clients
from scripts.lib.pulumi_stack import PulumiStack
from scripts.recovery import stack_locks
from scripts.recovery.recover import recover
from scripts.resources.shared_grants import retain

# A service may list a deleted resource for a while.
_MAX_CHECKS = 6
_INITIAL_DELAY_SECONDS, _MAX_DELAY_SECONDS = 0.5, 8.0
# A key stays without usable versions, and Google's account without roles.
_STAYING = (RetentionReason.KEY, RetentionReason.AGENT)


@dataclass
class Outcome:
    """The outcome of a tear-down; of a dry run, the expected outcome.

    Attributes:
        skipped: the reason, if nothing was done
        cancelled: operations, by full name
        contents: of the stack's resources, not created by it
        memberships: removed bindings of deleted accounts
        gone: deleted resources
        left: resources that are left, with the reason
        unknown: resources that can't be looked up
        no_stack: whether there is no stack of this name
    """

    skipped: str = ""
    cancelled: list[str] = field(default_factory=list)
    contents: list[Content] = field(default_factory=list)
    memberships: list[ManagedResource] = field(default_factory=list)
    gone: list[ManagedResource] = field(default_factory=list)
    left: list[Item] = field(default_factory=list)
    unknown: list[ManagedResource] = field(default_factory=list)
    no_stack: bool = False

    @property
    def protected(self) -> list[Item]:
        """The resources that are left in the stack."""
        return [item for item in self.left if item.why in HELD]

    @property
    def worth_naming(self) -> list[Item]:
        """The resources that are left and served the stack alone: no services or service agents."""
        return [
            item
            for item in self.left
            if item.why not in (RetentionReason.SERVICE, RetentionReason.AGENT)
        ]

    @property
    def empty(self) -> bool:
        """Whether the stack had no resources."""
        return not (self.gone or self.left or self.unknown)


class TearDown:
    """One tear-down of a stack.

    Args:
        stack: the stack
        journal: of the resources to delete
        request: what is asked for
        output: where to report
        keeps: asks whether to leave grants that no other stack of the backend holds
    """

    def __init__(
        self,
        stack: PulumiStack,
        journal: TeardownJournal,
        request: Request,
        output: Output,
        keeps: Callable[[list[Entry]], bool] = lambda _: False,
    ) -> None:
        self._stack = stack
        self._journal = journal
        self._request = request
        self._output = output
        self._keeps = keeps

    def run(self) -> Outcome:
        """Tear the stack down, or only report.

        Raises:
            ScriptError: contents block it (nothing was changed then), a step failed, or a
                resource still exists
        """
        report = self._output.report
        if not self._request.dry_run:
            stack_locks.wait_until_free(self._stack, self._request.timeout, report)
        young = self._too_young()
        if young:
            return Outcome(skipped=young)
        state = self._without_shared(self._state())
        found = contents.find(state, strays=self._request.strays)
        _refuse_what_blocks(found, "Nothing was changed")
        outcome = (
            self._expect(state, found) if self._request.dry_run else self._destroy(state, found)
        )
        outcome.no_stack = not state.exists
        return outcome

    def _state(self) -> State:
        """Read the state; recover it first if an update was interrupted."""
        report = self._output.report
        if not self._request.dry_run:
            return State.from_json(recover(self._stack, report))
        state = State.from_json(self._stack.export_state())
        if state.pending:
            report("An earlier update was interrupted: its state would be recovered first.")
        return state

    def _without_shared(self, state: State) -> State:
        """Mark what another stack holds too, or may: it is left, and the stack forgets it."""
        if not shared_grants.candidates(state):
            return state
        shared = shared_grants.find(state, self._stack.other_states())
        if shared:
            named = ", ".join(sorted(set(shared.values())))
            self._output.report(f"Left, because stacks hold them too ({named}):")
            for entry in state.managed:
                if entry.urn in shared:
                    self._output.report(f"  {entry.id}")
        state = state.leaving(shared, RetentionReason.SHARED)
        unshared = shared_grants.unshared(state)
        if unshared and self._keeps(unshared):
            urns = [entry.urn for entry in unshared]
            return state.leaving(urns, RetentionReason.UNSEEN)
        return state

    def _retain_shared(self, state: State) -> None:
        """Have Pulumi forget, not delete, what another stack holds too, or may need."""
        whys = (RetentionReason.SHARED, RetentionReason.UNSEEN)
        shared = [entry.urn for entry in state.managed if entry.why in whys]
        exported = self._stack.export_state() if shared else None
        if exported is not None:
            self._stack.import_state(retain(exported, shared))

    def _too_young(self) -> str:
        limit = self._request.older_than
        if limit is None:
            return ""
        state = State.from_json(self._stack.export_state())
        if not state.managed:
            return ""
        last_update = age.last_update(self._stack.history())
        times = [time for time in (last_update, state.touched) if time]
        if not times:
            raise ScriptError(
                f"The last update of stack {self._stack.name!r} is not known.",
                "Tear it down without --older-than.",
                ExitCode.REFUSED,
            )
        return age.too_young(max(times), limit)

    def _expect(self, state: State, found: list[Content]) -> Outcome:
        """Return the expected outcome."""
        items = merge(_items(state), self._journal.load())
        datasets = [entry.id for entry in state.destroyed(HEALTHCARE_DATASET)]
        outcome = Outcome(
            cancelled=[
                each.name for each in running_operations.running(clients.healthcare(), datasets)
            ],
            contents=found,
            memberships=iam_members.find(item.resource for item in items if item.why is None),
            gone=[item.resource for item in items if item.why is None],
            left=[item for item in items if item.why],
        )
        if _due(state):
            self._run_destroy(state, preview_only=True)
        return outcome

    def _destroy(self, state: State, found: list[Content]) -> Outcome:
        """Tear the stack down."""
        report, request = self._output.report, self._request
        items = merge(_items(state), self._journal.load())
        outcome = Outcome(contents=found)
        if _due(state):
            self._journal.save(items)
            datasets = [entry.id for entry in state.destroyed(HEALTHCARE_DATASET)]
            outcome.cancelled = running_operations.stop(
                clients.healthcare(),
                datasets,
                resume=request.resume,
                report=report,
                timeout=request.timeout,
            )
            if outcome.cancelled:
                # An export that has just ended may have created a table.
                outcome.contents = contents.find(state, strays=request.strays)
                _refuse_what_blocks(outcome.contents, "Nothing was destroyed")
            contents.empty(outcome.contents, report)
            self._retain_shared(state)
            self._run_destroy(state)
        due = [item.resource for item in items if item.why is None]
        outcome.memberships = iam_members.remove(due, report)
        self._check_deleted(items, outcome)
        self._journal.clear()
        return outcome

    def _run_destroy(self, state: State, *, preview_only: bool = False) -> None:
        output = self._output
        color = output.out.is_terminal
        self._stack.destroy(state.targets(), output.raw, color=color, preview_only=preview_only)

    def _check_deleted(self, items: Sequence[Item], outcome: Outcome) -> None:
        """Check that the resources are deleted; retry while a service still lists one."""
        whys = {item.resource.key: item.why for item in items}
        for resource, status in _check_with_retries(items, self._output.report):
            why = whys[resource.key]
            if status is Status.UNKNOWN and why is None:
                outcome.unknown.append(resource)
            elif status is Status.GONE and why not in _STAYING:
                outcome.gone.append(resource)
            else:
                # A key that exists has usable versions: then more than its name is left.
                usable = why is RetentionReason.KEY and status is Status.THERE
                outcome.left.append(Item(resource, None if usable else why))
        wrong = [item.resource for item in outcome.left if item.why is None]
        if wrong:
            named = ", ".join(f"{resource.type_name} {resource.name}" for resource in wrong)
            raise ScriptError(
                f"{len(wrong)} of {len(items)} still exist: {named}.",
                "Run it again. Delete by hand what remains then: another client created it.",
                details={"left": [resource.to_report() for resource in wrong]},
            )


def _items(state: State) -> list[Item]:
    left = state.left()
    return [
        Item(
            ManagedResource.of(e.type, e.id, e.urn, e.values, state.project_of(e)), left.get(e.urn)
        )
        for e in state.managed
    ]


def _due(state: State) -> bool:
    """Return whether Pulumi has any resource to destroy or forget."""
    targets = state.targets()
    chosen = state.entries if targets is None else [e for e in state.entries if e.urn in targets]
    return any(not entry.type.startswith("pulumi:") for entry in chosen)


def _refuse_what_blocks(found: list[Content], done: str) -> None:
    blocking = [content for content in found if content.treatment is Treatment.BLOCKS]
    if not blocking:
        return
    named = "".join(f"\n  {content.type_name} {content.name}" for content in blocking)
    hints = dict.fromkeys(content.hint for content in blocking)
    raise ScriptError(
        f"{done}: the stack did not create these contents, and they would be lost.{named}",
        "\n".join(hints),
        ExitCode.REFUSED,
        {"blocking": [content.to_report() for content in blocking]},
    )


def _check_with_retries(
    items: Sequence[Item], report: Callable[[str], None]
) -> list[tuple[ManagedResource, Status]]:
    due = {item.resource.key for item in items if item.why in (None, RetentionReason.KEY)}
    delays = exponential_sleep_generator(_INITIAL_DELAY_SECONDS, _MAX_DELAY_SECONDS)
    for delay in itertools.islice(delays, _MAX_CHECKS - 1):
        found = remaining.check_exists([item.resource for item in items])
        wrong = [resource for resource, v in found if v is Status.THERE and resource.key in due]
        if not wrong:
            return found
        report(f"{len(wrong)} still listed: checking again ...")
        time.sleep(delay)
    return remaining.check_exists([item.resource for item in items])
