"""Conflicts between an existing resource and the stack file, and how to resolve them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from scripts.adoption.survey import DATASET, Candidate, Survey
from scripts.lib.property_values import Path, Special, Value, format_path, show
from scripts.preview import names
from scripts.preview.model import Action, Change, PropertyChange, State
from scripts.stacks.plan import key_of

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
    """A property that forces the replacement of a resource.

    Attributes:
        urn: of the resource
        type_name: its type, for people
        id: its name in the cloud
        property: path of the property
        cloud: its value in the cloud, as text
        program: its value in the program, as text
        key: of the stack file that sets it; empty if not known
        hint: what to do
    """

    urn: str
    type_name: str
    id: str
    property: str
    cloud: str
    program: str
    key: str
    hint: str

    def to_json(self) -> dict[str, Any]:
        """Return the shape of `--json`."""
        shape = {"kind" if key == "type_name" else key: value for key, value in vars(self).items()}
        # `cure` is the key of earlier releases: it goes with the next one.
        return {**shape, "cure": self.hint}

    def __str__(self) -> str:
        return (
            f"{self.type_name} {self.id}: {self.property} is {self.cloud} in the cloud, "
            f"{self.program} in the program. {self.hint}"
        )


def conflicts(survey: Survey, file: str, *, beside: bool) -> list[Conflict]:
    """Find the conflicts of an adoption.

    Args:
        survey: of the resources
        file: name of the stack file, for the hints
        beside: allow a new dataset even if another location has one with its id
    """
    found = (
        []
        if beside
        else [c for candidate in survey.candidates for c in _elsewhere(candidate, file)]
    )
    ids = {candidate.urn: candidate.id for candidate in survey.candidates}
    for change in survey.plan.destructive_changes(survey.adopted):
        found += _causes(change, ids[change.urn], file)
    return found


def _elsewhere(candidate: Candidate, file: str) -> Iterator[Conflict]:
    for name in candidate.namesakes:
        there = name.split("/")[3]
        key = _key(candidate.state, ("location",))
        hint = _hint(key, there, file)
        yield Conflict(
            candidate.urn,
            candidate.type_name,
            name,
            "location",
            there,
            str(candidate.state.get("location")),
            key,
            f"{hint} To create a new one beside it, add --beside.",
        )


def _causes(change: Change, id_: str, file: str) -> list[Conflict]:
    """Return the properties that force the replacement; known ones if there are any."""
    type_name = names.type_name(change.state)
    if change.action is not Action.REPLACE:
        hint = "Report this as a bug: an adopted resource must not be deleted."
        return [Conflict(change.urn, type_name, id_, "the resource", "there", "gone", "", hint)]
    forcing = [p for p in change.properties if p.forces_replacement]
    # A value that is not known yet comes from another resource that would be replaced.
    known = [p for p in forcing if p.new is not Special.UNKNOWN]
    return [
        _conflict(change, id_, type_name, each, file)
        for each in known or forcing or change.properties
    ]


def _conflict(
    change: Change, id_: str, type_name: str, each: PropertyChange, file: str
) -> Conflict:
    path = format_path(each.path)
    cloud, program = text(each.path, each.old), text(each.path, each.new)
    if each.new is Special.UNKNOWN:
        hint = "It would be deleted with another resource: fix that one."
        return Conflict(change.urn, type_name, id_, path, cloud, program, "", hint)
    key = _key(change.state, each.path)
    value = cloud.lower() if key == "location" else cloud
    wanted = None if each.old is Special.ABSENT else value
    hint = _hint(key, wanted, file)
    if change.state.type == _BIG_QUERY and key == "location":
        hint += (
            " The Healthcare data is stored there too; otherwise choose another bigqueryDataset."
        )
    return Conflict(change.urn, type_name, id_, path, cloud, program, key, hint)


def _hint(key: str, value: str | None, file: str) -> str:
    if key:
        return f"In {file}, remove {key}." if value is None else f"In {file}, set {key}: {value}"
    wish = "does not set it" if value is None else f"sets it to {value}"
    return f"Change the program so that it {wish}."


def text(path: Path, value: Value) -> str:
    """Format a value for people, without secrets."""
    shown = show(path, value)
    return shown.value if isinstance(shown, Special) else shown


def _key(state: State, path: Path) -> str:
    """Return the stack file's key of a property; empty for resources of other programs."""
    types, logical = key_of(state.urn)
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
