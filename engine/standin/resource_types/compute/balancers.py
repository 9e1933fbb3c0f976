"""Resource types of Compute Engine: the parts of an external Application Load Balancer.

Observed in the provider's code (https://github.com/hashicorp/terraform-provider-google-beta): a
backend service gets its policy by a call of its own, and a proxy each of its references.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from engine.standin.compute import Compute, full_link, same_link
from engine.standin.http import Api, Json
from engine.standin.properties import Properties
from engine.standin.resource import ResourceType, Update
from engine.standin.resource_types.common import IN_PATH, SHORT_NAME, resource_type
from engine.standin.resource_types.compute.global_resources import of_project
from engine.standin.resource_types.compute.security_policies import SECURITY_POLICY
from engine.standin.values import Values

_SAME = {"same": same_link}
_ID = {"wire": "id"}
_POLICY = "projects/{project}/global/securityPolicies/{}"


def _in_global(collection: str) -> str:
    return f"projects/{{project}}/global/{collection}/{{}}"


@dataclass(frozen=True, kw_only=True)
class _Referring(Compute):
    """A resource whose references have calls of their own.

    Attributes:
        setters: property -> path of its call, with `{path}` and `{short}` for the path of the
            resource and for that without `global`
        set_after_create: whether a new resource gets them by these calls too
    """

    setters: Mapping[str, str]
    set_after_create: bool = False

    def create(self, type_: ResourceType, wanted: Values, api: Api) -> str:
        """Create it; then make the calls that the creation does not spare."""
        id_ = super().create(type_, wanted, api)
        if self.set_after_create:
            for name in self.setters:
                if wanted.get(name):
                    self._set(type_.properties, id_, name, wanted, api, 0)
        return id_

    def update_fields(self, type_: ResourceType, path: str, change: Update, api: Api) -> None:
        """Change each reference by its call, and the other fields together."""
        others = change.changed - self.setters.keys()
        rest = Update(change.state, change.wanted, others, change.timeout)
        super().update_fields(type_, path, rest, api)
        for name in sorted(change.changed & self.setters.keys()):
            self._set(type_.properties, path, name, change.wanted, api, change.timeout)

    def _set(
        self,
        properties: Properties,
        path: str,
        name: str,
        values: Values,
        api: Api,
        timeout: float,
    ) -> None:
        body = self._body({name: properties[name]}, values)
        short = path.replace("/global/", "/")
        call = self.setters[name].format(path=path, short=short)
        self._call(api, "POST", call, body, timeout=timeout)


GLOBAL_ADDRESS = resource_type(
    "gcp:compute/globalAddress:GlobalAddress",
    "GlobalAddress",
    Compute(**of_project("addresses"), links={"network": _in_global("networks")}),
    quirks={**SHORT_NAME, "network": _SAME},
)

ENDPOINT_GROUP = resource_type(
    "gcp:compute/regionNetworkEndpointGroup:RegionNetworkEndpointGroup",
    "RegionNetworkEndpointGroup",
    Compute(
        id="projects/{project}/regions/{region}/networkEndpointGroups/{name}",
        create_call="POST projects/{project}/regions/{region}/networkEndpointGroups",
        imports=(
            "projects/{project}/regions/{region}/networkEndpointGroups/{name}",
            "{project}/{region}/{name}",
            "{region}/{name}",
        ),
    ),
    quirks={**SHORT_NAME, "region": {**IN_PATH, **_SAME}, "network": _SAME, "subnetwork": _SAME},
    uncovered=("serverlessDeployment",),
)

BACKEND_SERVICE = resource_type(
    "gcp:compute/backendService:BackendService",
    "BackendService",
    _Referring(
        **of_project("backendServices"),
        update_style="whole",
        links={"securityPolicy": _POLICY},
        setters={"securityPolicy": "{path}/setSecurityPolicy"},
        set_after_create=True,
    ),
    quirks={
        **SHORT_NAME,
        "backends": {"wire": "backends"},
        "backends.group": _SAME,
        "connectionDrainingTimeoutSec": {"wire": "connectionDraining.drainingTimeoutSec"},
        "enableCdn": {"wire": "enableCDN"},
        "generatedId": _ID,
        "healthChecks": {
            "encode": lambda check: [check],
            "decode": lambda checks: checks[0],
            **_SAME,
        },
        "securityPolicy": _SAME,
    },
    uncovered=(
        "affinityCookieTtlSec", "cdnPolicy", "circuitBreakers", "compressionMode", "consistentHash",
        "customMetrics", "dynamicForwarding", "edgeSecurityPolicy", "externalManagedMigrationState",
        "externalManagedMigrationTestingPercentage", "iap", "ipAddressSelectionPolicy",
        "localityLbPolicies", "localityLbPolicy", "maxStreamDuration",
        "networkPassThroughLbTrafficPolicy", "outlierDetection", "params", "securitySettings",
        "serviceLbPolicy", "strongSessionAffinityCookie", "tlsSettings",
    ),
)  # fmt: skip


def _same_domains(one: list[str], other: list[str]) -> bool:
    """Whether domains are the same: a full stop at the end of one says nothing."""
    return [name.rstrip(".") for name in one] == [name.rstrip(".") for name in other]


CERTIFICATE = resource_type(
    "gcp:compute/managedSslCertificate:ManagedSslCertificate",
    "ManagedSslCertificate",
    Compute(**of_project("sslCertificates")),
    quirks={
        **SHORT_NAME,
        "certificateId": _ID,
        "managed.domains": {"same": _same_domains},
    },
)

SSL_POLICY = resource_type(
    "gcp:compute/sSLPolicy:SSLPolicy",
    "SslPolicy",
    Compute(**of_project("sslPolicies")),
    quirks=SHORT_NAME,
)

URL_MAP = resource_type(
    "gcp:compute/uRLMap:URLMap",
    "UrlMap",
    Compute(
        **of_project("urlMaps"),
        update_style="whole",
        links={"defaultService": _in_global("backendServices")},
    ),
    quirks={**SHORT_NAME, "defaultService": _SAME, "mapId": _ID},
    uncovered=(
        "defaultCustomErrorResponsePolicy",
        "defaultRouteAction",
        "headerAction",
        "hostRules",
        "pathMatchers",
        "tests",
    ),
)

HTTP_PROXY = resource_type(
    "gcp:compute/targetHttpProxy:TargetHttpProxy",
    "TargetHttpProxy",
    _Referring(
        **of_project("targetHttpProxies"),
        links={"urlMap": _in_global("urlMaps")},
        setters={"urlMap": "{short}/setUrlMap"},
    ),
    quirks={**SHORT_NAME, "proxyId": _ID, "urlMap": _SAME},
)


def _with_certificates(body: Json, values: Values) -> Json:
    """Return a proxy whose certificates are named in full."""
    template = _in_global("sslCertificates")
    found = [full_link(one, template, values) for one in body.get("sslCertificates", [])]
    return {**body, "sslCertificates": found} if found else body


def _same_links(one: list[str], other: list[str]) -> bool:
    return len(one) == len(other) and all(map(same_link, one, other))


HTTPS_PROXY = resource_type(
    "gcp:compute/targetHttpsProxy:TargetHttpsProxy",
    "TargetHttpsProxy",
    _Referring(
        **of_project("targetHttpsProxies"),
        encode=_with_certificates,
        links={"urlMap": _in_global("urlMaps"), "sslPolicy": _in_global("sslPolicies")},
        setters={
            "quicOverride": "{path}/setQuicOverride",
            "sslCertificates": "{short}/setSslCertificates",
            "sslPolicy": "{path}/setSslPolicy",
            "urlMap": "{short}/setUrlMap",
        },
    ),
    quirks={
        **SHORT_NAME,
        "proxyId": _ID,
        "sslCertificates": {"same": _same_links},
        "sslPolicy": _SAME,
        "urlMap": _SAME,
    },
    uncovered=("certificateManagerCertificates", "certificateMap", "serverTlsPolicy"),
)


def _same_ports(one: str, other: str) -> bool:
    """Whether two ranges of ports mean the same: `443` is `443-443`."""
    return _ports(one) == _ports(other)


def _ports(text: str) -> tuple[str, str]:
    first, _, last = text.partition("-")
    return first, last or first


def _same_address(one: str, other: str) -> bool:
    """Whether the address of a rule, a number, is the reserved one that a program names.

    Observed: the provider takes any change from a reserved address to a number for no change.
    """
    return one == other or "/" in other or "/" in one


FORWARDING_RULE = resource_type(
    "gcp:compute/globalForwardingRule:GlobalForwardingRule",
    "GlobalForwardingRule",
    _Referring(
        **of_project("forwardingRules"),
        links={"network": _in_global("networks")},
        setters={"target": "{path}/setTarget"},
    ),
    quirks={
        **SHORT_NAME,
        "forwardingRuleId": _ID,
        "ipAddress": {"wire": "IPAddress", "same": _same_address},
        "ipProtocol": {"wire": "IPProtocol", "same": lambda one, two: one.lower() == two.lower()},
        "network": _SAME,
        "portRange": {"same": _same_ports},
        "subnetwork": _SAME,
        "target": _SAME,
    },
    uncovered=(
        "externalManagedBackendBucketMigrationState",
        "externalManagedBackendBucketMigrationTestingPercentage",
        "serviceDirectoryRegistrations",
    ),
)

BALANCER_TYPES = (
    GLOBAL_ADDRESS, ENDPOINT_GROUP, BACKEND_SERVICE, CERTIFICATE, SSL_POLICY, SECURITY_POLICY,
    URL_MAP, HTTP_PROXY, HTTPS_PROXY, FORWARDING_RULE,
)  # fmt: skip
