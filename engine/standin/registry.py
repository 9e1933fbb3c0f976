"""Finds the row of a resource type; a service's table is read when a program first names it."""

from collections.abc import Iterator
from functools import cache
from importlib import import_module

from engine.standin.resource import Resource

SERVICES = ("bigquery", "healthcare", "kms", "projects", "pubsub", "storage")


def find(token: str) -> Resource | None:
    """The row of a type such as `gcp:healthcare/dataset:Dataset`, or None."""
    module = token.removeprefix("gcp:").partition("/")[0]
    return _table(module).get(token) if module in SERVICES else None


def rows() -> Iterator[Resource]:
    """Every row, by service."""
    for service in SERVICES:
        yield from _table(service).values()


@cache
def _table(service: str) -> dict[str, Resource]:
    found: tuple[Resource, ...] = import_module(f"engine.standin.tables.{service}").ROWS
    return {row.pulumi_type: row for row in found}
