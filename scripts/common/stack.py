"""The names that the scripts work on: from a stack's outputs, or from flags."""

import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine import places
from engine.errors import EngineError
from scripts.common.errors import ScriptError, UsageError

ROOT = Path(__file__).resolve().parents[2]
DEFAULT_STACK = "local"


@dataclass(frozen=True)
class Choice:
    """The options that say what to work on, as given; None where the user left one out."""

    stack: str | None = None
    project: str | None = None
    location: str | None = None
    dataset: str | None = None
    store: str | None = None

    @property
    def explicit(self) -> bool:
        """Whether the flags alone name everything, so that no stack is needed."""
        names = (self.project, self.location, self.dataset, self.store)
        return self.stack is None and all(names)

    @property
    def flags(self) -> list[str]:
        """The options that make another script work on the same things."""
        return [
            part
            for name in ("stack", "project", "location", "dataset", "store")
            if (value := getattr(self, name)) is not None
            for part in (f"--{name}", value)
        ]


@dataclass(frozen=True)
class Dataset:
    """One dataset of a stack: its full name, and its DICOM stores by short id."""

    name: str
    dicom_stores: dict[str, str]


@dataclass(frozen=True)
class Outputs:
    """What the scripts use of a stack's outputs; stores map a short id to the full name."""

    project: str
    project_number: str
    location: str
    dataset: str
    dicom_stores: dict[str, str] = field(default_factory=dict)
    fhir_stores: dict[str, str] = field(default_factory=dict)
    hl7v2_stores: dict[str, str] = field(default_factory=dict)
    service_agent: str = ""
    bigquery_dataset: str = ""
    table_uri: str = ""
    datasets: dict[str, Dataset] = field(default_factory=dict)

    @classmethod
    def from_json(cls, stack: str, body: dict[str, Any]) -> "Outputs":
        """Read `pulumi stack output --json`.

        Raises:
            ScriptError: the stack is empty, or another program made it.
        """
        if not body:
            raise not_up(stack)
        try:
            return cls(
                project=body["projectId"],
                project_number=str(body["projectNumber"]),
                location=body["region"],
                dataset=body["dataset"],
                dicom_stores=dict(body["dicomStores"]),
                fhir_stores=dict(body["fhirStores"]),
                hl7v2_stores=dict(body["hl7v2Stores"]),
                service_agent=body["serviceAgent"],
                bigquery_dataset=body["bigqueryDataset"],
                # Not there in a stack without DICOM stores.
                table_uri=body.get("tableUri", ""),
                datasets={
                    name: Dataset(each["dataset"], dict(each["dicomStores"]))
                    for name, each in body.get("datasets", {}).items()
                },
            )
        except KeyError as missing:
            raise ScriptError(
                f"Stack {stack!r} has no output {missing}: it was not, or not wholly, deployed.",
                f"Run `make up STACK={stack}`.",
            ) from None


@dataclass(frozen=True)
class Target:
    """Everything a script needs to know about where it works. Names are full resource names."""

    project: str
    location: str
    dataset: str
    store: str
    bigquery_dataset: str = ""
    table_uri: str = ""

    @property
    def store_id(self) -> str:
        """The last part of the store's name."""
        return self.store.rpartition("/")[2]


def not_up(stack: str) -> ScriptError:
    """Make the error of a stack that has nothing deployed."""
    return ScriptError(
        f"Stack {stack!r} is not up.",
        f"Run `make up STACK={stack}` for the resources alone, or `make lab STACK={stack}`.",
    )


def enter(stack: str, report: Callable[[str], None]) -> places.Place:
    """Make this process work in the place where a stack lives.

    The place is a set of environment variables: endpoints and credentials that Google's libraries
    read, and the `pulumi` to use. All else in the scripts is the same in every place.

    Args:
        stack: the stack's name.
        report: told what is going on, as getting an engine may take minutes.

    Raises:
        ScriptError: no engine can be had, or the place can't be made ready.
    """
    try:
        place = places.prepare(stack, report)
    except EngineError as error:
        raise ScriptError(str(error)) from error
    os.environ.update(place.environment)
    return place


def leave(stack: str) -> None:
    """Stop what runs on this machine for a stack only; its files stay.

    Raises:
        ScriptError: it can't be stopped.
    """
    try:
        places.leave(stack)
    except EngineError as error:
        raise ScriptError(str(error)) from error


def outputs(stack: str) -> Outputs:
    """Ask Pulumi for a stack's outputs; the place must have been entered.

    Raises:
        ScriptError: no such stack, or nothing is deployed in it.
    """
    command = ["pulumi", "stack", "output", "--json", "--stack", stack, "--non-interactive"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        if "no stack named" in done.stderr:
            raise not_up(stack)
        raise ScriptError(
            f"Pulumi can't tell the outputs of stack {stack!r}: {done.stderr.strip()}",
            "Check the backend (`pulumi whoami -v`) and the stack's name (`pulumi stack ls`).",
        )
    return Outputs.from_json(stack, json.loads(done.stdout or "{}"))


def _store_of(owner: str, stores: dict[str, str], store: str | None, first: str) -> str:
    """Find a DICOM store by short id or full name.

    Args:
        owner: whose stores they are, for the message.
        stores: short id -> full name.
        store: what the user wants; None for the first.
        first: the short id of the first store in the settings, which outputs are too sorted to
            tell; another if there is none of that id.
    """
    if not stores:
        raise ScriptError(
            f"{owner} has no DICOM store.",
            "Add one under dicomStores in the stack's configuration and deploy it.",
        )
    if store is None:
        return stores.get(first, next(iter(stores.values())))
    if store in stores.values():
        return store
    if store not in stores:
        raise UsageError(
            f"{owner} has no DICOM store {store!r}.", f"Its DICOM stores: {', '.join(stores)}."
        )
    return stores[store]


def target(choice: Choice, found: Outputs | None) -> Target:
    """Decide on names: a flag wins over the stack's output.

    Args:
        choice: the command line's options.
        found: the stack's outputs; None when the flags name everything.
    """
    if found is None:
        if not (choice.project and choice.location and choice.dataset and choice.store):
            raise UsageError(
                "Without a stack, --project, --location, --dataset and --store are due."
            )
        parent = f"projects/{choice.project}/locations/{choice.location}"
        dataset = f"{parent}/datasets/{choice.dataset}"
        store = f"{dataset}/dicomStores/{choice.store}"
        return Target(choice.project, choice.location, dataset, store)
    stack = choice.stack or DEFAULT_STACK
    further = _further_dataset(choice, found)
    if further is not None:
        owner = f"Dataset {choice.dataset!r} of stack {stack!r}"
        store = _store_of(owner, further.dicom_stores, choice.store, "")
        names = (found.project, found.location, further.name, store, found.bigquery_dataset)
        return Target(*names, _table_of(found, store))
    if choice.project or choice.location or choice.dataset:
        project = choice.project or found.project
        location = choice.location or found.location
        dataset_id = choice.dataset or found.dataset.rpartition("/")[2]
        elsewhere = f"projects/{project}/locations/{location}/datasets/{dataset_id}"
        if elsewhere != found.dataset:
            store_id = choice.store or next(iter(found.dicom_stores), "")
            store = f"{elsewhere}/dicomStores/{store_id}"
            return Target(project, location, elsewhere, store)
    first = found.table_uri.rpartition(".")[2]
    store = _store_of(f"Stack {stack!r}", found.dicom_stores, choice.store, first)
    return Target(
        found.project,
        found.location,
        found.dataset,
        store,
        found.bigquery_dataset,
        _table_of(found, store),
    )


def _further_dataset(choice: Choice, found: Outputs) -> Dataset | None:
    """Find the stack's dataset that `--dataset` means, by its name in the settings or its id."""
    if choice.project or choice.location or choice.dataset is None:
        return None
    for name, dataset in found.datasets.items():
        if dataset.name != found.dataset and choice.dataset in (
            name,
            dataset.name.rpartition("/")[2],
        ):
            return dataset
    return None


def _table_of(found: Outputs, store: str) -> str:
    """Name the export's table after the store; the stack's output names the first store's."""
    dataset = found.table_uri.rpartition(".")[0]
    return f"{dataset}.{store.rpartition('/')[2]}"


def enter_for(choice: Choice, report: Callable[[str], None]) -> None:
    """Enter the place that the options mean; with all names given it is the one we are in."""
    if not choice.explicit:
        enter(choice.stack or DEFAULT_STACK, report)


def resolve(choice: Choice, report: Callable[[str], None]) -> Target:
    """Find what to work on, and enter the place where it lives.

    Raises:
        ScriptError: the stack is not up, or has no such store.
    """
    enter_for(choice, report)
    found = None if choice.explicit else outputs(choice.stack or DEFAULT_STACK)
    return target(choice, found)
