"""Roles on the project for people, groups and workloads."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_gcp import projects

from components import rules
from components.base import Component, require
from components.grants import GrantArgs, memberships


@dataclass(frozen=True)
class ProjectMembersArgs:
    """Arguments of `ProjectMembers`.

    Attributes:
        project: The id of the project.
        grants: Who gets which role.
    """

    project: pulumi.Input[str]
    grants: Sequence[GrantArgs]

    def __post_init__(self) -> None:
        require("ProjectMembersArgs", "project", self.project, rules.project)
        list(memberships(self.grants, "ProjectMembersArgs.grants"))


class ProjectMembers(Component):
    """Roles on the project, beside those of other members.

    Inputs: see `ProjectMembersArgs`.

    Outputs: none.
    """

    def __init__(
        self,
        name: str,
        args: ProjectMembersArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, opts)
        for membership in memberships(args.grants, name):
            projects.IAMMember(
                f"{name}-{membership.suffix}",
                project=args.project,
                role=membership.role,
                member=membership.member,
                condition=membership.condition,  # type: ignore[arg-type]
                opts=self._child(),
            )
        self.register_outputs({})
