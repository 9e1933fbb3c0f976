"""The types of resources that an external Application Load Balancer is made of.

Documented (https://cloud.google.com/compute/docs/reference/rest/v1): the fields, the defaults and
the methods of each type.
"""

from emulator.services.compute.types import CRUD, GLOBAL, LABELS, REGIONS, UPDATED, Reference, Type

_PATCHED = CRUD | {"patch"}

GLOBAL_ADDRESSES = Type(
    "globalAddresses", "addresses", GLOBAL, "Address", "address", CRUD | LABELS,
    references=(Reference("network", ("networks",)),),
    defaults={"addressType": "EXTERNAL", "description": ""},
    is_labelled=True,
)  # fmt: skip
ENDPOINT_GROUPS = Type(
    "regionNetworkEndpointGroups", "networkEndpointGroups", REGIONS, "NetworkEndpointGroup",
    "network_endpoint_group",
    required=("networkEndpointType",),
    permissions="compute.regionNetworkEndpointGroups",
)  # fmt: skip
SECURITY_POLICIES = Type(
    "securityPolicies", "securityPolicies", GLOBAL, "SecurityPolicy", "security_policy",
    _PATCHED | LABELS,
    defaults={"description": "", "type": "CLOUD_ARMOR"},
    is_labelled=True, has_fingerprint=True, is_aggregated=True,
    aggregated_kind="compute#securityPoliciesAggregatedList",
    has_list_link=False,
    by_methods=("rules",),
)  # fmt: skip
GLOBAL_BACKEND_SERVICES = Type(
    "backendServices", "backendServices", GLOBAL, "BackendService", "backend_service", UPDATED,
    references=(
        Reference(
            "backends[].group", ("instanceGroups", "networkEndpointGroups"), is_required=True
        ),
        Reference("healthChecks[]", ("healthChecks",)),
        Reference("securityPolicy", ("securityPolicies",)),
    ),
    defaults={
        "connectionDraining": {"drainingTimeoutSec": 0}, "description": "", "enableCDN": False,
        "loadBalancingScheme": "EXTERNAL", "protocol": "HTTP", "sessionAffinity": "NONE",
        "timeoutSec": 30,
    },
    has_fingerprint=True, is_aggregated=True,
    by_methods=("securityPolicy",),
)  # fmt: skip
URL_MAPS = Type(
    "urlMaps", "urlMaps", GLOBAL, "UrlMap", "url_map", UPDATED,
    references=(
        Reference("defaultService", ("backendServices",)),
        Reference("pathMatchers[].defaultService", ("backendServices",)),
        Reference("pathMatchers[].pathRules[].service", ("backendServices",)),
    ),
    has_fingerprint=True, is_aggregated=True,
    aggregated_kind="compute#urlMapsAggregatedList",
)  # fmt: skip
CERTIFICATES = Type(
    "sslCertificates", "sslCertificates", GLOBAL, "SslCertificate", "ssl_certificate",
    is_aggregated=True,
)  # fmt: skip
SSL_POLICIES = Type(
    "sslPolicies", "sslPolicies", GLOBAL, "SslPolicy", "ssl_policy", _PATCHED,
    defaults={"minTlsVersion": "TLS_1_0", "profile": "COMPATIBLE"},
    has_fingerprint=True, is_aggregated=True,
    list_kind="compute#sslPoliciesList",
    aggregated_kind="compute#sslPoliciesAggregatedList",
)  # fmt: skip
_URL_MAP = Reference("urlMap", ("urlMaps",), is_required=True)
HTTP_PROXIES = Type(
    "targetHttpProxies", "targetHttpProxies", GLOBAL, "TargetHttpProxy", "target_http_proxy",
    _PATCHED,
    references=(_URL_MAP,),
    defaults={"proxyBind": False},
    has_fingerprint=True, is_aggregated=True,
)  # fmt: skip
HTTPS_PROXIES = Type(
    "targetHttpsProxies", "targetHttpsProxies", GLOBAL, "TargetHttpsProxy", "target_https_proxy",
    _PATCHED,
    references=(
        _URL_MAP,
        Reference("sslCertificates[]", ("sslCertificates",)),
        Reference("sslPolicy", ("sslPolicies",)),
    ),
    defaults={"proxyBind": False, "quicOverride": "NONE"},
    has_fingerprint=True, is_aggregated=True,
)  # fmt: skip
GLOBAL_FORWARDING_RULES = Type(
    "globalForwardingRules", "forwardingRules", GLOBAL, "ForwardingRule", "forwarding_rule",
    _PATCHED | LABELS,
    references=(
        Reference("network", ("networks",)),
        Reference("target", ("targetHttpProxies", "targetHttpsProxies"), is_required=True),
    ),
    defaults={
        "IPProtocol": "TCP", "description": "", "loadBalancingScheme": "EXTERNAL",
        "networkTier": "PREMIUM",
    },
    is_labelled=True, has_fingerprint=True,
)  # fmt: skip

BALANCER_TYPES = (
    GLOBAL_ADDRESSES, ENDPOINT_GROUPS, SECURITY_POLICIES, GLOBAL_BACKEND_SERVICES, URL_MAPS,
    CERTIFICATES, SSL_POLICIES, HTTP_PROXIES, HTTPS_PROXIES, GLOBAL_FORWARDING_RULES,
)  # fmt: skip
