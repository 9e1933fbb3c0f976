"""The types of resources that are served; those of external load balancers are a table beside.

Documented (https://cloud.google.com/compute/docs/reference/rest/v1): the fields, the defaults and
the methods of each type.
"""

from emulator.services.compute.balancers.types import BALANCER_TYPES
from emulator.services.compute.types import (
    CRUD,
    GLOBAL,
    LABELS,
    REGIONS,
    UPDATED,
    ZONES,
    Reference,
    Type,
)

_NETWORK = Reference("network", ("networks",))
_NEEDED_NETWORK = Reference("network", ("networks",), is_required=True)
_SUBNETWORK = Reference("subnetwork", ("subnetworks",))
_PATCHED = CRUD | {"patch"}
_CHECKS = {
    "checkIntervalSec": 5, "healthyThreshold": 2, "timeoutSec": 5, "unhealthyThreshold": 2,
}  # fmt: skip
_INTERFACES = "properties.networkInterfaces[]"
# A template may name what does not exist yet: it is looked up when an instance is made.
_TEMPLATE_REFERENCES = (
    Reference(f"{_INTERFACES}.network", ("networks",), is_checked=False),
    Reference(f"{_INTERFACES}.subnetwork", ("subnetworks",), is_checked=False),
)


def _template(api: str, scope: str) -> Type:
    return Type(
        api, "instanceTemplates", scope, "InstanceTemplate", "instance_template",
        references=_TEMPLATE_REFERENCES,
        required=("properties",),
        permissions="compute.instanceTemplates",
        is_aggregated=scope == GLOBAL,
    )  # fmt: skip


def _health_check(api: str, scope: str) -> Type:
    return Type(
        api, "healthChecks", scope, "HealthCheck", "health_check", UPDATED,
        required=("type",),
        defaults=_CHECKS,
        is_aggregated=scope == GLOBAL,
        aggregated_kind="compute#healthChecksAggregatedList",
    )  # fmt: skip


ADDRESSES = Type(
    "addresses", "addresses", REGIONS, "Address", "address", CRUD | LABELS,
    references=(_NETWORK, _SUBNETWORK),
    defaults={"addressType": "EXTERNAL", "description": ""},
    is_labelled=True, is_aggregated=True,
)  # fmt: skip
NETWORKS = Type(
    "networks", "networks", GLOBAL, "Network", "network", _PATCHED,
    defaults={
        "networkFirewallPolicyEnforcementOrder": "AFTER_CLASSIC_FIREWALL",
        "routingConfig": {"routingMode": "REGIONAL"},
    },
)  # fmt: skip
SUBNETWORKS = Type(
    "subnetworks", "subnetworks", REGIONS, "Subnetwork", "subnetwork",
    _PATCHED | {"expandIpCidrRange", "setPrivateIpGoogleAccess"},
    references=(_NEEDED_NETWORK,),
    required=("ipCidrRange",),
    defaults={
        "privateIpGoogleAccess": False,
        "privateIpv6GoogleAccess": "DISABLE_GOOGLE_ACCESS",
        "purpose": "PRIVATE",
        "stackType": "IPV4_ONLY",
    },
    has_fingerprint=True, is_aggregated=True,
)  # fmt: skip
FIREWALLS = Type(
    "firewalls", "firewalls", GLOBAL, "Firewall", "firewall", UPDATED,
    references=(_NETWORK,),
    defaults={
        "description": "", "direction": "INGRESS", "disabled": False,
        "logConfig": {"enable": False}, "priority": 1000,
    },
)  # fmt: skip
INSTANCE_TEMPLATES = _template("instanceTemplates", GLOBAL)
REGION_INSTANCE_TEMPLATES = _template("regionInstanceTemplates", REGIONS)
HEALTH_CHECKS = _health_check("healthChecks", GLOBAL)
REGION_HEALTH_CHECKS = _health_check("regionHealthChecks", REGIONS)
BACKEND_SERVICES = Type(
    "regionBackendServices", "backendServices", REGIONS, "BackendService", "backend_service",
    UPDATED,
    references=(
        _NETWORK,
        Reference("backends[].group", ("instanceGroups",), is_required=True),
        Reference("healthChecks[]", ("healthChecks",)),
    ),
    defaults={
        "connectionDraining": {"drainingTimeoutSec": 0}, "description": "", "enableCDN": False,
        "loadBalancingScheme": "EXTERNAL", "protocol": "TCP", "sessionAffinity": "NONE",
        "timeoutSec": 30,
    },
    has_fingerprint=True,
)  # fmt: skip
FORWARDING_RULES = Type(
    "forwardingRules", "forwardingRules", REGIONS, "ForwardingRule", "forwarding_rule",
    _PATCHED | LABELS,
    references=(_NETWORK, _SUBNETWORK, Reference("backendService", ("backendServices",))),
    defaults={
        "IPProtocol": "TCP", "allowGlobalAccess": False, "description": "",
        "loadBalancingScheme": "EXTERNAL", "networkTier": "PREMIUM",
    },
    is_labelled=True, has_fingerprint=True, is_aggregated=True,
)  # fmt: skip
GROUP_MANAGERS = Type(
    "regionInstanceGroupManagers", "instanceGroupManagers", REGIONS, "InstanceGroupManager",
    "instance_group_manager", _PATCHED,
    references=(
        Reference("instanceTemplate", ("instanceTemplates",)),
        Reference("versions[].instanceTemplate", ("instanceTemplates",), is_required=True),
        Reference("autoHealingPolicies[].healthCheck", ("healthChecks",)),
    ),
    required=("targetSize",),
    permissions="compute.instanceGroupManagers",
    has_fingerprint=True,
    list_kind="compute#regionInstanceGroupManagerList",
)  # fmt: skip
INSTANCE_GROUPS = Type(
    "regionInstanceGroups", "instanceGroups", REGIONS, "InstanceGroup", "instance_group",
    frozenset({"get", "list"}),
    permissions="compute.instanceGroups",
    list_kind="compute#regionInstanceGroupList",
)  # fmt: skip
INSTANCES = Type(
    "instances", "instances", ZONES, "Instance", "instance", frozenset({"get", "list"}),
    is_aggregated=True,
)  # fmt: skip
DISKS = Type(
    "disks", "disks", ZONES, "Disk", "disk", frozenset({"delete", "get", "list"}),
    is_aggregated=True,
)  # fmt: skip
VPN_GATEWAYS = Type(
    "vpnGateways", "vpnGateways", REGIONS, "VpnGateway", "vpn_gateway", CRUD | LABELS,
    references=(_NEEDED_NETWORK,),
    defaults={"description": "", "gatewayIpVersion": "IPV4", "stackType": "IPV4_ONLY"},
    is_labelled=True, is_aggregated=True,
)  # fmt: skip
EXTERNAL_VPN_GATEWAYS = Type(
    "externalVpnGateways", "externalVpnGateways", GLOBAL, "ExternalVpnGateway",
    "external_vpn_gateway", CRUD | LABELS,
    required=("interfaces",),
    is_labelled=True,
)  # fmt: skip
VPN_TUNNELS = Type(
    "vpnTunnels", "vpnTunnels", REGIONS, "VpnTunnel", "vpn_tunnel", CRUD | LABELS,
    references=(
        Reference("vpnGateway", ("vpnGateways",)),
        Reference("peerExternalGateway", ("externalVpnGateways",)),
        Reference("peerGcpGateway", ("vpnGateways",)),
        Reference("router", ("routers",)),
    ),
    required=("sharedSecret",),
    defaults={
        "description": "", "ikeVersion": 2, "localTrafficSelector": ["0.0.0.0/0"],
        "remoteTrafficSelector": ["0.0.0.0/0"],
    },
    is_labelled=True, is_aggregated=True,
)  # fmt: skip
ROUTERS = Type(
    "routers", "routers", REGIONS, "Router", "router", UPDATED,
    references=(
        _NEEDED_NETWORK,
        Reference("interfaces[].linkedVpnTunnel", ("vpnTunnels",)),
        Reference("interfaces[].subnetwork", ("subnetworks",)),
    ),
    is_aggregated=True,
)  # fmt: skip

# There are none: tools ask before they change a group.
AUTOSCALERS, REGION_AUTOSCALERS = (
    Type(
        api, "autoscalers", scope, "Autoscaler", "autoscaler", frozenset({"list"}),
        permissions="compute.autoscalers",
        list_kind=f"compute#{api.removesuffix('s')}List",
    )
    for api, scope in (("autoscalers", ZONES), ("regionAutoscalers", REGIONS))
)  # fmt: skip

TYPES = (
    ADDRESSES, NETWORKS, SUBNETWORKS, FIREWALLS, INSTANCE_TEMPLATES, REGION_INSTANCE_TEMPLATES,
    HEALTH_CHECKS, REGION_HEALTH_CHECKS, BACKEND_SERVICES, FORWARDING_RULES, GROUP_MANAGERS,
    INSTANCE_GROUPS, INSTANCES, DISKS, VPN_GATEWAYS, EXTERNAL_VPN_GATEWAYS, VPN_TUNNELS, ROUTERS,
    AUTOSCALERS, REGION_AUTOSCALERS, *BALANCER_TYPES,
)  # fmt: skip
