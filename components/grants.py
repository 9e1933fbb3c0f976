"""Roles for members, each added to what others hold.

Every grant is a single membership. Authoritative bindings and policies are deliberately absent:
they would take the role from other members.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from components import rules
from components.base import ArgumentError, require
from components.rules import google_provider


@dataclass(frozen=True)
class ConditionArgs:
    """When a grant holds: an IAM condition.

    Attributes:
        title: What the condition is called.
        expression: The condition in the Common Expression Language.
        description: What it is for.
    """

    title: str
    expression: str
    description: str | None = None

    def as_inputs(self) -> dict[str, str]:
        """Return the condition as the Google provider's resources take it."""
        fields = {"title": self.title, "expression": self.expression}
        return fields if self.description is None else {**fields, "description": self.description}


@dataclass(frozen=True)
class GrantArgs:
    """One role for some members.

    Attributes:
        role: The full name of the role.
        members: Who gets it, as IAM writes them: `group:...`, `user:...`, `serviceAccount:...`.
        condition: When it holds; always if None.
    """

    role: str
    members: Sequence[str]
    condition: ConditionArgs | None = None

    def __post_init__(self) -> None:
        require("GrantArgs", "role", self.role, rules.role)
        for member in self.members:
            require("GrantArgs", "members", member, rules.member)


@dataclass(frozen=True)
class Membership:
    """One role for one member. `suffix` ends the logical name of its resource."""

    suffix: str
    role: str
    member: str
    condition: dict[str, str] | None


def memberships(grants: Sequence[GrantArgs], owner: str) -> Iterator[Membership]:
    """Take grants apart into single memberships.

    Args:
        grants: The grants.
        owner: Whose grants they are, for the message.

    Raises:
        ArgumentError: A membership is given twice.
    """
    seen: set[str] = set()
    for grant in grants:
        condition = None if grant.condition is None else grant.condition.as_inputs()
        for member in grant.members:
            suffix = f"{short(grant.role)}-{member}"
            if grant.condition is not None:
                suffix += f"-{grant.condition.title}"
            if suffix in seen:
                raise ArgumentError(f"{owner}: {grant.role} for {member} is given twice")
            seen.add(suffix)
            yield Membership(suffix, grant.role, member, condition)


def refuse_conditions(grants: Sequence[GrantArgs], owner: str) -> None:
    """Refuse conditional grants on Healthcare datasets and stores, where they can't work.

    Args:
        grants: the grants
        owner: whose grants they are, for the message

    Raises:
        ArgumentError: a grant has a condition
    """
    for grant in grants:
        if grant.condition is not None:
            raise ArgumentError(f"{owner}: the condition {google_provider.NO_CONDITION}")


def short(role: str) -> str:
    """Return a role as part of a logical name."""
    return role.removeprefix("roles/").replace("/", "-")
