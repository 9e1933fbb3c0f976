"""The HL7v2 or FHIR store that a script works on."""

from collections.abc import Callable
from dataclasses import dataclass

from scripts.lib import stack
from scripts.lib.cli import Output
from scripts.lib.errors import UsageError
from scripts.lib.options import DEFAULT_STACK, Choice
from scripts.lib.stack_outputs import Outputs


@dataclass(frozen=True)
class StoreType:
    """A type of stores.

    Attributes:
        title: of a store, for messages
        collection: the part of its full name before its id
        item: a unit of its contents, for messages
        of: the stores of a stack, short id -> full name
    """

    title: str
    collection: str
    item: str
    of: Callable[[Outputs], dict[str, str]]


HL7V2 = StoreType("HL7v2 store", "hl7V2Stores", "message", lambda found: found.hl7v2_stores)
FHIR = StoreType("FHIR store", "fhirStores", "resource", lambda found: found.fhir_stores)

_OUTSIDE_HINT = (
    "For a store outside of the stack, add --project, --location, --dataset and --store, "
    "and leave out --stack."
)


def resolve(type_: StoreType, choice: Choice, output: Output) -> str:
    """Return the full name of the store that the options mean.

    Raises:
        ScriptError: the stack is not up, or has no such store
    """
    stack.enter_for(choice, output.report)
    if choice.explicit:
        parent = f"projects/{choice.project}/locations/{choice.location}"
        return f"{parent}/datasets/{choice.dataset}/{type_.collection}/{choice.store}"
    name = choice.stack or DEFAULT_STACK
    if choice.project or choice.location:
        raise UsageError(
            f"Of a stack, --dataset and --store alone choose the {type_.title}.", _OUTSIDE_HINT
        )
    found = stack.outputs(name)
    owner, stores = _stores_of(type_, choice, name, found)
    wanted = choice.store or next(iter(stores), "")
    if wanted not in stores:
        listed = f"Its {type_.title}s: {', '.join(stores) or 'none'}."
        missing = f"{type_.title} {wanted!r}" if wanted else type_.title
        raise UsageError(f"{owner} has no {missing}.", listed)
    return stores[wanted]


def _stores_of(
    type_: StoreType, choice: Choice, name: str, found: Outputs
) -> tuple[str, dict[str, str]]:
    """Return the owner of the stores to choose from, for messages, and the stores by short id.

    Raises:
        UsageError: the stack has no such dataset
    """
    if choice.dataset is None:
        return f"Stack {name!r}", type_.of(found)
    dataset = stack.dataset_name(choice, found)
    if dataset is None:
        known = ", ".join(found.datasets)
        raise UsageError(
            f"Stack {name!r} has no dataset {choice.dataset!r}. Its datasets: {known}.",
            _OUTSIDE_HINT,
        )
    owner = f"Dataset {dataset!r} of stack {name!r}"
    if found.datasets[dataset].name == found.dataset:
        return owner, type_.of(found)
    full_names = found.datasets[dataset].stores
    marker = f"/{type_.collection}/"
    return owner, {full.rpartition("/")[2]: full for full in full_names if marker in full}
