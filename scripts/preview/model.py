"""What a preview says, in the words of this package."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from scripts.preview.values import Path, Special, Value


class Action(StrEnum):
    """What would happen to a resource."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"
    ADOPT = "adopt"  # import: Pulumi takes over what exists
    FORGET = "forget"  # leaves the state of the stack, stays in the cloud
    PROTECT = "protect"  # nothing but its protection changes
    SAME = "same"


@dataclass(frozen=True)
class State:
    """A resource before or after the change.

    `inputs` and `outputs` went through `values.clean`: they hold no secret.
    """

    urn: str
    type: str
    id: str = ""
    inputs: Mapping[str, Value] = field(default_factory=dict)
    outputs: Mapping[str, Value] = field(default_factory=dict)
    custom: bool = False
    protect: bool = False
    retain: bool = False
    pending_delete: bool = False

    @property
    def abandoned(self) -> bool:
        """Tell whether a deletion would leave the resource itself in the cloud."""
        return self.retain or self.get("deletionPolicy") == "ABANDON"

    def get(self, name: str) -> Value:
        """Return a property by its Pulumi name, as given, else as computed."""
        if name in self.inputs:
            return self.inputs[name]
        return self.outputs.get(name, Special.ABSENT)


@dataclass(frozen=True)
class Diff:
    """One entry of a provider's detailed diff; `inputs` tells to compare inputs with inputs."""

    path: Path
    kind: str
    inputs: bool = False


@dataclass(frozen=True)
class Step:
    """One operation of the engine's plan; a replacement takes up to three of them."""

    op: str
    urn: str
    old: State | None = None
    new: State | None = None
    changed: tuple[str, ...] = ()
    forcing: tuple[str, ...] = ()
    detailed: tuple[Diff, ...] = ()


@dataclass(frozen=True)
class PropertyChange:
    """One property of an updated or replaced resource."""

    path: Path
    old: Value
    new: Value
    forces_replacement: bool = False


@dataclass(frozen=True)
class Change:
    """All that would happen to one resource."""

    action: Action
    urn: str
    old: State | None = None
    new: State | None = None
    properties: tuple[PropertyChange, ...] = ()
    forced_by: tuple[str, ...] = ()
    # It was gone from the cloud when the preview looked, and would be made anew.
    was_gone: bool = False

    @property
    def state(self) -> State:
        """The state that names the resource best: the one that exists."""
        state = self.old or self.new
        assert state is not None, self.urn
        return state


@dataclass(frozen=True)
class Problem:
    """An error, a warning or a policy violation, already without what must not be shown."""

    text: str
    urn: str = ""


@dataclass(frozen=True)
class Preview:
    """A whole preview. `changes` has the changed resources, `unchanged` the states of the rest.

    `unchanged` is empty unless the preview listed them (`--show-sames`, or the stream of events).
    """

    stack: str
    changes: tuple[Change, ...] = ()
    unchanged: tuple[State, ...] = ()
    errors: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    violations: tuple[Problem, ...] = ()
    failed: bool = False

    def by(self, action: Action) -> list[Change]:
        """Return the changes of one kind, in the order of the plan."""
        return [change for change in self.changes if change.action is action]
