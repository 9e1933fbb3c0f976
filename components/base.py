"""The base of all components: type token, options of children, errors."""

from collections.abc import Callable
from typing import ClassVar

import pulumi

from components import propagation

PACKAGE = "gcp-healthcare-dicom:index"
"""The first two parts of every component's type token."""


class ArgumentError(pulumi.RunError):
    """An argument of a component can't be used; raised before any resource of it exists."""


class Component(pulumi.ComponentResource):
    """A component whose children wait for the component's own dependencies.

    The engine orders a component's children by their own dependencies only, on destroy above all.
    So `depends_on` of the component's options is handed on to each child; every other option of
    the caller belongs to the component alone, and children inherit what Pulumi lets them inherit.

    Attributes:
        former_name: of the class in earlier versions, if it was another; stacks of these hold it
    """

    former_name: ClassVar[str | None] = None

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        aliases = [pulumi.Alias(type_=token) for token in former_tokens(type(self))]
        super().__init__(
            token_of(type(self)),
            name,
            None,
            pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(aliases=aliases)),
        )
        self._waits_for = opts.depends_on if opts is not None else None

    def _child(self, **options: object) -> pulumi.ResourceOptions:
        """Options of a child; `depends_on` adds to what the component waits for."""
        inherited = pulumi.ResourceOptions(parent=self, depends_on=self._waits_for)
        options = {"hooks": propagation.hooks(), **options}
        return pulumi.ResourceOptions.merge(
            inherited,
            pulumi.ResourceOptions(**options),  # type: ignore[arg-type]
        )

    def _grandchild(self, **options: object) -> pulumi.ResourceOptions:
        """Options of a child that refers to another one, and so waits for all that one waits for.

        Naming every dependency again, for each of hundreds of stores, would cost more time than
        all the rest of the program.
        """
        options = {"hooks": propagation.hooks(), **options}
        return pulumi.ResourceOptions(parent=self, **options)  # type: ignore[arg-type]


def token_of(component: type[Component]) -> str:
    """Return the type token of a component."""
    return f"{PACKAGE}:{component.__name__}"


def former_tokens(component: type[Component]) -> list[str]:
    """Return the type tokens that a component had in earlier versions."""
    return [f"{PACKAGE}:{component.former_name}"] if component.former_name else []


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
    message = rule(value) if isinstance(value, str) else None
    if message is not None:
        raise ArgumentError(f'{owner}.{argument}: "{value}" {message}')


def require_each(args: object, /, **rules: Callable[[str], str | None]) -> None:
    """Check arguments, each by the rule of its name, in this order; see `require`.

    Args:
        args: The arguments of a component, whose class the message names.
        rules: Name of an argument -> one of `components.rules`.

    Raises:
        ArgumentError: A rule complains.
    """
    for name, rule in rules.items():
        require(type(args).__name__, name, getattr(args, name), rule)
