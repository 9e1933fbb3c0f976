"""That what a load balancer lets in from the internet is filtered, and encrypted."""

from collections.abc import Iterator, Sequence

from policy import resource_types
from policy.model import UNKNOWN, Config, Finding, Resource
from policy.properties import look, present

_EXTERNAL = ("EXTERNAL", "EXTERNAL_MANAGED")
_TLS_VERSIONS = ("TLS_1_2", "TLS_1_3")
_OPEN = (None, "INGRESS_TRAFFIC_ALL")
_AROUND = "Set ingress to INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER."


def guarded(resources: Sequence[Resource], config: Config) -> Iterator[Finding]:  # noqa: ARG001
    """Check that external load balancers have a security policy and TLS, and no way around."""
    for resource in resources:
        if resource.type in resource_types.BACKEND_SERVICES:
            yield from _filtered(resource)
        elif resource.type == resource_types.HTTPS_PROXY:
            yield from _set(resource, "sslPolicy", "clients may use TLS 1.0")
        elif resource.type == resource_types.SSL_POLICY:
            version = look(resource.props, "minTlsVersion")
            if version is not UNKNOWN and version not in _TLS_VERSIONS:
                text = f"minTlsVersion is {version or 'TLS_1_0, its default'}"
                yield Finding(text, resource)
        elif resource.type == resource_types.HTTP_PROXY:
            yield from _redirecting(resource)
        elif resource.type == resource_types.ENDPOINT_GROUP:
            yield from _reached_by_it_alone(resource)


def _filtered(service: Resource) -> Iterator[Finding]:
    scheme = look(service.props, "loadBalancingScheme")
    default = resource_types.BACKEND_SERVICES[service.type]
    if scheme is not UNKNOWN and (scheme or default) in _EXTERNAL:
        yield from _set(service, "securityPolicy", "every address may send everything")


def _set(resource: Resource, name: str, effect: str) -> Iterator[Finding]:
    value = look(resource.props, name)
    if value is not UNKNOWN and not present(value):
        yield Finding(f"{name} is not set, so {effect}", resource)


def _redirecting(proxy: Resource) -> Iterator[Finding]:
    """Check that a proxy without TLS leads to https, as far as its URL map is of the stack."""
    for urls in proxy.sources.get("urlMap", ()):
        redirect = look(urls.props, "defaultUrlRedirect")
        if redirect is UNKNOWN or urls.type != resource_types.URL_MAP:
            continue
        if not isinstance(redirect, dict) or look(redirect, "httpsRedirect") not in (True, UNKNOWN):
            yield Finding("the proxy takes requests without TLS, and does not redirect", proxy)


def _reached_by_it_alone(group: Resource) -> Iterator[Finding]:
    for service in group.sources.get("cloudRun", ()):
        ingress = look(service.props, "ingress")
        if service.type == resource_types.SERVICE and ingress is not UNKNOWN and ingress in _OPEN:
            text = "the internet reaches the service without its load balancer"
            yield Finding(text, service, _AROUND)
