"""Resource types that the dump lacks, in the form of a dump.

Documented: the names, types and required fields are those of the plug-in's SDK, which a test
compares; what replaces a resource, in the pages of the types at
https://registry.terraform.io/providers/hashicorp/google/latest/docs.
"""

from collections.abc import Mapping
from typing import Any

from engine.standin.provider_schema.dump_form import TEXT, TIMEOUTS, Fields, field, named

_OF_ROUTER: Fields = {
    "deletion_policy": field("oc"),
    "name": field("rf"),
    "project": field("ocf"),
    "region": field("ocf"),
    "router": field("rf"),
}
_RANGES = named({"description": field("o"), "range": field("r")})
_BFD = named(
    {
        "min_receive_interval": field("o", "Int", default=1000),
        "min_transmit_interval": field("o", "Int", default=1000),
        "multiplier": field("o", "Int", default=5),
        "session_initialization_mode": field("r", values=["ACTIVE", "DISABLED", "PASSIVE"]),
    }
)
_PEER: Fields = {
    **_OF_ROUTER,
    "advertise_mode": field("o", default="DEFAULT", values=["DEFAULT", "CUSTOM", ""]),
    "advertised_groups": field("o", "List", elem=TEXT),
    "advertised_ip_ranges": field("o", "List", elem="object", fields=_RANGES),
    "advertised_route_priority": field("o", "Int"),
    "bfd": field("oc", "List", elem="object", maxItems=1, fields=_BFD),
    "custom_learned_ip_ranges": field(
        "o", "List", elem="object", fields=named({"range": field("r")})
    ),
    "custom_learned_route_priority": field("o", "Int"),
    "enable": field("o", "Bool", default=True),
    "enable_ipv4": field("oc", "Bool"),
    "enable_ipv6": field("o", "Bool", default=False),
    "export_policies": field("o", "List", elem=TEXT),
    "import_policies": field("o", "List", elem=TEXT),
    "interface": field("rf"),
    "ip_address": field("oc"),
    "ipv4_nexthop_address": field("oc"),
    "ipv6_nexthop_address": field("oc"),
    "is_advertised_route_priority_set": field("c", "Bool"),
    "is_custom_learned_priority_set": field("c", "Bool"),
    "management_type": field("c"),
    "md5_authentication_key": field(
        "o",
        "List",
        elem="object",
        maxItems=1,
        fields=named({"key": field("r", sensitive=True), "name": field("r")}),
    ),
    "peer_asn": field("r", "Int"),
    "peer_ip_address": field("oc"),
    "peer_ipv4_nexthop_address": field("oc"),
    "peer_ipv6_nexthop_address": field("oc"),
    "router_appliance_instance": field("os"),
    "zero_advertised_route_priority": field("o", "Bool"),
    "zero_custom_learned_route_priority": field("o", "Bool"),
}
_GATEWAY_INTERFACE = named(
    {"id": field("of", "Int"), "ip_address": field("of"), "ipv6_address": field("ofs")}
)
_TAGS = named({"resource_manager_tags": field("of", "Map", elem=TEXT)})

UNDUMPED: Mapping[str, Mapping[str, Any]] = {
    "gcp:compute/externalVpnGateway:ExternalVpnGateway": {
        "timeouts": TIMEOUTS,
        "importer": True,
        "fields": named(
            {
                "deletion_policy": field("oc"),
                "description": field("of"),
                "effective_labels": field("c", "Map", elem=TEXT),
                "interface": field(
                    "of", "List", elem="object", pulumi="interfaces", fields=_GATEWAY_INTERFACE
                ),
                "label_fingerprint": field("c"),
                "labels": field("o", "Map", elem=TEXT),
                "name": field("rf"),
                "params": field("of", "List", elem="object", maxItems=1, fields=_TAGS),
                "project": field("ocf"),
                "redundancy_type": field(
                    "of",
                    values=[
                        "FOUR_IPS_REDUNDANCY",
                        "SINGLE_IP_INTERNALLY_REDUNDANT",
                        "TWO_IPS_REDUNDANCY",
                        "",
                    ],
                ),
                "self_link": field("c"),
                "terraform_labels": field("c", "Map", elem=TEXT, pulumi="pulumiLabels"),
            }
        ),
    },
    "gcp:compute/routerInterface:RouterInterface": {
        "timeouts": {"create": "4m0s", "delete": "4m0s"},
        "importer": True,
        "fields": named(
            {
                **_OF_ROUTER,
                "interconnect_attachment": field("ofs"),
                "ip_range": field("ocf"),
                "ip_version": field("ocf", values=["IPV4", "IPV6"]),
                "private_ip_address": field("of"),
                "redundant_interface": field("ocf"),
                "subnetwork": field("ofs"),
                "vpn_tunnel": field("ofs"),
            }
        ),
    },
    "gcp:compute/routerPeer:RouterPeer": {
        "timeouts": TIMEOUTS,
        "importer": True,
        "fields": named(_PEER),
    },
}
