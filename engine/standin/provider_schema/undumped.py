"""Resource types that the dump lacks, in the form of a dump.

Documented: the names, types and required fields are those of the plug-in's SDK, which a test
compares; what replaces a resource, in the pages of the types at
https://registry.terraform.io/providers/hashicorp/google/latest/docs.
"""

from collections.abc import Mapping
from typing import Any

_TIMEOUTS = {"create": "20m0s", "delete": "20m0s", "update": "20m0s"}
_TEXT = "String"

Fields = dict[str, dict[str, Any]]


def _field(flags: str, type_: str = _TEXT, **more: Any) -> dict[str, Any]:
    """Return a field.

    Args:
        flags: `r` required, `o` optional, `c` computed, `f` a change replaces, `s` a difference in
            writing is suppressed
        type_: its type
        more: its other keys
    """
    names = {
        "r": "required", "o": "optional", "c": "computed", "f": "forceNew", "s": "diffSuppress",
    }  # fmt: skip
    return {"type": type_, **{names[flag]: True for flag in flags}, **more}


def _named(fields: Fields) -> Fields:
    """Return fields with the names that Pulumi makes of those of Terraform."""
    return {name: {"pulumi": _camel(name), **values} for name, values in sorted(fields.items())}


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.title() for word in others)


_OF_ROUTER: Fields = {
    "deletion_policy": _field("oc"),
    "name": _field("rf"),
    "project": _field("ocf"),
    "region": _field("ocf"),
    "router": _field("rf"),
}
_RANGES = _named({"description": _field("o"), "range": _field("r")})
_BFD = _named(
    {
        "min_receive_interval": _field("o", "Int", default=1000),
        "min_transmit_interval": _field("o", "Int", default=1000),
        "multiplier": _field("o", "Int", default=5),
        "session_initialization_mode": _field("r", values=["ACTIVE", "DISABLED", "PASSIVE"]),
    }
)
_PEER: Fields = {
    **_OF_ROUTER,
    "advertise_mode": _field("o", default="DEFAULT", values=["DEFAULT", "CUSTOM", ""]),
    "advertised_groups": _field("o", "List", elem=_TEXT),
    "advertised_ip_ranges": _field("o", "List", elem="object", fields=_RANGES),
    "advertised_route_priority": _field("o", "Int"),
    "bfd": _field("oc", "List", elem="object", maxItems=1, fields=_BFD),
    "custom_learned_ip_ranges": _field(
        "o", "List", elem="object", fields=_named({"range": _field("r")})
    ),
    "custom_learned_route_priority": _field("o", "Int"),
    "enable": _field("o", "Bool", default=True),
    "enable_ipv4": _field("oc", "Bool"),
    "enable_ipv6": _field("o", "Bool", default=False),
    "export_policies": _field("o", "List", elem=_TEXT),
    "import_policies": _field("o", "List", elem=_TEXT),
    "interface": _field("rf"),
    "ip_address": _field("oc"),
    "ipv4_nexthop_address": _field("oc"),
    "ipv6_nexthop_address": _field("oc"),
    "is_advertised_route_priority_set": _field("c", "Bool"),
    "is_custom_learned_priority_set": _field("c", "Bool"),
    "management_type": _field("c"),
    "md5_authentication_key": _field(
        "o",
        "List",
        elem="object",
        maxItems=1,
        fields=_named({"key": _field("r", sensitive=True), "name": _field("r")}),
    ),
    "peer_asn": _field("r", "Int"),
    "peer_ip_address": _field("oc"),
    "peer_ipv4_nexthop_address": _field("oc"),
    "peer_ipv6_nexthop_address": _field("oc"),
    "router_appliance_instance": _field("os"),
    "zero_advertised_route_priority": _field("o", "Bool"),
    "zero_custom_learned_route_priority": _field("o", "Bool"),
}
_GATEWAY_INTERFACE = _named(
    {"id": _field("of", "Int"), "ip_address": _field("of"), "ipv6_address": _field("ofs")}
)
_TAGS = _named({"resource_manager_tags": _field("of", "Map", elem=_TEXT)})

UNDUMPED: Mapping[str, Mapping[str, Any]] = {
    "gcp:compute/externalVpnGateway:ExternalVpnGateway": {
        "timeouts": _TIMEOUTS,
        "importer": True,
        "fields": _named(
            {
                "deletion_policy": _field("oc"),
                "description": _field("of"),
                "effective_labels": _field("c", "Map", elem=_TEXT),
                "interface": _field(
                    "of", "List", elem="object", pulumi="interfaces", fields=_GATEWAY_INTERFACE
                ),
                "label_fingerprint": _field("c"),
                "labels": _field("o", "Map", elem=_TEXT),
                "name": _field("rf"),
                "params": _field("of", "List", elem="object", maxItems=1, fields=_TAGS),
                "project": _field("ocf"),
                "redundancy_type": _field(
                    "of",
                    values=[
                        "FOUR_IPS_REDUNDANCY",
                        "SINGLE_IP_INTERNALLY_REDUNDANT",
                        "TWO_IPS_REDUNDANCY",
                        "",
                    ],
                ),
                "self_link": _field("c"),
                "terraform_labels": _field("c", "Map", elem=_TEXT, pulumi="pulumiLabels"),
            }
        ),
    },
    "gcp:compute/routerInterface:RouterInterface": {
        "timeouts": {"create": "4m0s", "delete": "4m0s"},
        "importer": True,
        "fields": _named(
            {
                **_OF_ROUTER,
                "interconnect_attachment": _field("ofs"),
                "ip_range": _field("ocf"),
                "ip_version": _field("ocf", values=["IPV4", "IPV6"]),
                "private_ip_address": _field("of"),
                "redundant_interface": _field("ocf"),
                "subnetwork": _field("ofs"),
                "vpn_tunnel": _field("ofs"),
            }
        ),
    },
    "gcp:compute/routerPeer:RouterPeer": {
        "timeouts": _TIMEOUTS,
        "importer": True,
        "fields": _named(_PEER),
    },
}
