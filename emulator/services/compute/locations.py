"""Regions and zones, and the range of each region in a network that makes its own subnetworks.

Documented: https://cloud.google.com/compute/docs/regions-zones and, for the ranges,
https://cloud.google.com/vpc/docs/subnets#ip-ranges.
"""

from collections.abc import Mapping

from emulator.services.compute.errors import ComputeError, not_found

_ZONES = {"europe-west1": "bcd", "us-central1": "abcf", "us-east1": "bcd"}
_SECOND_BYTES: Mapping[str, int] = {
    "africa-south1": 218, "asia-east1": 140, "asia-east2": 170, "asia-northeast1": 146,
    "asia-northeast2": 174, "asia-northeast3": 178, "asia-south1": 160, "asia-south2": 190,
    "asia-southeast1": 148, "asia-southeast2": 184, "australia-southeast1": 152,
    "australia-southeast2": 192, "europe-central2": 186, "europe-north1": 166,
    "europe-southwest1": 204, "europe-west1": 132, "europe-west10": 214, "europe-west12": 210,
    "europe-west2": 154, "europe-west3": 156, "europe-west4": 164, "europe-west6": 172,
    "europe-west8": 198, "europe-west9": 200, "me-central1": 212, "me-central2": 216,
    "me-west1": 208, "northamerica-northeast1": 162, "northamerica-northeast2": 188,
    "southamerica-east1": 158, "southamerica-west1": 194, "us-central1": 128, "us-east1": 142,
    "us-east4": 150, "us-east5": 202, "us-south1": 206, "us-west1": 138, "us-west2": 168,
    "us-west3": 180, "us-west4": 182,
}  # fmt: skip

REGIONS = tuple(_SECOND_BYTES)


def zones_of(region: str) -> list[str]:
    """Return the zones of a region."""
    return [f"{region}-{letter}" for letter in _ZONES.get(region, "abc")]


def region_of(zone: str) -> str:
    """Return the region of a zone."""
    return zone.rpartition("-")[0]


def zones() -> list[str]:
    """Return the zones of all regions."""
    return [zone for region in REGIONS for zone in zones_of(region)]


def range_of(region: str) -> str:
    """Return the range of a region's subnetwork."""
    return f"10.{_SECOND_BYTES[region]}.0.0/20"


def check(project: str, location: str) -> None:
    """Refuse a location that does not exist.

    Args:
        project: of the request
        location: `global`, `regions/R` or `zones/Z`

    Raises:
        ComputeError: 404
    """
    scope, _, name = location.partition("/")
    known = {"global": [""], "regions": REGIONS, "zones": zones()}[scope]
    if name not in known:
        raise not_found(f"projects/{project}/{location}")


def region_in(location: str) -> str:
    """Return the region that a regional or zonal location is in.

    Raises:
        ComputeError: 400, the location is global
    """
    scope, _, name = location.partition("/")
    if scope == "global":
        raise ComputeError(400, "invalid", "A global resource has no region.")
    return name if scope == "regions" else region_of(name)
