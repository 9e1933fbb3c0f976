"""The Artifact Registry repository of the adapters' images."""

# Unevaluated, the annotations load nothing of the provider for programs without adapters.
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
from pulumi_gcp import artifactregistry

from components import rules
from components.base import Component, require


@dataclass(frozen=True, kw_only=True)
class AdapterRepositoryArgs:
    """Arguments of `AdapterRepository`.

    Attributes:
        project: The id of the project.
        location: A region, or us, europe or asia. A change replaces it with all its images.
        repository: The id of the repository. A change replaces it with all its images.
        labels: Labels of the repository.
    """

    project: pulumi.Input[str]
    location: pulumi.Input[str]
    repository: str = "adapters"
    labels: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        owner = "AdapterRepositoryArgs"
        require(owner, "project", self.project, rules.project)
        require(owner, "repository", self.repository, rules.repository)


class AdapterRepository(Component):
    """A repository of container images. Push the images before adapters refer to them.

    Inputs: see `AdapterRepositoryArgs`.

    Outputs:
        path: What the names of its images begin with, `LOCATION-docker.pkg.dev/PROJECT/REPOSITORY`.
    """

    path: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        args: AdapterRepositoryArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, opts)
        repository = artifactregistry.Repository(
            name,
            project=args.project,
            location=args.location,
            repository_id=args.repository,
            format="DOCKER",
            description="Images of the adapters",
            labels=args.labels,
            opts=self._child(),
        )
        self.path = path_of(repository)
        self.register_outputs({"path": self.path})


def path_of(repository: artifactregistry.Repository) -> pulumi.Output[str]:
    """Return what the names of a repository's images begin with."""
    return pulumi.Output.concat(
        repository.location,
        "-docker.pkg.dev/",
        repository.project,
        "/",
        repository.repository_id,
    )
