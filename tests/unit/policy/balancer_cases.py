"""Cases of load balancers: what the internet may send, and by which ways."""

from collections.abc import Sequence
from typing import Any

from policy.model import UNKNOWN, Resource
from tests.unit.policy.builders import resource
from tests.unit.policy.case import Case

POLICY = "projects/p/global/securityPolicies/gateway-ward"


def backend(**props: Any) -> Resource:
    given = {"loadBalancingScheme": "EXTERNAL_MANAGED", "securityPolicy": POLICY, **props}
    return resource("gcp:compute/backendService:BackendService", given)


def regional(**props: Any) -> Resource:
    return resource("gcp:compute/regionBackendService:RegionBackendService", props)


def https(**props: Any) -> Resource:
    given = {"sslPolicy": "projects/p/global/sslPolicies/t", **props}
    return resource("gcp:compute/targetHttpsProxy:TargetHttpsProxy", given)


def tls(version: Any) -> Resource:
    return resource("gcp:compute/sSLPolicy:SSLPolicy", {"minTlsVersion": version})


def http(redirect: Any) -> Resource:
    urls = resource("gcp:compute/uRLMap:URLMap", {"defaultUrlRedirect": redirect})
    return resource("gcp:compute/targetHttpProxy:TargetHttpProxy", sources={"urlMap": [urls]})


def endpoints(ingress: Any) -> list[Resource]:
    """A service, and the group that leads to it."""
    service = resource("gcp:cloudrunv2/service:Service", {"ingress": ingress})
    type_ = "gcp:compute/regionNetworkEndpointGroup:RegionNetworkEndpointGroup"
    return [service, resource(type_, sources={"cloudRun": [service]})]


UNFILTERED = "securityPolicy is not set, so every address may send everything"
PLAIN = "the proxy takes requests without TLS, and does not redirect"
AROUND = "the internet reaches the service without its load balancer"

BALANCER_CASES: dict[str, Sequence[Case]] = {
    "guarded-load-balancers": (
        Case(
            "all of a balancer",
            [
                backend(),
                https(),
                tls("TLS_1_2"),
                tls("TLS_1_3"),
                http({"httpsRedirect": True}),
                *endpoints("INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER"),
            ],
        ),
        Case("internal balancers", [regional(), regional(loadBalancingScheme="INTERNAL")]),
        Case(
            "a preview that does not know yet",
            [
                backend(securityPolicy=UNKNOWN),
                backend(loadBalancingScheme=UNKNOWN, securityPolicy=None),
                https(sslPolicy=UNKNOWN),
                tls(UNKNOWN),
                http(UNKNOWN),
                http({"httpsRedirect": UNKNOWN}),
                *endpoints(UNKNOWN),
            ],
        ),
        Case(
            "no security policy",
            [
                backend(securityPolicy=None),
                backend(securityPolicy="", loadBalancingScheme=None),
                regional(loadBalancingScheme="EXTERNAL_MANAGED"),
            ],
            [UNFILTERED] * 3,
        ),
        Case(
            "old TLS",
            [https(sslPolicy=None), tls("TLS_1_1"), tls(None)],
            [
                "sslPolicy is not set, so clients may use TLS 1.0",
                "minTlsVersion is TLS_1_1",
                "minTlsVersion is TLS_1_0, its default",
            ],
        ),
        Case("no TLS", [http(None), http({"httpsRedirect": False})], [PLAIN] * 2),
        Case(
            "a way around it",
            [*endpoints("INGRESS_TRAFFIC_ALL"), *endpoints(None)],
            [AROUND] * 2,
        ),
    ),
}
