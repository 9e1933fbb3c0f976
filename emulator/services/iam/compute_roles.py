"""The predefined roles of Compute Engine, with the permissions that some call needs."""

from emulator.services.iam.permissions import of


def _resources(types: str) -> frozenset[str]:
    """Return what changes types of resources of Compute Engine, separated by spaces."""
    verbs = "create delete get list setLabels update"
    return frozenset().union(*(of(f"compute.{type_}", verbs) for type_ in types.split()))


_BALANCER_PARTS = (
    _resources(
        "addresses backendServices forwardingRules globalAddresses globalForwardingRules "
        "healthChecks regionBackendServices regionHealthChecks regionNetworkEndpointGroups "
        "sslCertificates sslPolicies targetHttpProxies targetHttpsProxies urlMaps"
    )
    | of("compute.backendServices", "setSecurityPolicy")
    | of("compute.globalForwardingRules", "setTarget")
    | of("compute.targetHttpProxies", "setUrlMap")
    | of("compute.targetHttpsProxies", "setQuicOverride setSslCertificates setSslPolicy setUrlMap")
)
_LOAD_BALANCERS = _BALANCER_PARTS | of("compute.securityPolicies", "get list")
_NETWORKS = (
    _LOAD_BALANCERS
    | _resources("externalVpnGateways networks routers subnetworks vpnGateways vpnTunnels")
    | of("compute.subnetworks", "expandIpCidrRange setPrivateIpGoogleAccess")
)
_FIREWALLS = _resources("firewalls securityPolicies")
_INSTANCES = (
    _resources("instanceGroupManagers instanceTemplates instanceGroups")
    | of("compute.instances", "get list")
    | of("compute.autoscalers", "list")
    | of("compute.disks", "delete get list")
)
_COMPUTE_LOCATIONS = (
    of("compute.projects", "get")
    | of("compute.regions", "get list")
    | of("compute.zones", "get list")
    | of("compute.globalOperations", "get list")
    | of("compute.regionOperations", "get list")
    | of("compute.zoneOperations", "get list")
)
_COMPUTE_ADMIN = (
    _NETWORKS
    | _FIREWALLS
    | _INSTANCES
    | _COMPUTE_LOCATIONS
    | of("compute.globalOperations", "delete")
    | of("compute.regionOperations", "delete")
    | of("compute.zoneOperations", "delete")
)
_COMPUTE_VIEWER = frozenset(p for p in _COMPUTE_ADMIN if p.endswith((".get", ".list")))

ROLES = {
    "roles/compute.admin": _COMPUTE_ADMIN,
    "roles/compute.instanceAdmin.v1": _INSTANCES
    | _COMPUTE_LOCATIONS
    | frozenset(p for p in _NETWORKS if p.endswith((".get", ".list"))),
    "roles/compute.loadBalancerAdmin": _LOAD_BALANCERS | of("compute.networks", "get list"),
    "roles/compute.networkAdmin": _NETWORKS
    | _COMPUTE_LOCATIONS
    | frozenset(p for p in _FIREWALLS | _INSTANCES if p.endswith((".get", ".list"))),
    "roles/compute.networkUser": of("compute.networks", "get list use")
    | of("compute.subnetworks", "get list use"),
    "roles/compute.securityAdmin": _FIREWALLS
    | _resources("sslCertificates sslPolicies")
    | of("compute.networks", "get list")
    | _COMPUTE_LOCATIONS,
    "roles/compute.viewer": _COMPUTE_VIEWER,
}
