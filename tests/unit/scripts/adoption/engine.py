"""An engine on paper: a program, a state, what is in the cloud."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scripts.adoption.plan import Plan, place_of
from scripts.common.errors import ScriptError
from scripts.preview.model import Action, Change, Preview, PropertyChange
from scripts.preview.model import State as Wanted
from scripts.preview.values import Special, Value
from tests.unit.scripts.adoption.services import PROJECT

BOX = "gcp-healthcare-dicom:index:HealthcareDataset"
PREFIX = "urn:pulumi:dev::lab::"
DATASET, FHIR = "gcp:healthcare/dataset:Dataset", "gcp:healthcare/fhirStore:FhirStore"
MEMBER, SERVICE = "gcp:projects/iAMMember:IAMMember", "gcp:projects/service:Service"
AGENT = "gcp:projects/serviceIdentity:ServiceIdentity"
OTHER = "gcp:dataproc/cluster:Cluster"


def urn(token: str, name: str) -> str:
    return f"{PREFIX}{BOX}${token}::{name}"


@dataclass
class Paper:
    """Stands in for a `Workspace`: what it takes over is in its state.

    Attributes:
        program: URN -> inputs; `{"from": URN}` is known only when that one is in the state.
        kept: URNs in the state.
        differing: URN -> properties that a preview shows as changed once it is in the state.
        unlisted: URNs that the engine leaves out of its import file.
        broken: raised by the next import.
    """

    program: Mapping[str, dict[str, Any]]
    kept: set[str] = field(default_factory=set)
    differing: Mapping[str, tuple[PropertyChange, ...]] = field(default_factory=dict)
    unlisted: frozenset[str] = frozenset()
    broken: BaseException | None = None
    log: list[str] = field(default_factory=list)
    stack: str = "dev"
    folder: Path = Path("/nowhere")
    exists: bool = True

    @property
    def file(self) -> Path:
        return self.folder / "Pulumi.dev.yaml"

    def config(self) -> dict[str, Any]:
        return {"gcp:project": PROJECT}

    def preview(self) -> Plan:
        self.log.append("preview")
        created = [name for name in self.program if name not in self.kept]
        changes = [Change(Action.CREATE, name, new=self._state(name)) for name in created]
        for name, properties in self.differing.items():
            if name in self.kept:
                forced = any(each.forces_replacement for each in properties)
                action = Action.REPLACE if forced else Action.UPDATE
                state = self._state(name)
                changes.append(Change(action, name, state, state, properties))
        boxes = [{"type": BOX, "name": "box", "component": True}] if created else []
        entries = [
            {
                "type": self._state(name).type,
                "name": name,
                "logicalName": place_of(name)[1],
                **({"parent": "box"} if "$" in name else {}),
            }
            for name in created
            if name not in self.unlisted
        ]
        return Plan(Preview("dev", tuple(changes)), {"resources": [*boxes, *entries]})

    def _state(self, name: str) -> Wanted:
        inputs: dict[str, Value] = {
            key: self._value(value) for key, value in self.program[name].items()
        }
        types, _ = place_of(name)
        return Wanted(name, types.rpartition("$")[2], inputs=inputs, custom=True)

    def _value(self, value: Any) -> Value:
        if isinstance(value, dict) and "from" in value:
            return str(value["value"]) if value["from"] in self.kept else Special.UNKNOWN
        found: Value = value
        return found

    def take(self, document: Mapping[str, Any]) -> None:
        self.log.append("import")
        for entry in document["resources"]:
            if not entry.get("component"):
                assert entry["id"]
                self.kept.add(entry["name"])
                self.log.append(entry["id"])
            if self.broken:
                raise self.broken

    def state(self, *, secrets: bool = False) -> dict[str, Any] | None:
        if not self.exists:
            return None
        box = {"urn": f"{PREFIX}{BOX}::box", "type": BOX, "custom": False}
        provider = "urn:pulumi:dev::lab::pulumi:providers:gcp::default_10_2_0::1"
        kept = [
            {"urn": name, "type": "gcp:x:X", "custom": True, "provider": provider}
            for name in sorted(self.kept)
        ]
        return {"version": 3, "deployment": {"resources": [box, *kept] if kept else []}}

    def put(self, state: dict[str, Any]) -> None:
        self.log.append("put")
        resources = state["deployment"]["resources"]
        self.kept = {resource["urn"] for resource in resources if resource["custom"]}

    def make(self) -> None:
        self.log.append("make")
        self.exists = True


class BrokenError(ScriptError):
    """An import that the engine refuses."""
