"""Settings of access: roles of people, groups and workloads, added to what others hold."""

from typing import Annotated

from pydantic import Field

from components.settings.model import Member, Model, Role


class ConditionSettings(Model):
    """When a grant holds, as an IAM condition."""

    title: Annotated[str, Field(min_length=1, max_length=100)]
    """What the condition is called."""
    expression: Annotated[str, Field(min_length=1)]
    """The condition in the Common Expression Language."""
    description: str | None = None
    """What it is for."""


class GrantSettings(Model):
    """One role for some members. It never takes the role from anyone else."""

    role: Role
    """The full name of the role."""
    members: Annotated[list[Member], Field(min_length=1)]
    """Who gets it, as IAM writes them: `group:...`, `user:...`, `serviceAccount:...`."""
    condition: ConditionSettings | None = None
    """When the grant holds; always if not given."""
