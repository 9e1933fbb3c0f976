"""Settings of access: roles of people, groups and workloads, added to what others hold."""

from typing import Annotated, ClassVar

from pydantic import Field

from components.rules import google_provider
from program.config.model import Member, Model, Role


class ConditionSettings(Model):
    """An IAM condition of a grant."""

    title: Annotated[str, Field(min_length=1, max_length=100)]
    """The title of the condition."""
    expression: Annotated[str, Field(min_length=1)]
    """The condition in the Common Expression Language."""
    description: str | None = None
    """The purpose of the condition."""


class GrantSettings(Model):
    """A role for some members, added to those that have it."""

    refused: ClassVar = {"condition": google_provider.NO_CONDITION}

    role: Role
    """The full name of the role."""
    members: Annotated[list[Member], Field(min_length=1)]
    """The members, as IAM writes them: `group:...`, `user:...`, `serviceAccount:...`."""


class ConditionalGrantSettings(GrantSettings):
    """A role for some members, added to those that have it, always or under a condition."""

    refused: ClassVar = {}

    condition: ConditionSettings | None = None
    """The condition of the grant; none if not given."""
