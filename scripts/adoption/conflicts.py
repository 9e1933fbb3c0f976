"""What keeps a resource from being adopted as it is, and what to write in the stack file."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from scripts.adoption.plan import place_of
from scripts.adoption.survey import DATASET, Survey, Thing
from scripts.preview import names
from scripts.preview.model import Action, Change, PropertyChange, State
from scripts.preview.values import Path, Special, Value, format_path, show

_COMPONENT = "gcp-healthcare-dicom:index:"
_FIRST = "healthcare"  # the name of the component of the first dataset
_STORES = {
    "gcp:healthcare/dicomStore:DicomStore": "dicomStores",
    "gcp:healthcare/fhirStore:FhirStore": "fhirStores",
    "gcp:healthcare/hl7Store:Hl7Store": "hl7v2Stores",
    "gcp:healthcare/consentStore:ConsentStore": "consentStores",
}
_DATASET_KEYS = {"encryptionSpec": "encryption"}
_BIG_QUERY = "gcp:bigquery/dataset:Dataset"


@dataclass(frozen=True)
class Conflict:
    """One property because of which a resource would be replaced.

    Attributes:
        urn: of the resource.
        kind: what it is, in words.
        id: its name in the cloud.
        property: path of the property.
        cloud: its value there, as text.
        program: the value that the program gives it, as text.
        key: where the stack file says so; empty if that is not known.
        cure: what to do.
    """

    urn: str
    kind: str
    id: str
    property: str
    cloud: str
    program: str
    key: str
    cure: str

    def to_json(self) -> dict[str, Any]:
        """Give the shape of `--json`."""
        return dict(vars(self))

    def __str__(self) -> str:
        return (
            f"{self.kind} {self.id}: {self.property} is {self.cloud} in the cloud, "
            f"{self.program} in the program. {self.cure}"
        )


def conflicts(survey: Survey, file: str, *, beside: bool) -> list[Conflict]:
    """Find what stands against the adoption.

    Args:
        survey: what was found.
        file: name of the stack file, for the cures.
        beside: a dataset may be created though another location has one of that id.
    """
    found = [] if beside else [c for thing in survey.things for c in _elsewhere(thing, file)]
    ids = {thing.urn: thing.id for thing in survey.things}
    for change in survey.plan.damaged(survey.adopted):
        found += _causes(change, ids[change.urn], file)
    return found


def _elsewhere(thing: Thing, file: str) -> Iterator[Conflict]:
    for name in thing.namesakes:
        there = name.split("/")[3]
        key = _key(thing.state, ("location",))
        cure = _cure(key, there, file)
        yield Conflict(
            thing.urn,
            thing.kind,
            name,
            "location",
            there,
            str(thing.state.get("location")),
            key,
            f"{cure} If a new one is meant beside it: --beside.",
        )


def _causes(change: Change, id_: str, file: str) -> list[Conflict]:
    """Give the properties that force the replacement; the first ones known, else all."""
    kind = names.kind(change.state)
    if change.action is not Action.REPLACE:
        cure = "Report this: an adopted resource must not go."
        return [Conflict(change.urn, kind, id_, "the resource", "there", "gone", "", cure)]
    forcing = [p for p in change.properties if p.forces_replacement]
    # A value that is not known yet comes from another resource that would be replaced.
    known = [p for p in forcing if p.new is not Special.UNKNOWN]
    return [
        _conflict(change, id_, kind, each, file) for each in known or forcing or change.properties
    ]


def _conflict(change: Change, id_: str, kind: str, each: PropertyChange, file: str) -> Conflict:
    path = format_path(each.path)
    cloud, program = text(each.path, each.old), text(each.path, each.new)
    if each.new is Special.UNKNOWN:
        cure = "It would go with another resource; mend that one."
        return Conflict(change.urn, kind, id_, path, cloud, program, "", cure)
    key = _key(change.state, each.path)
    value = cloud.lower() if key == "location" else cloud
    wanted = None if each.old is Special.ABSENT else value
    cure = _cure(key, wanted, file)
    if change.state.type == _BIG_QUERY and key == "location":
        cure += " The Healthcare data is kept there too; else name another bigqueryDataset."
    return Conflict(change.urn, kind, id_, path, cloud, program, key, cure)


def _cure(key: str, value: str | None, file: str) -> str:
    if key:
        return f"In {file}, remove {key}." if value is None else f"In {file}, set {key}: {value}"
    wish = "does not set it" if value is None else f"gives it {value}"
    return f"Change the program so that it {wish}."


def text(path: Path, value: Value) -> str:
    """Write a value for people, without secrets."""
    shown = show(path, value)
    return shown.value if isinstance(shown, Special) else shown


def _key(state: State, path: Path) -> str:
    """Say where the stack file has a property; empty for what this program did not declare."""
    types, logical = place_of(state.urn)
    if not types.startswith(_COMPONENT):
        return ""
    top, rest = str(path[0]), format_path(path[1:])
    if state.type == _BIG_QUERY:
        return "location" if top == "location" else ""
    if state.type == DATASET:
        return _scope(logical) + ".".join(filter(None, (_DATASET_KEYS.get(top, top), rest)))
    if state.type in _STORES:
        name = str(state.get("name"))
        scope = _scope(logical.removesuffix(f"-{name}"))
        return f"{scope}{_STORES[state.type]}[name: {name}].{format_path(path)}"
    if state.type == "gcp:pubsub/subscription:Subscription":
        name = str(state.get("name"))
        topic = logical.removeprefix("topic-").removesuffix(f"-{name}")
        return f"topics[name: {topic}].subscriptions[name: {name}].{format_path(path)}"
    return ""


def _scope(component: str) -> str:
    name = component.removeprefix(_FIRST).removeprefix("-")
    return f"datasets[name: {name}]." if name else ""
