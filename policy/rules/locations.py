"""Where data may be kept, and that it is kept together."""

import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Any

from policy import kinds
from policy.model import UNKNOWN, Config, Finding, Resource
from policy.properties import look

BIGQUERY_DEFAULT = "US"
"""Where BigQuery puts a dataset that names no location."""
_NOWHERE = "global"
"""The location of what is kept in no place, such as identity pools."""
_PLACES = (
    ("location",),
    ("region",),
    ("zone",),
    ("customPlacementConfig", "dataLocations"),  # the two halves of a dual-region bucket
    ("messageStoragePolicy", "allowedPersistenceRegions"),  # where a topic keeps messages
)
_ZONE = re.compile(r"(.+)-[a-z]")


def allowed(resource: Resource, config: Config) -> Iterator[Finding]:
    """Every place that a resource names is in the list; unknown ones wait for the update."""
    if not resource.type.startswith("gcp:"):
        return
    listed = ", ".join(config["locations"])
    for key, place in _places(resource):
        if not any(fnmatchcase(place.lower(), item.lower()) for item in config["locations"]):
            yield Finding(f'{key} "{place}" is not allowed; allowed: {listed or "none"}')


def _places(resource: Resource) -> Iterator[tuple[str, str]]:
    if resource.type == kinds.BIGQUERY_DATASET and look(resource.props, "location") is None:
        yield "location (none is given, so BigQuery takes)", BIGQUERY_DEFAULT
    for path in _PLACES:
        value = look(resource.props, *path)
        for place in value if isinstance(value, list | tuple) else [value]:
            if isinstance(place, str) and place not in ("", _NOWHERE):
                zone = _ZONE.fullmatch(place) if path == ("zone",) else None
                yield ".".join(path), zone.group(1) if zone else place


def together(resources: Sequence[Resource], config: Config) -> Iterator[Finding]:  # noqa: ARG001
    """Every BigQuery dataset, and every further Healthcare dataset, is where the first one is."""
    healthcare = [item for item in resources if item.type == kinds.HEALTHCARE_DATASET]
    warehouses = [item for item in resources if item.type == kinds.BIGQUERY_DATASET]
    placed = [(item, _place(item)) for item in healthcare]
    known = [(item, place) for item, place in placed if isinstance(place, str)]
    if not known:
        return
    home, first = known[0]
    others = known[1:] + [(item, _place(item)) for item in warehouses]
    for item, place in others:
        if isinstance(place, str) and place.lower() != first.lower():
            yield Finding(
                f'location "{place}", but Healthcare dataset "{home.name}" is in "{first}"', item
            )


def _place(dataset: Resource) -> Any:
    place = look(dataset.props, "location")
    if place is UNKNOWN or place or dataset.type != kinds.BIGQUERY_DATASET:
        return place
    return BIGQUERY_DEFAULT
