"""A side of an adapter: its container, and the roles of its service account.

The account has no role on the project but that of writing logs, which no narrower resource has.
"""

# Unevaluated, the annotations load nothing of the provider for programs without adapters.
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
from pulumi_gcp import artifactregistry, projects, secretmanager

from components import propagation, rules
from components.adapters.arguments import AdapterArgs, TlsArgs

LOG_WRITER = "roles/logging.logWriter"
"""Logs belong to the project: there is nothing narrower to grant it on."""
IMAGE_READER = "roles/artifactregistry.reader"
SECRET_READER = "roles/secretmanager.secretAccessor"  # noqa: S105 (the name of a role)

Child = Callable[..., pulumi.ResourceOptions]
"""Makes the options of a child of the component."""
GrantOnStore = Callable[[str, pulumi.Input[str], pulumi.ResourceOptions], pulumi.Resource]
"""Gives a member its role on the store, by logical name, member and options."""


@dataclass(frozen=True)
class Side:
    """One side of an adapter.

    Attributes:
        protocol: dimse or mllp
        arguments: of the container's entry point; the full name of the store may be an output
        grant_on_store: gives the account its role on the store
        environment: of the container
        tls: the files that it reads
    """

    protocol: str
    arguments: Sequence[pulumi.Input[str]]
    grant_on_store: GrantOnStore
    environment: Mapping[str, str] = field(default_factory=dict)
    tls: Sequence[TlsArgs] = ()


def options(values: Mapping[str, str | None]) -> list[str]:
    """Return the options of a command that have values."""
    return [word for option, value in values.items() if value for word in (option, value)]


def resource_name(side: Side, args: AdapterArgs) -> str:
    """Return the name of the adapter's resources in Google Cloud."""
    return f"{side.protocol}-{args.adapter}"


def grant_roles(
    logical: str, side: Side, member: pulumi.Input[str], child: Child
) -> list[pulumi.Resource]:
    """Let an account use the store and read the secrets of TLS."""
    after_account = child(hooks=propagation.after_accounts())
    granted = [side.grant_on_store(f"{logical}-store", member, after_account)]
    secrets = {rules.secret_of(version): None for tls in side.tls for version in tls.secrets()}
    for project, secret in secrets:
        granted.append(
            secretmanager.SecretIamMember(
                f"{logical}-secret-{secret}",
                project=project,
                secret_id=secret,
                role=SECRET_READER,
                member=member,
                opts=after_account,
            )
        )
    return granted


def grant_on_instances(
    logical: str, args: AdapterArgs, member: pulumi.Input[str], child: Child
) -> list[pulumi.Resource]:
    """Let the account of instances write logs and pull the image.

    Cloud Run needs neither: it does both with an account of its own.
    """
    after_account = child(hooks=propagation.after_accounts())
    granted: list[pulumi.Resource] = [
        projects.IAMMember(
            f"{logical}-logs",
            project=args.project,
            role=LOG_WRITER,
            member=member,
            opts=after_account,
        )
    ]
    registry = rules.registry_of(args.image)
    if registry is not None:
        location, project, repository = registry
        granted.append(
            artifactregistry.RepositoryIamMember(
                f"{logical}-image",
                project=project,
                location=location,
                repository=repository,
                role=IMAGE_READER,
                member=member,
                opts=after_account,
            )
        )
    return granted
