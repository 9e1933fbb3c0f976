"""Where data may be kept, and that it is kept together."""

import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Any

from policy import resource_types
from policy.model import UNKNOWN, Config, Finding, Resource
from policy.properties import look

BIGQUERY_DEFAULT = "US"
"""Where BigQuery puts a dataset that names no location."""
_NOWHERE = "global"
"""The location of what is kept in no location, such as identity pools."""
_LOCATION_PROPERTIES = (
    ("location",),
    ("region",),
    ("zone",),
    ("customPlacementConfig", "dataLocations"),  # the two halves of a dual-region bucket
    ("messageStoragePolicy", "allowedPersistenceRegions"),  # where a topic keeps messages
)
_ZONE = re.compile(r"(.+)-[a-z]")


def allowed(resource: Resource, config: Config) -> Iterator[Finding]:
    """Every location that a resource names is in the list; unknown ones wait for the update."""
    if not resource.type.startswith("gcp:") or not config["locations"]:
        return
    listed = ", ".join(config["locations"])
    source = config["source"]
    hint = f"Choose an allowed location, or add this one to {source}." if source else None
    for key, location in _locations(resource):
        if not any(fnmatchcase(location.lower(), item.lower()) for item in config["locations"]):
            yield Finding(f'{key} "{location}" is not allowed; allowed: {listed}', hint=hint)


def _locations(resource: Resource) -> Iterator[tuple[str, str]]:
    if (
        resource.type == resource_types.BIGQUERY_DATASET
        and look(resource.props, "location") is None
    ):
        yield "location (none is given, so BigQuery takes)", BIGQUERY_DEFAULT
    for path in _LOCATION_PROPERTIES:
        value = look(resource.props, *path)
        for location in value if isinstance(value, list | tuple) else [value]:
            if isinstance(location, str) and location not in ("", _NOWHERE):
                zone = _ZONE.fullmatch(location) if path == ("zone",) else None
                yield ".".join(path), zone.group(1) if zone else location


def together(resources: Sequence[Resource], config: Config) -> Iterator[Finding]:  # noqa: ARG001
    """Every BigQuery dataset, and every further Healthcare dataset, is where the first one is."""
    healthcare = [item for item in resources if item.type == resource_types.HEALTHCARE_DATASET]
    bigquery_datasets = [item for item in resources if item.type == resource_types.BIGQUERY_DATASET]
    located = [(item, _location(item)) for item in healthcare]
    known = [(item, location) for item, location in located if isinstance(location, str)]
    if not known:
        return
    home, first = known[0]
    others = known[1:] + [(item, _location(item)) for item in bigquery_datasets]
    for item, location in others:
        if isinstance(location, str) and location.lower() != first.lower():
            yield Finding(
                f'location "{location}", but Healthcare dataset "{home.name}" is in "{first}"', item
            )


def _location(dataset: Resource) -> Any:
    location = look(dataset.props, "location")
    if location is UNKNOWN or location or dataset.type != resource_types.BIGQUERY_DATASET:
        return location
    return BIGQUERY_DEFAULT
