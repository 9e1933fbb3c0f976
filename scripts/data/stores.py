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
    if choice.project or choice.location or choice.dataset:
        raise UsageError(
            f"Of a stack, --store alone chooses the {type_.title}.",
            "For a store outside of the stack, add --project, --location, --dataset and --store, "
            "and leave out --stack.",
        )
    stores = type_.of(stack.outputs(name))
    wanted = choice.store or next(iter(stores), "")
    if wanted not in stores:
        listed = f"Its {type_.title}s: {', '.join(stores) or 'none'}."
        missing = f"{type_.title} {wanted!r}" if wanted else type_.title
        raise UsageError(f"Stack {name!r} has no {missing}.", listed)
    return stores[wanted]
