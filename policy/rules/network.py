"""That nothing of a stack can be reached from the internet."""

import ipaddress
import json
from collections.abc import Iterator
from typing import Any

from policy import resource_types
from policy.model import UNKNOWN, Config, Finding, Resource
from policy.properties import look, present

HEALTH_CHECKS = ("35.191.0.0/16", "130.211.0.0/22")
"""https://cloud.google.com/load-balancing/docs/health-check-concepts#ip-ranges"""
# RFC 1918, RFC 6598, loopback, and unique local addresses.
_PRIVATE = tuple(
    ipaddress.ip_network(text)
    for text in (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "fc00::/7",
    )
)
_WORKER_IP_PRIVATE = "WORKER_IP_PRIVATE"
_EXTERNAL = ("EXTERNAL", "EXTERNAL_MANAGED")


def no_external_addresses(
    resource: Resource,
    config: Config,  # noqa: ARG001
) -> Iterator[Finding]:
    """No instance, address, forwarding rule or worker of Dataflow has an external address."""
    if resource.type in resource_types.WITH_INTERFACES:
        for index, interface in enumerate(_items(look(resource.props, "networkInterfaces"))):
            if interface is UNKNOWN:
                continue
            for key in ("accessConfigs", "ipv6AccessConfigs"):
                configs = look(interface, key)
                if configs is not UNKNOWN and present(configs):
                    yield Finding(f"networkInterfaces[{index}].{key} gives an external address")
    by_default = resource_types.EXTERNAL_BY_DEFAULT.get(resource.type)
    if by_default is not None:
        scheme = look(resource.props, by_default)
        if scheme is None or scheme in _EXTERNAL:
            yield Finding(f"{by_default} is {scheme or 'EXTERNAL, its default'}")
    yield from _public_workers(resource)


def _public_workers(resource: Resource) -> Iterator[Finding]:
    """Yield what lets workers of Dataflow have external addresses: a job, or a flex template."""
    if resource.type in resource_types.DATAFLOW_JOBS:
        configuration, where = look(resource.props, "ipConfiguration"), "ipConfiguration"
    elif resource.type == resource_types.BUCKET_OBJECT:
        environment = _template_environment(look(resource.props, "content"))
        if environment is None:
            return
        configuration = environment.get("ipConfiguration")
        where = "defaultEnvironment.ipConfiguration of the template"
    else:
        return
    if configuration not in (_WORKER_IP_PRIVATE, UNKNOWN):
        yield Finding(f"{where} is {configuration or 'WORKER_IP_PUBLIC, its default'}")


def _template_environment(content: Any) -> dict[str, Any] | None:
    """Return the default environment in a flex template; None of any other object."""
    if not isinstance(content, str):
        return None
    try:
        spec = json.loads(content)
    except ValueError:
        return None
    if not isinstance(spec, dict) or not {"image", "sdkInfo"} <= spec.keys():
        return None
    environment = spec.get("defaultEnvironment")
    return environment if isinstance(environment, dict) else {}


def guarded_services(resource: Resource, config: Config) -> Iterator[Finding]:
    """Check that a Cloud Run service that lets everybody invoke it has a proxy before it."""
    name = look(resource.props, "name")
    if resource.type != resource_types.SERVICE or name is UNKNOWN or name in config["services"]:
        return
    is_open = look(resource.props, "invokerIamDisabled") is True
    if is_open and look(resource.props, "iapEnabled") not in (True, UNKNOWN):
        yield Finding("invokerIamDisabled is true, and iapEnabled is not")


def private_ranges(resource: Resource, config: Config) -> Iterator[Finding]:
    """Check that a firewall rule that admits connections names private ranges alone."""
    if resource.type != resource_types.FIREWALL or not _admits(resource):
        return
    sources = look(resource.props, "sourceRanges")
    by_identity = [look(resource.props, key) for key in ("sourceTags", "sourceServiceAccounts")]
    if not present(sources) and not any(map(present, by_identity)):
        yield Finding("sourceRanges is not set, so every address is admitted")
    for source in _items(sources):
        if isinstance(source, str) and source not in config["ranges"] and _is_public(source):
            yield Finding(f'sourceRanges "{source}" is public')


def _admits(firewall: Resource) -> bool:
    allows, direction = look(firewall.props, "allows"), look(firewall.props, "direction")
    return allows is not UNKNOWN and present(allows) and direction in (None, "", "INGRESS")


def _is_public(source: str) -> bool:
    """Whether addresses outside of private networks are among those of a range."""
    try:
        network = ipaddress.ip_network(source, strict=False)
    except ValueError:
        return False  # The provider refuses it, with a better message.
    return not any(
        network.version == private.version and network.subnet_of(private)  # type: ignore[arg-type]
        for private in _PRIVATE
    )


def _items(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else []
