"""Folding of the steps of the engine's plan into one change a resource."""

from collections.abc import Mapping, Sequence

from scripts.lib.property_values import Path, Special, Value, format_path, leaves, lookup
from scripts.preview.model import Action, Change, Preview, Problem, PropertyChange, State, Step
from scripts.preview.names import sort_key

_REPLACES = {
    "replace",
    "create-replacement",
    "delete-replaced",
    "import-replacement",
    "read-replacement",
}
_FORGETS = {"discard", "discard-replaced"}
# The provider computes these from `labels`, which is listed itself.
_DERIVED = {"effectiveLabels", "pulumiLabels", "terraformLabels"}


def fold(
    stack: str,
    steps: Sequence[Step],
    *,
    errors: Sequence[Problem] = (),
    warnings: Sequence[Problem] = (),
    violations: Sequence[Problem] = (),
    failed: bool = False,
    config: Mapping[str, str] | None = None,
) -> Preview:
    """Merge the steps of each resource and leave out those without meaning for people."""
    by_urn: dict[str, list[Step]] = {}
    for step in steps:
        by_urn.setdefault(step.urn, []).append(step)
    changes: list[Change] = []
    unchanged: list[State] = []
    for group in by_urn.values():
        for change in _changes(group):
            if change.action is Action.SAME:
                unchanged.append(change.state)
            else:
                changes.append(change)
    # The engine works in parallel: without sorting, the comment would differ from run to run.
    changes.sort(key=lambda change: sort_key(change.state))
    unchanged.sort(key=sort_key)
    return Preview(
        stack=stack,
        changes=tuple(changes),
        unchanged=tuple(unchanged),
        errors=tuple(errors),
        warnings=tuple(warnings),
        violations=tuple(violations),
        failed=failed,
        config=config or {},
    )


def _changes(steps: list[Step]) -> list[Change]:
    """Return the changes of one URN: one, or two if an old copy is to be deleted."""
    relevant = [s for s in steps if s.op not in {"refresh", "read", "remove-pending-replace"}]
    relevant = [s for s in relevant if _is_resource(s)]
    # An interrupted replacement leaves a copy with the same URN, marked for deletion.
    left = [s for s in relevant if s.op.startswith("delete") and s.old and s.old.pending_delete]
    found = [Change(Action.DELETE, s.urn, old=s.old) for s in left]
    rest = [s for s in relevant if s not in left]
    if not rest:
        return found
    ops = {s.op for s in rest}
    if ops & _REPLACES:
        return [*found, _replacement(rest)]
    last = rest[-1]
    if "delete" in ops and "create" in ops:
        # Only a refresh makes such a pair: the resource is gone already, so nothing is lost.
        create = next(s for s in rest if s.op == "create")
        return [*found, Change(Action.CREATE, create.urn, new=create.new, was_gone=True)]
    if last.op == "create":
        gone = any(s.op == "refresh" for s in steps)
        return [*found, Change(Action.CREATE, last.urn, new=last.new, was_gone=gone)]
    return [*found, _single(last)]


def _is_resource(step: Step) -> bool:
    """Return whether it exists in the cloud, unlike the stack, components and providers."""
    state = step.old or step.new
    return state is not None and state.custom and not state.type.startswith("pulumi:providers:")


def _single(step: Step) -> Change:
    if step.op == "delete" and not (step.old and step.old.abandoned):
        return Change(Action.DELETE, step.urn, old=step.old)
    if step.op in {"delete", *_FORGETS}:
        return Change(Action.FORGET, step.urn, old=step.old)
    if step.op == "import":
        return Change(Action.ADOPT, step.urn, new=step.new)
    if step.op == "update":
        properties = _properties(step)
        return Change(Action.UPDATE, step.urn, old=step.old, new=step.new, properties=properties)
    protection = step.old and step.new and step.old.protect != step.new.protect
    return Change(
        Action.PROTECT if protection else Action.SAME, step.urn, old=step.old, new=step.new
    )


def _replacement(steps: list[Step]) -> Change:
    main = next((s for s in steps if s.op == "replace"), steps[-1])
    old = main.old or next((s.old for s in steps if s.old), None)
    new = main.new or next((s.new for s in steps if s.new), None)
    whole = Step(
        op="replace",
        urn=main.urn,
        old=old,
        new=new,
        changed=main.changed,
        forcing=tuple(dict.fromkeys(key for s in steps for key in s.forcing)),
        detailed=main.detailed,
    )
    properties = _properties(whole)
    forced = whole.forcing or tuple(format_path(p.path) for p in properties if p.forces_replacement)
    if not forced:
        # A resource that is replaced with its dependency: the engine has no reason for it, but the
        # property that refers to the dependency is unknown, or changes.
        pointing = [p for p in properties if p.new is Special.UNKNOWN] or properties
        forced = tuple(str(p.path[0]) for p in pointing)
    return Change(Action.REPLACE, main.urn, old, new, properties, tuple(dict.fromkeys(forced)))


def _properties(step: Step) -> tuple[PropertyChange, ...]:
    if step.old is None or step.new is None:
        return ()
    found = _from_detailed(step) or _from_inputs(step)
    plain = [p for p in found if p.path[0] not in _DERIVED]
    return tuple(sorted(plain or found, key=lambda p: (not p.forces_replacement, str(p.path))))


def _from_detailed(step: Step) -> list[PropertyChange]:
    assert step.old is not None
    assert step.new is not None
    found = []
    for diff in step.detailed:
        before = step.old.inputs if diff.inputs else step.old.outputs
        old: Value = lookup(dict(before), diff.path)
        if old is Special.ABSENT:
            old = lookup(dict(step.old.inputs), diff.path)
        new = lookup(dict(step.new.inputs), diff.path)
        forces = diff.kind.endswith("replace") or str(diff.path[0]) in step.forcing
        if diff.kind.startswith("add"):
            old = Special.ABSENT
        elif diff.kind.startswith("delete"):
            new = Special.ABSENT
        # An object that is added or removed as a whole is listed leaf by leaf.
        found += [
            PropertyChange((*diff.path, *path), lookup(old, path), lookup(new, path), forces)
            for path in _paths(old, new)
        ]
    return [p for p in found if not (p.old is Special.ABSENT and p.new is Special.ABSENT)]


def _paths(old: Value, new: Value) -> list[Path]:
    """Return the paths of the leaves of two values; the root only if it is the only one."""
    paths = dict.fromkeys([*(p for p, _ in leaves(old)), *(p for p, _ in leaves(new))])
    return [path for path in paths if path or len(paths) == 1]


def _from_inputs(step: Step) -> list[PropertyChange]:
    """Compare the inputs, for providers and dependents that come without a detailed diff."""
    assert step.old is not None
    assert step.new is not None
    old: Value = dict(step.old.inputs)
    new: Value = dict(step.new.inputs)
    return [
        PropertyChange(path, before, after, bool(path) and path[0] in step.forcing)
        for path in _paths(old, new)
        if path and (before := lookup(old, path)) != (after := lookup(new, path))
    ]
