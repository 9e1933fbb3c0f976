"""Requests to Compute Engine: bodies of the parts of an external load balancer."""

from collections.abc import Mapping
from typing import Any

REGION = "us-central1"
POLICIES = "global/securityPolicies"
GROUP = f"regions/{REGION}/networkEndpointGroups/n"

Json = dict[str, Any]


def rule(priority: int, action: str = "allow", ranges: str = "*", **more: Any) -> Json:
    """A rule of a security policy, for source ranges."""
    match = {"versionedExpr": "SRC_IPS_V1", "config": {"srcIpRanges": [ranges]}}
    return {"priority": priority, "action": action, "match": match, **more}


def expression(priority: int, text: str) -> Json:
    """A rule of a security policy that denies what an expression matches."""
    return {"priority": priority, "action": "deny(403)", "match": {"expr": {"expression": text}}}


LIMITS: Json = {
    "rateLimitThreshold": {"count": 100, "intervalSec": 60},
    "conformAction": "allow",
    "exceedAction": "deny(429)",
    "enforceOnKey": "IP",
    "banDurationSec": 600,
}
DEFAULT = rule(2147483647, "deny(403)")
BODIES: Mapping[str, Json] = {
    "globalAddresses": {"name": "ga"},
    "regionNetworkEndpointGroups": {
        "name": "n",
        "networkEndpointType": "SERVERLESS",
        "cloudRun": {"service": "gateway"},
    },
    "securityPolicies": {
        "name": "s",
        "rules": [DEFAULT, rule(1000, "rate_based_ban", rateLimitOptions=LIMITS)],
    },
    "backendServices": {
        "name": "gb",
        "loadBalancingScheme": "EXTERNAL_MANAGED",
        "protocol": "HTTPS",
        "backends": [{"group": GROUP}],
    },
    "urlMaps": {"name": "u", "defaultService": "global/backendServices/gb"},
    "sslCertificates": {
        "name": "sc",
        "type": "MANAGED",
        "managed": {"domains": ["images.example.org"]},
    },
    "sslPolicies": {"name": "sp", "profile": "MODERN", "minTlsVersion": "TLS_1_2"},
    "targetHttpProxies": {"name": "hp", "urlMap": "global/urlMaps/u"},
    "targetHttpsProxies": {
        "name": "tp",
        "urlMap": "global/urlMaps/u",
        "sslCertificates": ["global/sslCertificates/sc"],
        "sslPolicy": "global/sslPolicies/sp",
    },
    "globalForwardingRules": {
        "name": "gr",
        "IPAddress": "global/addresses/ga",
        "loadBalancingScheme": "EXTERNAL_MANAGED",
        "portRange": "443",
        "target": "global/targetHttpsProxies/tp",
    },
}
"""Resource of the discovery document -> what is created, in an order that references allow."""
PATHS: Mapping[str, str] = {
    "globalAddresses": "global/addresses",
    "globalForwardingRules": "global/forwardingRules",
    "regionNetworkEndpointGroups": f"regions/{REGION}/networkEndpointGroups",
}
"""Resource of the discovery document -> its path, where that is not `global/RESOURCE`."""


def path_of(api: str) -> str:
    """Return the path of a resource's collection below the project."""
    return PATHS.get(api, f"global/{api}")
