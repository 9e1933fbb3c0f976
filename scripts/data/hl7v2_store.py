"""The HL7v2 store that a script works on."""

from scripts.lib import stack
from scripts.lib.cli import Output
from scripts.lib.errors import UsageError
from scripts.lib.options import DEFAULT_STACK, Choice


def resolve(choice: Choice, output: Output) -> str:
    """Return the full name of the HL7v2 store that the options mean.

    Raises:
        ScriptError: the stack is not up, or has no such store
    """
    stack.enter_for(choice, output.report)
    if choice.explicit:
        parent = f"projects/{choice.project}/locations/{choice.location}"
        return f"{parent}/datasets/{choice.dataset}/hl7V2Stores/{choice.store}"
    name = choice.stack or DEFAULT_STACK
    if choice.project or choice.location or choice.dataset:
        raise UsageError(
            "Of a stack, --store alone chooses the HL7v2 store.",
            "For a store outside of the stack, add --project, --location, --dataset and --store, "
            "and leave out --stack.",
        )
    stores = stack.outputs(name).hl7v2_stores
    wanted = choice.store or next(iter(stores), "")
    if wanted not in stores:
        listed = f"Its HL7v2 stores: {', '.join(stores) or 'none'}."
        raise UsageError(f"Stack {name!r} has no HL7v2 store {wanted!r}.", listed)
    return stores[wanted]
