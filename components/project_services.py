"""The Google Cloud services of a project, and the identity of its Healthcare service agent."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_gcp import projects

from components import rules
from components.base import ArgumentError, Component, require

HEALTHCARE = "healthcare.googleapis.com"

_AGENT = re.compile(r"service-([0-9]+)@gcp-sa-healthcare\.iam\.gserviceaccount\.com")


@dataclass(frozen=True)
class ProjectServicesArgs:
    """Arguments of `ProjectServices`.

    Attributes:
        project: The id of the project.
        services: The services to enable, such as `bigquery.googleapis.com`; the Healthcare API
            among them, unless it is enabled elsewhere and named in the component's `depends_on`.
        identities: Services beside the Healthcare API whose agents to bring into being.
    """

    project: pulumi.Input[str]
    services: Sequence[str] = (HEALTHCARE,)
    identities: Sequence[str] = ()

    def __post_init__(self) -> None:
        require("ProjectServicesArgs", "project", self.project, rules.project)
        for service in (*self.services, *self.identities):
            require("ProjectServicesArgs", "services", service, rules.service)
        for _, service, _ in rules.repeated(self.services):
            raise ArgumentError(f'ProjectServicesArgs.services: "{service}" is given twice')


class ProjectServices(Component):
    """Enables services and brings the Healthcare service agent into being.

    The agent does not exist before the Healthcare API is enabled and first used; grants to it fail
    until then. Its identity is a resource, created after the services, so that every grant to
    `service_agent_member` follows it.

    The services stay enabled when the stack is destroyed: others in the project may use them.

    Inputs: see `ProjectServicesArgs`.

    Outputs:
        service_agent_email: `service-NUMBER@gcp-sa-healthcare.iam.gserviceaccount.com`.
        service_agent_member: The same as IAM writes it, `serviceAccount:...`.
        agent_members: Service -> its agent as IAM writes it, for the Healthcare API and every
            other one asked for.
        project_number: The number of the project.
    """

    service_agent_email: pulumi.Output[str]
    service_agent_member: pulumi.Output[str]
    agent_members: dict[str, pulumi.Output[str]]
    project_number: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        args: ProjectServicesArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, opts)
        services = [
            projects.Service(
                f"{name}-{service.removesuffix('.googleapis.com')}",
                project=args.project,
                service=service,
                disable_on_destroy=False,
                opts=self._child(),
            )
            for service in args.services
        ]
        agents = {
            service: projects.ServiceIdentity(
                f"{name}-{service.removesuffix('.googleapis.com')}-agent",
                project=args.project,
                service=service,
                opts=self._child(depends_on=services),
            )
            for service in (HEALTHCARE, *args.identities)
        }
        identity = agents[HEALTHCARE]
        self.agent_members = {service: agent.member for service, agent in agents.items()}
        self.service_agent_email = identity.email
        self.service_agent_member = identity.member
        # The agent's address carries the project's number. The provider's data source of projects
        # would also ask Cloud Billing, a service and a permission that nothing else here needs.
        self.project_number = identity.email.apply(_project_number)
        self.register_outputs(
            {
                "serviceAgentEmail": self.service_agent_email,
                "serviceAgentMember": self.service_agent_member,
                "projectNumber": self.project_number,
            }
        )


def _project_number(email: str) -> str:
    match = _AGENT.fullmatch(email)
    if match is None:
        raise ArgumentError(
            f'"{email}" is not the address of a Healthcare service agent, '
            "service-NUMBER@gcp-sa-healthcare.iam.gserviceaccount.com: is the Healthcare API "
            "enabled in the project?"
        )
    return match.group(1)
