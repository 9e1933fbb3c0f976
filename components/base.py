"""What all components share: their type token's package, their children's options, their error."""

from collections.abc import Callable

import pulumi

PACKAGE = "gcp-healthcare-dicom:index"
"""The first two parts of every component's type token."""


class ArgumentError(pulumi.RunError):
    """An argument of a component can't be used; raised before any resource of it exists."""


class Component(pulumi.ComponentResource):
    """A component whose children wait for what the component was told to wait for.

    The engine orders a component's children by their own dependencies only, on destroy above all.
    So `depends_on` of the component's options is handed on to each child; every other option of
    the caller belongs to the component alone, and children inherit what Pulumi lets them inherit.
    """

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(f"{PACKAGE}:{type(self).__name__}", name, None, opts)
        self._waits_for = opts.depends_on if opts is not None else None

    def _child(self, **options: object) -> pulumi.ResourceOptions:
        """Options of a child; `depends_on` adds to what the component waits for."""
        inherited = pulumi.ResourceOptions(parent=self, depends_on=self._waits_for)
        return pulumi.ResourceOptions.merge(
            inherited,
            pulumi.ResourceOptions(**options),  # type: ignore[arg-type]
        )

    def _grandchild(self, **options: object) -> pulumi.ResourceOptions:
        """Options of a child that refers to another one, and so waits for all that one waits for.

        Naming every dependency again, for each of hundreds of stores, would cost more time than
        all the rest of the program.
        """
        return pulumi.ResourceOptions(parent=self, **options)  # type: ignore[arg-type]


def require(owner: str, argument: str, value: object, rule: Callable[[str], str | None]) -> None:
    """Check an argument that is known already; one that comes out of a resource passes.

    Args:
        owner: The class of the arguments, for the message.
        argument: The argument's name, for the message.
        value: The value. Only texts are checked: an output is known too late.
        rule: One of `components.rules`.

    Raises:
        ArgumentError: The rule complains.
    """
    complaint = rule(value) if isinstance(value, str) else None
    if complaint is not None:
        raise ArgumentError(f'{owner}.{argument}: "{value}" {complaint}')
