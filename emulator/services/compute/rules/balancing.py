"""Rules for the parts of a load balancer: additions to their bodies, and refusals.

Documented: https://cloud.google.com/compute/docs/reference/rest/v1 and
https://cloud.google.com/load-balancing/docs/internal.
"""

from typing import Any

from emulator.services.compute import addresses
from emulator.services.compute.errors import invalid, required
from emulator.services.compute.names import Parts, link, parse, parts_of
from emulator.services.compute.resources import Resources
from emulator.services.compute.rules.networks import internal_address, located, taken

INTERNAL = "INTERNAL"
TESTS = {
    "GRPC": "grpcHealthCheck", "GRPC_WITH_TLS": "grpcTlsHealthCheck", "HTTP": "httpHealthCheck",
    "HTTP2": "http2HealthCheck", "HTTPS": "httpsHealthCheck", "SSL": "sslHealthCheck",
    "TCP": "tcpHealthCheck",
}  # fmt: skip
"""Type of a health check -> the field of its test."""
_PORTS = {"HTTP": 80, "HTTP2": 443, "HTTPS": 443, "SSL": 443, "TCP": 80}
_MAX_PORTS = 5

Json = dict[str, Any]


def health_check(body: Json, own: Parts, resources: Resources, before: Json | None) -> Json:  # noqa: ARG001
    """Prepare a health check: one test, of the type that it names."""
    type_ = body["type"]
    key = TESTS.get(type_)
    if key is None:
        reason = f"It must be one of {', '.join(sorted(TESTS))}."
        raise invalid("resource.type", type_, reason)
    others = [field for field in TESTS.values() if field != key and body.get(field)]
    if others:
        raise invalid(f"resource.{others[0]}", body[others[0]], f"The type is {type_}.")
    if body["timeoutSec"] > body["checkIntervalSec"]:
        raise invalid(
            "resource.timeoutSec",
            body["timeoutSec"],
            "It must not be greater than checkIntervalSec.",
        )
    settings = {"proxyHeader": "NONE", **(body.get(key) or {})}
    is_fixed = settings.get("portSpecification") in (None, "USE_FIXED_PORT")
    if is_fixed and type_ in _PORTS:
        settings.setdefault("port", _PORTS[type_])
    return {**body, key: settings}


def backend_service(body: Json, own: Parts, resources: Resources, before: Json | None) -> Json:  # noqa: ARG001
    """Prepare a backend service."""
    is_internal = body["loadBalancingScheme"] == INTERNAL
    if is_internal and not body.get("healthChecks"):
        raise required("resource.healthChecks")
    mode = "CONNECTION" if is_internal else "UTILIZATION"
    backends = [{"balancingMode": mode, **backend} for backend in body.get("backends", [])]
    for index, backend in enumerate(backends):
        if is_internal and backend["balancingMode"] != mode:
            raise invalid(
                f"resource.backends[{index}].balancingMode",
                backend["balancingMode"],
                "Balancing mode must be CONNECTION for an INTERNAL backend service.",
            )
    return {**body, "backends": backends} if backends else body


def forwarding_rule(body: Json, own: Parts, resources: Resources, before: Json | None) -> Json:
    """Prepare a forwarding rule: its address, its network, its ports."""
    if body["loadBalancingScheme"] != INTERNAL:
        given = body.get("IPAddress") or addresses.external(set(taken(resources)))
        return {**body, "IPAddress": given}
    service = body.get("backendService")
    if service is None:
        raise required("resource.backendService")
    backend = resources.get(parts_of(service).name)
    if backend["loadBalancingScheme"] != INTERNAL:
        raise invalid(
            "resource.backendService",
            service,
            "The load balancing scheme of the backend service must be INTERNAL.",
        )
    if backend["protocol"] not in (body["IPProtocol"], "UNSPECIFIED"):
        raise invalid(
            "resource.IPProtocol",
            body["IPProtocol"],
            f"The protocol of the backend service is {backend['protocol']}.",
        )
    _check_ports(body)
    if before is not None:
        return body
    return {**body, **located(body, own, resources), "IPAddress": _address(body, own, resources)}


def _check_ports(body: Json) -> None:
    ports = body.get("ports") or []
    if bool(ports) == bool(body.get("allPorts")):
        raise required("resource.ports")
    if len(ports) > _MAX_PORTS:
        raise invalid("resource.ports", ports, f"At most {_MAX_PORTS} ports are allowed.")
    for index, port in enumerate(ports):
        if not str(port).isdigit() or not 0 < int(port) < 1 << 16:
            raise invalid(f"resource.ports[{index}]", port, "It must be a port from 1 to 65535.")


def _address(body: Json, own: Parts, resources: Resources) -> str:
    """Return the address of a rule: a reserved one, or any free one."""
    wanted = str(body.get("IPAddress") or "")
    target = parse(wanted, own.project)
    if target is not None:
        reserved = resources.get(target.name)
    else:
        everywhere = resources.everywhere("addresses").values()
        reserved = next((one for one in everywhere if one["address"] == wanted), {})
    if not reserved:
        return internal_address(wanted, "resource.IPAddress", resources)
    found = str(reserved["address"])
    rules = resources.everywhere("forwardingRules").values()
    used = next((one["selfLink"] for one in rules if one["IPAddress"] == found), None)
    is_shared = found == addresses.SHARED
    if used and not is_shared and reserved.get("purpose") != "SHARED_LOADBALANCER_VIP":
        raise invalid(
            "resource.IPAddress",
            wanted,
            f"The address is already being used by '{parts_of(used).name}'.",
        )
    return found


def users_of_address(body: Json, resources: Resources) -> list[str]:
    """Return the URLs of the rules and instances that have an address."""
    rules = resources.everywhere("forwardingRules").values()
    return [
        link(parts_of(one["selfLink"]).name) for one in rules if one["IPAddress"] == body["address"]
    ]
