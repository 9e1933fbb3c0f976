"""Recovery of a stack after an interrupted update: its lock and its pending operations."""

from collections.abc import Callable
from typing import Any

from scripts.lib.pulumi_command import finish_before_interrupt
from scripts.lib.pulumi_stack import PulumiStack, State
from scripts.recovery import stack_locks

Report = Callable[[str], None]
Entry = dict[str, Any]

_CREATING = "creating"


def recover(stack: PulumiStack, report: Report) -> State | None:
    """Bring a stack's state and the cloud together after an update that was interrupted.

    Nothing in the cloud changes. Interrupted itself, the next one continues: a resource without
    outputs in the state is one that an earlier recovery did not refresh.

    Args:
        stack: the stack; this process has entered its environment
        report: called with each finding; not called if nothing was to be recovered

    Returns:
        The state after it; None if there is no such stack.

    Raises:
        ScriptError: Pulumi can't read or write the state, or a service does not answer
    """
    return finish_before_interrupt(lambda: _recover(stack, report))


def _recover(stack: PulumiStack, report: Report) -> State | None:
    is_running = _is_running(stack, report)
    exported = stack.export_state()
    if is_running:
        return exported  # Pulumi itself refuses to update, and names the process
    state = exported or {}
    pending, unfilled = _pending(state), _unfilled(state)
    if not pending and not unfilled:
        return exported
    report(f"An update of stack {stack.name!r} was interrupted; recovering its state ...")
    touched = [operation["resource"]["urn"] for operation in pending]
    if any(operation["type"] == _CREATING for operation in pending):
        state = _with_creations(state, report)
        stack.import_state(state)
    known = {resource["urn"] for resource in _resources(state)}
    doubtful = [urn for urn in dict.fromkeys([*unfilled, *touched]) if urn in known]
    if not doubtful:
        return state
    stack.refresh(doubtful)
    return stack.export_state()


def _is_running(stack: PulumiStack, report: Report) -> bool:
    """Return whether an update runs, and release the lock of one that was killed."""
    found = stack_locks.held(stack)
    if not found:
        return False
    if not all(lock.stale for lock in found):
        return True
    report(f"Stack {stack.name!r} was locked by an update that was killed; unlocking it.")
    stack.cancel()
    return False


def _with_creations(state: State, report: Report) -> State:
    """Return the state with the pending creations that succeeded, and without any operation."""
    # Imported late: only an interrupted creation needs Google's libraries.
    from scripts.recovery.pending_creates import CreateOutcome, resolve

    resources = _resources(state)
    pending = [o["resource"] for o in _pending(state) if o["type"] == _CREATING]
    for creation in resolve(pending, resources):
        report(f"  {_short(creation.urn)} {creation.outcome}")
        if creation.outcome is CreateOutcome.CREATED:
            resources = _entered(resources, creation.recorded())
    deployment = {**state["deployment"], "resources": resources, "pending_operations": []}
    return {**state, "deployment": deployment}


def _entered(resources: list[Entry], new: Entry) -> list[Entry]:
    """Add a resource; an entry with its URN was being replaced and is marked for deletion."""
    entered = []
    for resource in resources:
        if resource["urn"] != new["urn"] or resource.get("delete"):
            entered.append(resource)
        elif not resource.get("pendingReplacement"):  # otherwise it is deleted already
            entered.append({**resource, "delete": True})
    return [*entered, new]


def _resources(state: State) -> list[Entry]:
    found: list[Entry] = (state.get("deployment") or {}).get("resources") or []
    return found


def _pending(state: State) -> list[Entry]:
    found: list[Entry] = (state.get("deployment") or {}).get("pending_operations") or []
    return found


def _unfilled(state: State) -> list[str]:
    return [
        resource["urn"]
        for resource in _resources(state)
        if resource["type"].startswith("gcp:")
        and resource.get("id")
        and not resource.get("outputs")
    ]


def _short(urn: str) -> str:
    _, _, types, name = urn.split("::", 3)
    return f"{types.rpartition(':')[2]} {name}"
