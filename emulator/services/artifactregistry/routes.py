"""Paths of Artifact Registry (https://cloud.google.com/artifact-registry/docs/reference/rest)."""

from collections.abc import Iterator
from functools import partial

from starlette.routing import Route

from emulator.core import rest
from emulator.services.artifactregistry import responses
from emulator.services.artifactregistry.service import COLLECTION, ArtifactRegistry
from emulator.services.iam.responses import policy_routes

_LOCATION = "/projects/{project}/locations/{location}"
_REPOSITORIES = f"{_LOCATION}/{COLLECTION}"
_REPOSITORY = f"{_REPOSITORIES}/{{repository:id}}"


def routes(registry: ArtifactRegistry) -> Iterator[Route]:
    """Yield every route of the service."""
    route = partial(rest.routes, registry)
    yield from policy_routes(
        registry.iam,
        registry,
        _REPOSITORY,
        responses.repository_name,
        responses.exists,
        "artifactregistry",
    )
    yield from route("POST", _REPOSITORIES, responses.create)
    yield from route("GET", _REPOSITORIES, responses.list_repositories)
    yield from route("GET", _REPOSITORY, responses.get)
    yield from route("PATCH", _REPOSITORY, responses.patch)
    yield from route("DELETE", _REPOSITORY, responses.delete)
    yield from route("GET", f"{_REPOSITORY}/dockerImages", responses.list_docker_images)
    yield from route("GET", f"{_LOCATION}/operations/{{operation:id}}", responses.get_operation)
