"""The content of a preview, in the terms of this package."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from scripts.lib.property_values import Path, Special, Value


class Action(StrEnum):
    """The change of a resource."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"
    ADOPT = "adopt"  # import: Pulumi adopts an existing resource
    FORGET = "forget"  # leaves the stack, but not the cloud
    PROTECT = "protect"  # only its protection changes
    SAME = "same"


@dataclass(frozen=True)
class State:
    """A resource before or after the change.

    `inputs` and `outputs` hold no secret: see `property_values.clean`.
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
        """Whether a deletion would leave the resource itself in the cloud."""
        return self.retain or self.get("deletionPolicy") == "ABANDON"

    def get(self, name: str) -> Value:
        """Return a property by its Pulumi name: the input, or else the output."""
        if name in self.inputs:
            return self.inputs[name]
        return self.outputs.get(name, Special.ABSENT)


@dataclass(frozen=True)
class Diff:
    """One entry of a provider's detailed diff; `inputs` asks to compare inputs with inputs."""

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
    """The change of one resource."""

    action: Action
    urn: str
    old: State | None = None
    new: State | None = None
    properties: tuple[PropertyChange, ...] = ()
    forced_by: tuple[str, ...] = ()
    # It was missing in the cloud at the time of the preview, and would be created again.
    was_gone: bool = False

    @property
    def state(self) -> State:
        """The existing state of the resource, or else the planned one."""
        state = self.old or self.new
        assert state is not None, self.urn
        return state


@dataclass(frozen=True)
class Problem:
    """An error, a warning or a policy violation, without secrets."""

    text: str
    urn: str = ""


@dataclass(frozen=True)
class Preview:
    """A whole preview. `changes` has the changed resources, `unchanged` the states of the rest.

    `unchanged` is empty unless the preview listed them (`--show-sames`, or the stream of events).
    `config` is the stack's configuration: key -> text.
    """

    stack: str
    changes: tuple[Change, ...] = ()
    unchanged: tuple[State, ...] = ()
    errors: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    violations: tuple[Problem, ...] = ()
    failed: bool = False
    config: Mapping[str, str] = field(default_factory=dict)

    def by(self, action: Action) -> list[Change]:
        """Return the changes with an action, in the order of the plan."""
        return [change for change in self.changes if change.action is action]
