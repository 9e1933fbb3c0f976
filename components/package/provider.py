"""Makes the components for programs that ask for them by the package's schema."""

import json
from collections.abc import Mapping
from importlib import metadata
from typing import Any

import pulumi
from pulumi.provider import ConstructResult, Provider

from components import reference
from components.base import PACKAGE, ArgumentError
from components.package.inputs import build, state_of
from components.package.schema import NAME, package

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
        pulumi.InputPropertyError: From `construct`, for inputs that can't be used.
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
            raise pulumi.InputPropertyError(name, str(error)) from error
        return ConstructResult(made.urn, state_of(made))
