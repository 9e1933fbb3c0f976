"""Provider of the components, for programs that use the package's schema."""

import json
from collections.abc import Mapping
from importlib import metadata
from typing import Any

import pulumi
from pulumi.provider import ConstructResult, Provider

from components import reference
from components.base import ArgumentError
from components.package.inputs import build, state_of
from components.package.schema import NAME, component_of, package


def version() -> str:
    """Return the version of the package; 0.0.0 in a checkout that is not installed."""
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
        component_class = component_of(resource_type)
        try:
            args = build(reference.COMPONENTS[component_class][0], inputs, component_class.__name__)
            component = component_class(name, args, options)  # type: ignore[call-arg]
        except ArgumentError as error:
            # The engine shows this error as one of the program's inputs, without a traceback.
            raise pulumi.InputPropertyError(name, str(error)) from error
        return ConstructResult(component.urn, state_of(component))
