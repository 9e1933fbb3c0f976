"""Resource types of Compute Engine: addresses, firewalls, load balancer, VPN; the groups beside."""

from typing import Any

from engine.standin.compute import Compute, same_link
from engine.standin.http import Json
from engine.standin.resource_types.common import IN_PATH, SHORT_NAME, resource_type
from engine.standin.resource_types.compute.balancers import BALANCER_TYPES
from engine.standin.resource_types.compute.groups import GROUP_MANAGER
from engine.standin.resource_types.compute.routers import (
    EXTERNAL_GATEWAY,
    ROUTER_INTERFACE,
    ROUTER_PEER,
)
from engine.standin.resource_types.compute.subnetworks import SUBNETWORK
from engine.standin.resource_types.compute.templates import TEMPLATE
from engine.standin.values import Values

_NETWORK = "projects/{project}/global/networks/{}"
_SAME = {"same": same_link}
_ID, _NUMBER = {"wire": "id"}, {"wire": "id"}
_REGION: dict[str, Any] = {**IN_PATH, "from_provider": "region", **_SAME}
_TESTS = {
    "grpcHealthCheck": "GRPC", "grpcTlsHealthCheck": "GRPC_WITH_TLS", "http2HealthCheck": "HTTP2",
    "httpHealthCheck": "HTTP", "httpsHealthCheck": "HTTPS", "sslHealthCheck": "SSL",
    "tcpHealthCheck": "TCP",
}  # fmt: skip


def _regional(collection: str, **more: Any) -> Compute:
    parent = f"projects/{{project}}/regions/{{region}}/{collection}"
    return Compute(
        id=f"{parent}/{{name}}",
        create_call=f"POST {parent}",
        imports=(f"{parent}/{{name}}", "{project}/{region}/{name}", "{region}/{name}"),
        **more,
    )


def _in_region(collection: str) -> str:
    return f"projects/{{project}}/regions/{{region}}/{collection}/{{}}"


def _with_type(body: Json, values: Values) -> Json:  # noqa: ARG001
    """Return a health check with its type, which follows from the test that it has."""
    found = [type_ for test, type_ in _TESTS.items() if test in body]
    return {**body, "type": found[0]} if found else body


def _with_secret(answer: Json, known: Values) -> Values:  # noqa: ARG001
    """Return the shared secret as the program gave it: the API hides it."""
    return {"sharedSecret": known.get("sharedSecret")}


def _same_protocol(one: str, other: str) -> bool:
    return one.lower() == other.lower()


def _logged(config: Json) -> Json | None:
    return config if config.get("enable") else None


_RULE = {"wire": "IPProtocol", "same": _same_protocol}

_ADDRESS = resource_type(
    "gcp:compute/address:Address",
    "Address",
    _regional("addresses", links={"network": _NETWORK, "subnetwork": _in_region("subnetworks")}),
    quirks={
        **SHORT_NAME,
        "region": _REGION,
        "addressId": _ID,
        "network": _SAME,
        "subnetwork": _SAME,
    },
)

_FIREWALL = resource_type(
    "gcp:compute/firewall:Firewall",
    "Firewall",
    Compute(
        id="projects/{project}/global/firewalls/{name}",
        create_call="POST projects/{project}/global/firewalls",
        imports=("projects/{project}/global/firewalls/{name}", "{project}/{name}", "{name}"),
        links={"network": _NETWORK},
    ),
    quirks={
        **SHORT_NAME,
        "allows": {"wire": "allowed"},
        "allows.protocol": _RULE,
        "denies": {"wire": "denied"},
        "denies.protocol": _RULE,
        "logConfig": {
            "encode": lambda config: {**config, "enable": True},
            "decode": _logged,
        },
        "network": _SAME,
    },
    uncovered=("enableLogging", "params"),
)

_HEALTH_CHECK = resource_type(
    "gcp:compute/regionHealthCheck:RegionHealthCheck",
    "RegionHealthCheck",
    _regional("healthChecks", update_style="whole", encode=_with_type),
    quirks={**SHORT_NAME, "region": _REGION, "healthCheckId": _NUMBER},
)

_BACKEND_SERVICE = resource_type(
    "gcp:compute/regionBackendService:RegionBackendService",
    "RegionBackendService",
    _regional("backendServices", update_style="whole", links={"network": _NETWORK}),
    quirks={
        **SHORT_NAME,
        "region": _REGION,
        "backends": {"wire": "backends"},
        "backends.group": _SAME,
        "connectionDrainingTimeoutSec": {"wire": "connectionDraining.drainingTimeoutSec"},
        "enableCdn": {"wire": "enableCDN"},
        "generatedId": _NUMBER,
        "healthChecks": {
            "encode": lambda check: [check],
            "decode": lambda checks: checks[0],
            **_SAME,
        },
        "network": _SAME,
    },
    uncovered=(
        "affinityCookieTtlSec", "cdnPolicy", "circuitBreakers", "consistentHash", "customMetrics",
        "dynamicForwarding", "haPolicy", "iap", "ipAddressSelectionPolicy", "localityLbPolicy",
        "networkPassThroughLbTrafficPolicy", "outlierDetection", "params", "securityPolicy",
        "serviceLbPolicy", "strongSessionAffinityCookie", "subsetting", "tlsSettings",
    ),
)  # fmt: skip

_FORWARDING_RULE = resource_type(
    "gcp:compute/forwardingRule:ForwardingRule",
    "ForwardingRule",
    _regional(
        "forwardingRules",
        links={
            "backendService": _in_region("backendServices"),
            "network": _NETWORK,
            "subnetwork": _in_region("subnetworks"),
        },
    ),
    quirks={
        **SHORT_NAME,
        "region": _REGION,
        "backendService": _SAME,
        "forwardingRuleId": _NUMBER,
        "ipAddress": {"wire": "IPAddress"},
        "ipProtocol": {"wire": "IPProtocol", "same": _same_protocol},
        "network": _SAME,
        "recreateClosedPsc": {"client": True},
        "subnetwork": _SAME,
    },
    uncovered=("serviceDirectoryRegistrations", "target"),
)

_VPN_GATEWAY = resource_type(
    "gcp:compute/haVpnGateway:HaVpnGateway",
    "HaVpnGateway",
    _regional("vpnGateways", links={"network": _NETWORK}),
    quirks={**SHORT_NAME, "region": _REGION, "network": _SAME},
    uncovered=("params",),
)

_VPN_TUNNEL = resource_type(
    "gcp:compute/vPNTunnel:VPNTunnel",
    "VpnTunnel",
    _regional(
        "vpnTunnels",
        decode=_with_secret,
        links={
            "peerExternalGateway": "projects/{project}/global/externalVpnGateways/{}",
            "peerGcpGateway": _in_region("vpnGateways"),
            "router": _in_region("routers"),
            "vpnGateway": _in_region("vpnGateways"),
        },
    ),
    quirks={
        **SHORT_NAME,
        "region": _REGION,
        **dict.fromkeys(("peerExternalGateway", "peerGcpGateway", "router", "vpnGateway"), _SAME),
        "tunnelId": _ID,
    },
    uncovered=(
        "cipherSuite",
        "params",
        "sharedSecretWo",
        "sharedSecretWoVersion",
        "targetVpnGateway",
    ),
)

_ROUTER = resource_type(
    "gcp:compute/router:Router",
    "Router",
    _regional("routers", links={"network": _NETWORK}),
    quirks={**SHORT_NAME, "region": _REGION, "network": _SAME},
    uncovered=("md5AuthenticationKeys", "nccGateway", "params"),
)

RESOURCE_TYPES = (
    _ADDRESS, _FIREWALL, _FORWARDING_RULE, _VPN_GATEWAY, TEMPLATE, _BACKEND_SERVICE, _HEALTH_CHECK,
    GROUP_MANAGER, _ROUTER, _VPN_TUNNEL, EXTERNAL_GATEWAY, ROUTER_INTERFACE, ROUTER_PEER,
    *BALANCER_TYPES,
    SUBNETWORK,
)  # fmt: skip
