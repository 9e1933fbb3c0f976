"""Answers about what Google provides: projects, regions, zones, images of the instances' OS."""

import zlib
from dataclasses import replace
from typing import Any

from emulator.core.rest import Call
from emulator.services.compute import locations
from emulator.services.compute.errors import not_found
from emulator.services.compute.names import link
from emulator.services.compute.responses import location_of, page
from emulator.services.compute.service import Compute
from emulator.services.iam_api.default_account import default_address

_CREATED = "1969-12-31T16:00:00.000-08:00"
"""When Google says that regions and zones were made (observed)."""

_QUOTAS = {
    "CPUS": 72,
    "DISKS_TOTAL_GB": 40_960,
    "IN_USE_ADDRESSES": 69,
    "INSTANCES": 720,
    "INSTANCE_GROUP_MANAGERS": 200,
    "REGIONAL_INSTANCE_GROUP_MANAGERS": 200,
}
"""Quotas of a region -> their limits.

Each project has its own on Google Cloud: these are some of a small one. Nothing here is counted.
"""

IMAGES = "cos-cloud"
"""The project of the images, which every caller may read."""
_IMAGE_PREFIX, _IMAGE_SUFFIX = "cos-", "-local"

Json = dict[str, Any]


def get_project(call: Call[Compute]) -> Json:
    """Return the project."""
    project = call.service.enter(call.path["project"])
    number = call.service.projects.projects.number_of(project)
    return {
        "kind": "compute#project",
        "id": number,
        "name": project,
        "creationTimestamp": _CREATED,
        "commonInstanceMetadata": {"kind": "compute#metadata"},
        "defaultNetworkTier": "PREMIUM",
        "defaultServiceAccount": default_address(number),
        "selfLink": link(f"projects/{project}"),
        "xpnProjectStatus": "UNSPECIFIED_XPN_PROJECT_STATUS",
    }


def get_region(call: Call[Compute]) -> Json:
    """Return a region."""
    project, location = location_of(call, "regions")
    return _region(project, location.partition("/")[2])


def list_regions(call: Call[Compute]) -> Json:
    """Return a page of all regions."""
    project = call.service.enter(call.path["project"])
    items = [_region(project, region) for region in locations.REGIONS]
    return _listed(call, project, "region", items)


def get_zone(call: Call[Compute]) -> Json:
    """Return a zone."""
    project, location = location_of(call, "zones")
    return _zone(project, location.partition("/")[2])


def list_zones(call: Call[Compute]) -> Json:
    """Return a page of all zones."""
    project = call.service.enter(call.path["project"])
    items = [_zone(project, zone) for zone in locations.zones()]
    return _listed(call, project, "zone", items)


def get_image(call: Call[Compute]) -> Json:
    """Return an image of Container-Optimized OS, the only one that instances are made of here."""
    name = call.path["id"]
    if call.path["project"] != IMAGES or not name.startswith(_IMAGE_PREFIX):
        raise not_found(f"projects/{call.path['project']}/global/images/{name}")
    return {
        "kind": "compute#image",
        "id": str(zlib.crc32(name.encode())),
        "name": name,
        "architecture": "X86_64",
        "creationTimestamp": _CREATED,
        "description": "Container-Optimized OS, of which the local Google Cloud reads cloud-init",
        "diskSizeGb": "10",
        "family": name.removesuffix(_IMAGE_SUFFIX),
        "selfLink": link(f"projects/{IMAGES}/global/images/{name}"),
        "sourceType": "RAW",
        "status": "READY",
    }


def get_image_of_family(call: Call[Compute]) -> Json:
    """Return the image of a family, such as `cos-stable`."""
    path = {**call.path, "id": f"{call.path['id']}{_IMAGE_SUFFIX}"}
    return get_image(replace(call, path=path))


def _listed(call: Call[Compute], project: str, noun: str, items: list[Json]) -> Json:
    parent = f"projects/{project}/{noun}s"
    return {
        "kind": f"compute#{noun}List",
        "id": parent,
        **page(items, call, parent),
        "selfLink": link(parent),
    }


def _region(project: str, region: str) -> Json:
    zones = [link(f"projects/{project}/zones/{zone}") for zone in locations.zones_of(region)]
    return {
        **_described(project, "region", region, locations.REGIONS.index(region)),
        "quotas": [
            {"metric": metric, "limit": limit, "usage": 0} for metric, limit in _QUOTAS.items()
        ],
        "zones": zones,
    }


def _zone(project: str, zone: str) -> Json:
    region = link(f"projects/{project}/regions/{locations.region_of(zone)}")
    return {**_described(project, "zone", zone, locations.zones().index(zone)), "region": region}


def _described(project: str, noun: str, name: str, index: int) -> Json:
    return {
        "kind": f"compute#{noun}",
        "id": str(1000 + index),
        "name": name,
        "description": name,
        "creationTimestamp": _CREATED,
        "status": "UP",
        "selfLink": link(f"projects/{project}/{noun}s/{name}"),
    }
