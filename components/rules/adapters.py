"""Rules for adapters: names, AE titles, ranges of addresses, images, secrets, peers.

Sources: the REST references of Compute Engine (names), IAM (ids of service accounts), Secret
Manager and Artifact Registry; DICOM PS3.5 6.2 (AE titles).
"""

import ipaddress
import re

from components.rules.general import LOCATIONS, not_a_range, one_of

MAX_AET_LENGTH = 16
MAX_ADAPTER_NAME = 20
"""An id of a service account has 30 characters at most, and holds the protocol too."""
MAX_SUBNETWORK_PREFIX = 29
"""Documented: https://cloud.google.com/vpc/docs/subnets#valid-ranges"""
LAUNCHERS = 1
"""Machines that launch a flex template, which Dataflow puts beside the workers."""
RESERVED_ADDRESSES = 4
"""Addresses of a subnetwork's range that Google keeps.

Documented: https://cloud.google.com/vpc/docs/subnets#unusable-ip-addresses-in-every-subnet
"""

_ADAPTER = re.compile(rf"[a-z0-9](?:[a-z0-9-]{{0,{MAX_ADAPTER_NAME - 2}}}[a-z0-9])?")
_COMPUTE = r"[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?"
_NETWORK = re.compile(rf"{_COMPUTE}|projects/[^/\s]+/global/networks/{_COMPUTE}")
_SUBNETWORK = re.compile(rf"{_COMPUTE}|projects/[^/\s]+/regions/[a-z0-9-]+/subnetworks/{_COMPUTE}")
_MACHINE_TYPE = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)+")
_SECRET_VERSION = re.compile(
    r"projects/(?P<project>[^/\s]+)/secrets/(?P<secret>[A-Za-z0-9_-]{1,255})"
    r"/versions/(?:[1-9][0-9]*|latest)"
)
_IMAGE = re.compile(
    r"[a-z0-9](?:[a-z0-9._/-]|:[0-9]+(?=/))*(?::[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?"
    r"(?:@sha256:[0-9a-f]{64})?"
)
_REGISTRY_IMAGE = re.compile(
    r"(?P<location>[a-z0-9-]+)-docker\.pkg\.dev"
    r"/(?P<project>(?:[a-z0-9.-]+:)?[a-z0-9-]+)/(?P<repository>[a-z0-9-]+)/.+"
)
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_REPOSITORY = re.compile(r"[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?")
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_MULTI_REGIONS = {"us": "us", "eu": "europe"}


def adapter(value: str) -> str | None:
    """Return the name of an adapter, which the names of its resources end with."""
    if _ADAPTER.fullmatch(value):
        return None
    return (
        f"is not a name of an adapter. Allowed: 1 to {MAX_ADAPTER_NAME} of a-z, 0-9 and hyphens, "
        "with no hyphen at either end."
    )


def aet(value: str) -> str | None:
    """Return an application entity title."""
    printable = value.isascii() and value.isprintable() and "\\" not in value
    if printable and value == value.strip() and 0 < len(value) <= MAX_AET_LENGTH:
        return None
    return (
        f"is not an AE title. Allowed: 1 to {MAX_AET_LENGTH} printable ASCII characters without a "
        "backslash, and without spaces around them."
    )


def source_range(value: str) -> str | None:
    """Return a range of IPv4 addresses that may connect; refuse the range of all addresses."""
    try:
        network = ipaddress.IPv4Network(value)
    except ValueError:
        return not_a_range(value, ipaddress.IPv4Network, "IPv4 addresses", "10.20.0.0/16")
    if network.prefixlen == 0:
        return (
            "would open the adapter to every address. Allowed: the ranges of the hospital's "
            "network, such as 10.20.0.0/16."
        )
    return None


def subnetwork_range(value: str) -> str | None:
    """Return a range of internal IPv4 addresses for a subnetwork."""
    try:
        network = ipaddress.IPv4Network(value)
    except ValueError:
        return not_a_range(value, ipaddress.IPv4Network, "IPv4 addresses", "10.20.0.0/16")
    if network.prefixlen <= MAX_SUBNETWORK_PREFIX and network.is_private:
        return None
    return (
        "is not a range of a subnetwork. Allowed: internal addresses with a prefix of at most "
        f"/{MAX_SUBNETWORK_PREFIX}, such as 10.64.0.0/22."
    )


def workers_in(subnetwork_range: str) -> int:
    """Return how many workers of Dataflow a subnetwork's range has addresses for.

    The machine that launches a flex template needs one beside them.
    """
    addresses = ipaddress.IPv4Network(subnetwork_range).num_addresses
    return addresses - RESERVED_ADDRESSES - LAUNCHERS


def ip_address(value: str) -> str | None:
    """Return an IPv4 address."""
    try:
        ipaddress.IPv4Address(value)
    except ValueError:
        return "is not an IPv4 address. Allowed: four numbers, such as 10.20.0.5."
    return None


def session_address(value: str) -> str | None:
    """Return the own address of a BGP session, of the link-local range with its prefix /30."""
    try:
        address = ipaddress.IPv4Interface(value)
    except ValueError:
        address = None
    if address is not None and address.is_link_local and address.network.prefixlen == 30:
        return None
    return "is not an address of a session. Allowed: 169.254.X.Y/30, such as 169.254.0.1/30."


def are_of_one_session(address: str, peer: str) -> bool:
    """Whether two addresses are the two hosts of one /30."""
    own, other = ipaddress.IPv4Interface(address), ipaddress.IPv4Address(peer)
    return other != own.ip and other in own.network.hosts()


def network(value: str) -> str | None:
    """Return a VPC network by its name, or by its full name."""
    if _NETWORK.fullmatch(value):
        return None
    return "is not a VPC network. Allowed: its name, or projects/PROJECT/global/networks/NETWORK."


def subnetwork(value: str) -> str | None:
    """Return a subnetwork by its name, or by its full name."""
    if _SUBNETWORK.fullmatch(value):
        return None
    return (
        "is not a subnetwork. Allowed: its name, or "
        "projects/PROJECT/regions/REGION/subnetworks/SUBNETWORK."
    )


def region(value: str) -> str | None:
    """Return a region with both the Healthcare API and Compute Engine."""
    regions = [item for item in LOCATIONS if item not in _MULTI_REGIONS]
    return one_of(value, regions, "a region")


def machine_type(value: str) -> str | None:
    """Return a machine type of Compute Engine."""
    if _MACHINE_TYPE.fullmatch(value):
        return None
    return "is not a machine type. Allowed: a name such as e2-small."


def image(value: str) -> str | None:
    """Return the reference of a container image."""
    if "/" in value and _IMAGE.fullmatch(value):
        return None
    return (
        "is not a container image. Allowed: HOST/PATH with a tag or a digest, such as "
        "europe-west4-docker.pkg.dev/my-project/adapters/dimse-adapter:1."
    )


def image_tag(value: str) -> str | None:
    """Return a tag of a container image."""
    if _TAG.fullmatch(value):
        return None
    return (
        "is not a tag of an image. Allowed: 1 to 128 of A-Z, a-z, 0-9 and ._-, with no . or - "
        "first."
    )


def repository(value: str) -> str | None:
    """Return the id of an Artifact Registry repository."""
    if _REPOSITORY.fullmatch(value):
        return None
    return (
        "is not an id of a repository. Allowed: 1 to 63 of a-z, 0-9 and hyphens, beginning with a "
        "letter."
    )


def secret_version(value: str) -> str | None:
    """Return the full name of a version of a secret."""
    if _SECRET_VERSION.fullmatch(value):
        return None
    hint = " Keys and certificates are never written into settings." if "-----" in value else ""
    return (
        f"is not a version of a secret.{hint} Allowed: projects/PROJECT/secrets/SECRET/versions/"
        "VERSION, whose VERSION is a number or latest."
    )


def peer_address(value: str) -> str | None:
    """Return a host and a port."""
    host_name, _, port = value.rpartition(":")
    if _HOST.fullmatch(host_name) and port.isdecimal() and 0 < int(port) < 65_536:
        return None
    return "is not an address. Allowed: HOST:PORT, such as 10.20.0.9:2575."


def host(value: str) -> str | None:
    """Return a name or an address of a host."""
    if _HOST.fullmatch(value):
        return None
    return "is not a host. Allowed: a name or an IPv4 address, without a port."


def secret_of(version: str) -> tuple[str, str]:
    """Return the project and the secret of a version."""
    match = _SECRET_VERSION.fullmatch(version)
    assert match is not None, version
    return match["project"], match["secret"]


def registry_of(reference: str) -> tuple[str, str, str] | None:
    """Return location, project and repository of an image; None for another registry's."""
    match = _REGISTRY_IMAGE.fullmatch(reference)
    return None if match is None else (match["location"], match["project"], match["repository"])


def registry_location(location: str) -> str:
    """Return the location of Artifact Registry in or around a location of the Healthcare API."""
    return _MULTI_REGIONS.get(location, location)
