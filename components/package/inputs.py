"""From inputs by the schema's names to the components' arguments, and from outputs back."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, get_args

from components import reference
from components.base import ArgumentError, Component
from components.package.schema import camel


def build(cls: type, inputs: Mapping[str, Any], owner: str) -> Any:
    """Make one of our classes of arguments out of inputs by the schema's names.

    Args:
        cls: The class.
        inputs: Name as in the schema -> value. Objects of the Google provider's own types are
            passed on as they are: the provider knows their names.
        owner: What the inputs belong to, for the message.

    Raises:
        ArgumentError: An input is missing or unknown.
    """
    fields = {camel(field.name): field for field in dataclasses.fields(cls)}
    unknown = sorted(set(inputs) - set(fields))
    missing = [
        name
        for name, field in fields.items()
        if inputs.get(name) is None
        and field.default is field.default_factory is dataclasses.MISSING
    ]
    if unknown or missing:
        problems = [f"unknown: {', '.join(unknown)}"] if unknown else []
        problems += [f"missing: {', '.join(missing)}"] if missing else []
        raise ArgumentError(f"{owner}: {'; '.join(problems)}. Inputs: {', '.join(fields)}.")
    hints = reference.annotations_of(cls)
    return cls(
        **{
            fields[name].name: _value(hints[fields[name].name], value, f"{owner}.{name}")
            for name, value in inputs.items()
            if value is not None
        }
    )


def _value(annotation: Any, value: Any, owner: str) -> Any:
    """Return a value whose parts of our own classes are built, however deep."""
    ours = _ours(annotation)
    if ours is None:
        return value
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [build(ours, item, f"{owner}[{index}]") for index, item in enumerate(value)]
    return build(ours, value, owner)


def _ours(annotation: Any) -> type | None:
    """Return the class of ours inside an annotation, if there is one."""
    if dataclasses.is_dataclass(annotation) and isinstance(annotation, type):
        return annotation
    inner = (_ours(part) for part in get_args(annotation))
    return next((part for part in inner if part is not None), None)


def state_of(component: Component) -> dict[str, Any]:
    """Return the outputs of a component by the schema's names."""
    return {camel(name): getattr(component, name) for name in reference.outputs_of(type(component))}
