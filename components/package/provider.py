"""Makes the components for programs that ask for them by the package's schema."""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from importlib import metadata
from typing import Any, get_args

import pulumi
from pulumi.provider import ConstructResult, Provider

from components import reference
from components.base import PACKAGE, ArgumentError, Component
from components.package.schema import NAME, camel, package

_BY_TOKEN = {f"{PACKAGE}:{component.__name__}": component for component in reference.COMPONENTS}


def version() -> str:
    """The version of the package; 0.0.0 where it runs from a checkout without being installed."""
    try:
        return metadata.version(NAME)
    except metadata.PackageNotFoundError:
        return "0.0.0"


class ComponentPackage(Provider):
    """Constructs components.

    Raises:
        ArgumentError: From `construct`, for an unknown component.
        pulumi.InputPropertiesError: From `construct`, for inputs that can't be used.
    """

    def __init__(self) -> None:
        super().__init__(version(), json.dumps(package(version())))

    def construct(
        self,
        name: str,
        resource_type: str,
        inputs: Mapping[str, pulumi.Input[Any]],
        options: pulumi.ResourceOptions | None = None,
    ) -> ConstructResult:
        """Make one component of the package."""
        component = _BY_TOKEN.get(resource_type)
        if component is None:
            raise ArgumentError(
                f"{resource_type} is no component of {NAME}. It has: {', '.join(_BY_TOKEN)}."
            )
        try:
            args = build(reference.COMPONENTS[component][0], inputs, component.__name__)
            made = component(name, args, options)  # type: ignore[call-arg]
        except ArgumentError as error:
            # The engine shows this error as one of the program's inputs, without a traceback.
            raise pulumi.InputPropertiesError(str(error)) from error
        return ConstructResult(made.urn, state_of(made))


def build(kind: type, inputs: Mapping[str, Any], owner: str) -> Any:
    """Make one of our classes of arguments out of inputs by the schema's names.

    Args:
        kind: The class.
        inputs: Name as in the schema -> value. Objects of the Google provider's own types are
            passed on as they are: the provider knows their names.
        owner: What the inputs belong to, for the message.

    Raises:
        ArgumentError: An input is missing or unknown.
    """
    fields = {camel(field.name): field for field in dataclasses.fields(kind)}
    unknown = sorted(set(inputs) - set(fields))
    missing = [
        name
        for name, field in fields.items()
        if inputs.get(name) is None
        and field.default is field.default_factory is dataclasses.MISSING
    ]
    if unknown or missing:
        said = [f"unknown: {', '.join(unknown)}"] if unknown else []
        said += [f"missing: {', '.join(missing)}"] if missing else []
        raise ArgumentError(f"{owner}: {'; '.join(said)}. Inputs: {', '.join(fields)}.")
    hints = reference.annotations_of(kind)
    return kind(
        **{
            fields[name].name: _value(hints[fields[name].name], value, f"{owner}.{name}")
            for name, value in inputs.items()
            if value is not None
        }
    )


def _value(annotation: Any, value: Any, owner: str) -> Any:
    """A value whose parts of our own classes are made, however deep."""
    ours = _ours(annotation)
    if ours is None:
        return value
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [build(ours, item, f"{owner}[{place}]") for place, item in enumerate(value)]
    return build(ours, value, owner)


def _ours(annotation: Any) -> type | None:
    """The class of ours inside an annotation, if there is one."""
    if dataclasses.is_dataclass(annotation) and isinstance(annotation, type):
        return annotation
    inner = (_ours(part) for part in get_args(annotation))
    return next((part for part in inner if part is not None), None)


def state_of(made: Component) -> dict[str, Any]:
    """The outputs of a component by the schema's names."""
    return {camel(name): getattr(made, name) for name in reference.outputs_of(type(made))}
