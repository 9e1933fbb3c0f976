"""The project roles of the Healthcare service agent."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_gcp import projects

from components import rules
from components.base import ArgumentError, Component, require


@dataclass(frozen=True)
class ServiceAgentRolesArgs:
    """Arguments of `ServiceAgentRoles`.

    Attributes:
        project: The id of the project.
        member: The agent as IAM writes it, `serviceAccount:...`.
        roles: Full names of roles, such as `roles/storage.objectAdmin`.
    """

    project: pulumi.Input[str]
    member: pulumi.Input[str]
    roles: Sequence[str]

    def __post_init__(self) -> None:
        require("ServiceAgentRolesArgs", "project", self.project, rules.project)
        require("ServiceAgentRolesArgs", "member", self.member, rules.member)
        for role in self.roles:
            require("ServiceAgentRolesArgs", "roles", role, rules.role)
        for _, role, _ in rules.repeated(self.roles):
            raise ArgumentError(f'ServiceAgentRolesArgs.roles: "{role}" is given twice')


class ServiceAgentRoles(Component):
    """Roles on the project for one member.

    Each role is a single membership, added to whatever the project's policy holds. Authoritative
    bindings and policies are deliberately absent: they would take the role from other members.

    Inputs: see `ServiceAgentRolesArgs`.

    Outputs:
        roles: The roles, once they are granted.
    """

    roles: pulumi.Output[list[str]]

    def __init__(
        self,
        name: str,
        args: ServiceAgentRolesArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, opts)
        grants = [
            projects.IAMMember(
                f"{name}-{role.removeprefix('roles/').replace('/', '-')}",
                project=args.project,
                role=role,
                member=args.member,
                opts=self._child(),
            )
            for role in args.roles
        ]
        self.roles = pulumi.Output.all(*[grant.role for grant in grants]).apply(list)
        self.register_outputs({"roles": self.roles})
