"""Registry of resource types. A service's module is imported when a program first names a type."""

from collections.abc import Iterable, Iterator
from functools import cache
from importlib import import_module

from engine.standin.resource import ResourceType

SERVICES = (
    "artifactregistry",
    "bigquery",
    "cloudrunv2",
    "compute",
    "healthcare",
    "iap",
    "kms",
    "logging",
    "monitoring",
    "projects",
    "pubsub",
    "secretmanager",
    "serviceaccount",
    "storage",
)


def find(token: str) -> ResourceType | None:
    """Return a type such as `gcp:healthcare/dataset:Dataset`, or None."""
    module = token.removeprefix("gcp:").partition("/")[0]
    return _table(module).get(token) if module in SERVICES else None


def of_module(module: str) -> Iterable[ResourceType]:
    """Return the types of a module of the provider, such as `storage`."""
    return _table(module).values() if module in SERVICES else ()


def resource_types() -> Iterator[ResourceType]:
    """Every type_, by service."""
    for service in SERVICES:
        yield from _table(service).values()


@cache
def _table(service: str) -> dict[str, ResourceType]:
    found: tuple[ResourceType, ...] = import_module(
        f"engine.standin.resource_types.{service}"
    ).RESOURCE_TYPES
    return {type_.pulumi_type: type_ for type_ in found}
