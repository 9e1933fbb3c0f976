"""A stack in memory, for tests of what the scripts do with one."""

import copy
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from scripts.lib.property_values import Special
from scripts.lib.pulumi_command import CommandResult, Report
from scripts.lib.pulumi_results import PreviewResult
from scripts.lib.pulumi_stack import PulumiStack, State
from scripts.preview.model import PropertyChange

Entry = dict[str, Any]

BOX = "gcp-healthcare-dicom:index:HealthcareDataset"
PREFIX = "urn:pulumi:dev::lab::"
_PROVIDER = f"{PREFIX}pulumi:providers:gcp::default_10_2_0::1"
# As Pulumi writes them into a preview.
_WIRE = {Special.UNKNOWN: "04da6b54-80e4-46f7-96ec-b56ff0331ba9", Special.SECRET: "[secret]"}


class FakeEngine(PulumiStack):
    """A `PulumiStack` whose state and program are attributes; destroying calls a function.

    Attributes:
        resources: the resources of the state
        pending: the pending operations of the state
        exists: whether the backend has the stack
        wanted: the program: URN -> inputs; `{"from": URN, "value": ...}` is known only when that
            resource is in the state
        project_id: the project in the configuration
        differing: URN -> properties that a preview shows as changed once it is in the state
        unlisted: URNs that Pulumi leaves out of its import file
        import_error: raised by the next import, after its first resource
        updated: when the stack was last updated, by its history
        before_destroy: called when a destroy begins
        delete: called with each resource that a destroy deletes
        calls: the names of all calls that plan or change something, in order
        refreshed: the logical names of each refresh
        imported: the ids of all imported resources
        targets: the logical names of the last destroy; None for everything
        others: the states of the program's other stacks
    """

    def __init__(
        self,
        name: str = "local",
        *,
        program: Path = Path("/nowhere"),
        wanted: Mapping[str, Entry] | None = None,
        kept: Collection[str] = (),
        differing: Mapping[str, tuple[PropertyChange, ...]] | None = None,
    ) -> None:
        # No engine is ever started: a call that is not faked fails at the backend.
        super().__init__(name, program, {"PULUMI_BACKEND_URL": "fake://", "PATH": "/nowhere"})
        self.wanted = wanted or {}
        self.differing = differing or {}
        box = {"urn": f"{PREFIX}{BOX}::box", "type": BOX, "custom": False}
        self.resources = [box, *map(_entry, kept)] if kept else []
        self.pending: list[Entry] = []
        self.exists = True
        self.project_id = ""
        self.unlisted: frozenset[str] = frozenset()
        self.import_error: BaseException | None = None
        self.updated: datetime | None = None
        self.before_destroy: Callable[[], None] = lambda: None
        self.delete: Callable[[Entry], None] = lambda _: None
        self.calls: list[str] = []
        self.refreshed: list[list[str]] = []
        self.imported: list[str] = []
        self.targets: list[str] | None = None
        self.others: dict[str, State] = {}

    @property
    def kept(self) -> set[str]:
        """The URNs in the state, components not."""
        return {resource["urn"] for resource in self.resources if resource["custom"]}

    def copy(self) -> "FakeEngine":
        """Return a stack of the same program and state."""
        scratch = FakeEngine(self.name, wanted=self.wanted, differing=self.differing)
        scratch.resources, scratch.project_id = copy.deepcopy(self.resources), self.project_id
        return scratch

    def export_state(self, *, secrets: bool = False) -> State | None:
        state = {"resources": self.resources, "pending_operations": self.pending}
        return {"version": 3, "deployment": copy.deepcopy(state)} if self.exists else None

    def import_state(self, state: State) -> None:
        self.calls.append("import_state")
        self.resources = state["deployment"]["resources"]
        self.pending = state["deployment"].get("pending_operations", [])

    def other_states(self) -> dict[str, State]:
        return self.others

    def history(self) -> list[Entry]:
        times = [self.updated.isoformat()] if self.updated else []
        return [{"kind": "update", "startTime": time, "endTime": time} for time in times]

    def create(self) -> None:
        self.calls.append("create")
        self.exists = True

    def cancel(self) -> None:
        self.calls.append("cancel")

    def refresh(self, urns: Sequence[str]) -> None:
        self.calls.append("refresh")
        self.refreshed.append(_names(urns))
        self.pending = []

    def preview(self) -> PreviewResult:
        self.calls.append("preview")
        created = [urn for urn in self.wanted if urn not in self.kept]
        steps = [{"op": "create", "urn": urn, "newState": self._state(urn)} for urn in created]
        steps += [
            self._step(urn, properties)
            for urn, properties in self.differing.items()
            if urn in self.kept
        ]
        config = {"gcp:project": self.project_id}
        document = {"config": config, "steps": steps, "changeSummary": {}}
        boxes = [{"type": BOX, "name": "box", "component": True}] if created else []
        entries = [_import_entry(urn) for urn in created if urn not in self.unlisted]
        return PreviewResult(
            CommandResult(0, json.dumps(document), ""),
            json.dumps({"resources": [*boxes, *entries]}),
        )

    def _step(self, urn: str, properties: tuple[PropertyChange, ...]) -> Entry:
        old, new = self._state(urn), self._state(urn)
        for each in properties:
            _put(old["inputs"], each.path, each.old)
            _put(new["inputs"], each.path, each.new)
        forcing = [each.path[0] for each in properties if each.forces_replacement]
        op = "replace" if forcing else "update"
        states = {"oldState": old, "newState": new}
        return {"op": op, "urn": urn, "replaceReasons": forcing, **states}

    def _state(self, urn: str) -> Entry:
        inputs = {key: self._value(value) for key, value in self.wanted[urn].items()}
        return {"urn": urn, "type": _type(urn), "custom": True, "inputs": inputs}

    def _value(self, value: Any) -> Any:
        if isinstance(value, dict) and "from" in value:
            return value["value"] if value["from"] in self.kept else _WIRE[Special.UNKNOWN]
        return value

    def import_resources(self, document: Mapping[str, Any]) -> None:
        self.calls.append("import_resources")
        for entry in document["resources"]:
            if not entry.get("component"):
                assert entry["id"]
                self.resources.append(_entry(entry["name"]))
                self.imported.append(entry["id"])
            elif not self.resources:
                self.resources.append({"urn": f"{PREFIX}{BOX}::box", "type": BOX, "custom": False})
            if self.import_error:
                raise self.import_error

    def destroy(
        self,
        targets: Sequence[str] | None,
        on_output: Report,
        *,
        color: bool = False,
        preview_only: bool = False,
    ) -> None:
        if preview_only:
            self.calls.append("preview_destroy")
            on_output(f"Previewing destroy ({self.name})")
            return
        self.calls.append("destroy")
        self.targets = None if targets is None else _names(targets)
        on_output(f"Destroying ({self.name})")
        self.before_destroy()
        chosen = [r for r in self.resources if targets is None or r["urn"] in targets]
        for each in chosen:
            if not each.get("retainOnDelete"):
                self.delete(each)
        self.resources = [r for r in self.resources if r not in chosen]


def _names(urns: Sequence[str]) -> list[str]:
    return [urn.rpartition("::")[2] for urn in urns]


def _type(urn: str) -> str:
    return urn.split("::")[2].rpartition("$")[2]


def _entry(urn: str) -> Entry:
    return {"urn": urn, "type": "gcp:x:X", "custom": True, "provider": _PROVIDER}


def _import_entry(urn: str) -> Entry:
    """The resource in an import file; its name there is its URN, as no two resources share it."""
    parent = {"parent": "box"} if "$" in urn else {}
    return {"type": _type(urn), "name": urn, "logicalName": urn.rpartition("::")[2], **parent}


def _put(inputs: Any, path: Sequence[str | int], value: Any) -> None:
    *parents, last = path
    for step in parents:
        inputs = inputs.setdefault(step, {})
    if value is Special.ABSENT:
        inputs.pop(last, None)
    else:
        inputs[last] = _WIRE.get(value, value) if isinstance(value, Special) else value
