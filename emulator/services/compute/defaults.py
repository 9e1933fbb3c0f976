"""The network that every project has from the start, with its subnetworks and firewall rules.

Documented: https://cloud.google.com/vpc/docs/vpc#default-network and
https://cloud.google.com/firewall/docs/firewalls#more_rules_default_vpc.
"""

import ipaddress
from collections.abc import Iterator
from typing import Any

from emulator.services.compute.fields import output_fields
from emulator.services.compute.locations import REGIONS, range_of
from emulator.services.compute.names import link
from emulator.services.compute.type_table import FIREWALLS, NETWORKS, SUBNETWORKS

_ANYWHERE, _INSIDE = "0.0.0.0/0", "10.128.0.0/9"
_RULES: tuple[tuple[str, str, list[dict[str, Any]], str], ...] = (
    ("default-allow-icmp", _ANYWHERE, [{"IPProtocol": "icmp"}], "Allow ICMP from anywhere"),
    (
        "default-allow-internal",
        _INSIDE,
        [
            {"IPProtocol": "tcp", "ports": ["0-65535"]},
            {"IPProtocol": "udp", "ports": ["0-65535"]},
            {"IPProtocol": "icmp"},
        ],
        "Allow internal traffic on the default network",
    ),
    (
        "default-allow-rdp",
        _ANYWHERE,
        [{"IPProtocol": "tcp", "ports": ["3389"]}],
        "Allow RDP from anywhere",
    ),
    (
        "default-allow-ssh",
        _ANYWHERE,
        [{"IPProtocol": "tcp", "ports": ["22"]}],
        "Allow SSH from anywhere",
    ),
)

Json = dict[str, Any]


def of_project(project: str) -> Iterator[tuple[str, Json]]:
    """Yield names and bodies of what a project has from the start."""
    network = f"projects/{project}/global/networks/default"
    body = {
        **NETWORKS.defaults,
        "autoCreateSubnetworks": True,
        "description": "Default network for the project",
    }
    yield network, output_fields(NETWORKS, network, body)
    yield from subnetworks(project, "default")
    for id_, source, allowed, description in _RULES:
        name = f"projects/{project}/global/firewalls/{id_}"
        rule = {
            **FIREWALLS.defaults,
            "allowed": allowed,
            "description": description,
            "network": link(network),
            "priority": 65534,
            "sourceRanges": [source],
        }
        yield name, output_fields(FIREWALLS, name, rule)


def subnetworks(project: str, network: str) -> Iterator[tuple[str, Json]]:
    """Yield names and bodies of the subnetworks of a network that makes its own."""
    for region in REGIONS:
        name = f"projects/{project}/regions/{region}/subnetworks/{network}"
        body = {
            **SUBNETWORKS.defaults,
            "gatewayAddress": str(ipaddress.ip_network(range_of(region))[1]),
            "ipCidrRange": range_of(region),
            "network": link(f"projects/{project}/global/networks/{network}"),
        }
        yield name, output_fields(SUBNETWORKS, name, body)
