"""Names of the resources that a script works on, from a stack's outputs or from flags."""

import os
from collections.abc import Callable
from dataclasses import dataclass

from engine import stack_environment
from engine.errors import EngineError
from scripts.lib.errors import ScriptError, UsageError
from scripts.lib.options import DEFAULT_STACK, ROOT, Choice
from scripts.lib.pulumi_stack import PulumiStack
from scripts.lib.stack_outputs import Dataset, Outputs


@dataclass(frozen=True)
class Target:
    """The resources that a script works on. Names are full resource names."""

    project: str
    location: str
    dataset: str
    store: str
    bigquery_dataset: str = ""
    table_uri: str = ""
    gateways: tuple[str, ...] = ()
    """Addresses of the stack's gateways that serve a viewer of the store."""

    @property
    def store_id(self) -> str:
        """The last part of the store's name."""
        return self.store.rpartition("/")[2]


def enter(stack: str, report: Callable[[str], None]) -> stack_environment.StackEnvironment:
    """Set the environment variables of a stack in this process.

    They are the endpoints and credentials that Google's libraries read, and the `pulumi` to use.
    Everything else in the scripts is the same on the local Google Cloud and on Google Cloud.

    Args:
        stack: the stack's name
        report: called with progress, as downloading an engine can take minutes

    Raises:
        ScriptError: there is no engine, or the local Google Cloud does not start
    """
    try:
        environment = stack_environment.prepare(stack, report)
    except EngineError as error:
        raise ScriptError(str(error)) from error
    os.environ.update(environment.environment)
    return environment


def leave(stack: str) -> None:
    """Stop the local Google Cloud of a stack; its files stay.

    Raises:
        ScriptError: it can't be stopped
    """
    try:
        stack_environment.stop(stack)
    except EngineError as error:
        raise ScriptError(str(error)) from error


def outputs(stack: str) -> Outputs:
    """Read a stack's outputs; call `enter` first.

    Raises:
        ScriptError: no such stack, or nothing is deployed in it
    """
    return Outputs.from_json(stack, PulumiStack(stack, ROOT).outputs() or {})


def _store_of(owner: str, dataset: Dataset, store: str | None) -> str:
    """Return the full name of a DICOM store.

    Args:
        owner: of the store, for the message
        dataset: holds it
        store: its short id or full name; None for the dataset's first

    Raises:
        ScriptError: there is no such store, or no first one is known
    """
    stores = dataset.dicom_stores
    if not stores:
        raise ScriptError(
            f"{owner} has no DICOM store.",
            "Add one under dicomStores in the stack's configuration and deploy it.",
        )
    listed = f"Its DICOM stores: {', '.join(stores)}."
    if store is None:
        first = dataset.first_dicom_store or (next(iter(stores)) if len(stores) == 1 else "")
        if first not in stores:
            # Outputs are sorted by name: an older stack does not say which store comes first.
            raise UsageError(f"{owner} has several DICOM stores: choose one with --store.", listed)
        return stores[first]
    if store in stores.values():
        return store
    if store not in stores:
        raise UsageError(f"{owner} has no DICOM store {store!r}.", listed)
    return stores[store]


def target(choice: Choice, found: Outputs | None) -> Target:
    """Choose the names: a flag takes precedence over the stack's output.

    Args:
        choice: the command line's options
        found: the stack's outputs; None when the flags name everything

    Raises:
        ScriptError: a name is missing, or the stack does not have it
    """
    if found is None:
        if not (choice.project and choice.location and choice.dataset and choice.store):
            raise UsageError(
                "Without a stack, --project, --location, --dataset and --store are required."
            )
        parent = f"projects/{choice.project}/locations/{choice.location}"
        return _elsewhere(f"{parent}/datasets/{choice.dataset}", choice.store)
    stack = choice.stack or DEFAULT_STACK
    name = dataset_name(choice, found)
    if name is None:
        return _outside(choice, found, stack)
    owner = f"Stack {stack!r}" if choice.dataset is None else f"Dataset {name!r} of stack {stack!r}"
    dataset = found.datasets[name]
    store = _store_of(owner, dataset, choice.store)
    return Target(
        found.project,
        found.location,
        dataset.name,
        store,
        found.bigquery_dataset,
        _table_of(found, store),
        tuple(each.uri for each in found.gateways if each.has_viewer and store in each.stores),
    )


def dataset_name(choice: Choice, found: Outputs) -> str | None:
    """Return which of the stack's datasets the options mean, by its name in the settings.

    None if they mean none of them.
    """
    by_full_name = {dataset.name: name for name, dataset in found.datasets.items()}
    if choice.project or choice.location:
        return by_full_name.get(_dataset_of(choice, found))
    if choice.dataset is None:
        return by_full_name.get(found.dataset)
    if choice.dataset in found.datasets:
        return choice.dataset
    by_id = {full.rpartition("/")[2]: name for full, name in by_full_name.items()}
    return by_id.get(choice.dataset)


def _dataset_of(choice: Choice, found: Outputs) -> str:
    """Return the full name of the dataset in the options; the stack supplies missing parts."""
    project, location = choice.project or found.project, choice.location or found.location
    dataset_id = choice.dataset or found.dataset.rpartition("/")[2]
    return f"projects/{project}/locations/{location}/datasets/{dataset_id}"


def _outside(choice: Choice, found: Outputs, stack: str) -> Target:
    """Return names outside of the stack; the options must name the store."""
    dataset = _dataset_of(choice, found)
    if choice.store is None:
        known = ", ".join(
            f"{name} ({each.name.rpartition('/')[2]})" for name, each in found.datasets.items()
        )
        wanted = dataset if choice.project or choice.location else choice.dataset
        raise UsageError(
            f"Stack {stack!r} has no dataset {wanted!r}.",
            f"Its datasets: {known}. For a dataset outside of the stack, add --store.",
        )
    return _elsewhere(dataset, choice.store)


def _elsewhere(dataset: str, store: str) -> Target:
    _, project, _, location, *_ = dataset.split("/")
    return Target(project, location, dataset, f"{dataset}/dicomStores/{store}")


def _table_of(found: Outputs, store: str) -> str:
    """Name the export's table after the store; the stack's output names the first store's."""
    dataset = found.table_uri.rpartition(".")[0]
    return f"{dataset}.{store.rpartition('/')[2]}"


def enter_for(choice: Choice, report: Callable[[str], None]) -> None:
    """Enter the stack's environment, unless the options name everything."""
    if not choice.explicit:
        enter(choice.stack or DEFAULT_STACK, report)


def resolve(choice: Choice, report: Callable[[str], None]) -> Target:
    """Find the resources to work on, and enter their environment.

    Raises:
        ScriptError: the stack is not up, or has no such store
    """
    enter_for(choice, report)
    found = None if choice.explicit else outputs(choice.stack or DEFAULT_STACK)
    return target(choice, found)
