"""Rules for the parts of an external Application Load Balancer: additions and refusals.

Documented: https://cloud.google.com/compute/docs/reference/rest/v1,
https://cloud.google.com/load-balancing/docs/negs/serverless-neg-concepts and, for the features of
TLS profiles, https://cloud.google.com/load-balancing/docs/ssl-policies-concepts. Nothing listens at
an external address here, so no request is balanced.
"""

import re
from collections.abc import Mapping
from typing import Any

from emulator.services.compute import addresses
from emulator.services.compute.errors import invalid, required
from emulator.services.compute.names import Parts, parse, parts_of
from emulator.services.compute.resources import Resources
from emulator.services.compute.rules.networks import taken

_SERVERLESS = "SERVERLESS"
_PLATFORMS = ("appEngine", "cloudFunction", "cloudRun")
_SCHEMES = ("EXTERNAL", "EXTERNAL_MANAGED")
_ECDSA = tuple(
    f"TLS_ECDHE_ECDSA_WITH_{cipher}"
    for cipher in ("AES_128_GCM_SHA256", "AES_256_GCM_SHA384", "CHACHA20_POLY1305_SHA256")
)
_RESTRICTED = (*_ECDSA, *(name.replace("ECDSA", "RSA") for name in _ECDSA))
_MODERN = (
    *_RESTRICTED,
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
)
_COMPATIBLE = (
    *_MODERN,
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
    "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
    "TLS_RSA_WITH_AES_128_CBC_SHA",
    "TLS_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_RSA_WITH_AES_256_CBC_SHA",
    "TLS_RSA_WITH_AES_256_GCM_SHA384",
)
_FEATURES: Mapping[str, tuple[str, ...]] = {
    "COMPATIBLE": _COMPATIBLE,
    "FIPS_202205": tuple(name for name in _RESTRICTED if "CHACHA20" not in name),
    "MODERN": _MODERN,
    "RESTRICTED": _RESTRICTED,
}
_PORT = re.compile(r"(\d+)(?:-(\d+))?")
_MAX_CERTIFICATES = 15

Json = dict[str, Any]


def endpoint_group(body: Json, own: Parts, resources: Resources, before: Json | None) -> Json:  # noqa: ARG001
    """Prepare a network endpoint group: one serverless service."""
    type_ = body["networkEndpointType"]
    if type_ != _SERVERLESS:
        raise invalid(
            "resource.networkEndpointType",
            type_,
            f"The local Google Cloud serves {_SERVERLESS} alone.",
        )
    given = [name for name in _PLATFORMS if name in body]
    if not given:
        raise required("resource.cloudRun")
    if len(given) > 1:
        reason = f"It can't be with {given[0]}."
        raise invalid(f"resource.{given[1]}", body[given[1]], reason)
    if given == ["cloudRun"] and not {"service", "urlMask"} & body["cloudRun"].keys():
        raise required("resource.cloudRun.service")
    for name in ("network", "subnetwork", "defaultPort"):
        if name in body:
            reason = "It is not supported for serverless network endpoint groups."
            raise invalid(f"resource.{name}", body[name], reason)
    return {**body, "size": 0}


def backend_service(body: Json, own: Parts, resources: Resources, before: Json | None) -> Json:  # noqa: ARG001
    """Prepare a global backend service; its security policy has a method of its own."""
    if before is None:
        body = {name: value for name, value in body.items() if name != "securityPolicy"}
    if body["loadBalancingScheme"] not in _SCHEMES:
        reason = f"The local Google Cloud serves {' and '.join(_SCHEMES)}."
        raise invalid("resource.loadBalancingScheme", body["loadBalancingScheme"], reason)
    backends = body.get("backends", [])
    is_serverless = [_is_serverless(backend, resources) for backend in backends]
    if any(is_serverless):
        _check_serverless(body)
    elif not body.get("healthChecks"):
        raise required("resource.healthChecks")
    if len(set(is_serverless)) > 1:
        reason = "Serverless network endpoint groups can't be with backends of other types."
        raise invalid("resource.backends", len(backends), reason)
    whole = [{"balancingMode": "UTILIZATION", "capacityScaler": 1.0, **one} for one in backends]
    return {**body, "backends": whole} if whole else body


def _is_serverless(backend: Json, resources: Resources) -> bool:
    group = parts_of(backend["group"])
    found = resources.get(group.name)
    return found.get("networkEndpointType") == _SERVERLESS


def _check_serverless(body: Json) -> None:
    """Refuse what a serverless backend can't have.

    Observed in public reports of the provider: the reason of `maxUtilization`.
    """
    for index, backend in enumerate(body["backends"]):
        if "maxUtilization" in backend:
            raise invalid(
                f"resource.backends[{index}].maxUtilization",
                backend["maxUtilization"],
                "Max utilization is not supported for Serverless network endpoint groups.",
            )
    of_services = "is not supported for a backend service with Serverless network endpoint groups."
    if body.get("healthChecks"):
        raise invalid("resource.healthChecks", body["healthChecks"], f"Health check {of_services}")
    if body["timeoutSec"] != 30:
        raise invalid("resource.timeoutSec", body["timeoutSec"], f"Timeout sec {of_services}")


def url_map(body: Json, own: Parts, resources: Resources, before: Json | None) -> Json:  # noqa: ARG001
    """Prepare a URL map: one default, and hosts that lead to matchers of it."""
    defaults = [
        name
        for name in ("defaultService", "defaultUrlRedirect", "defaultRouteAction")
        if body.get(name)
    ]
    if not defaults:
        raise required("resource.defaultService")
    if "defaultUrlRedirect" in defaults and len(defaults) > 1:
        reason = "It can't be with defaultService or defaultRouteAction."
        raise invalid("resource.defaultUrlRedirect", body["defaultUrlRedirect"], reason)
    matchers = {one.get("name") for one in body.get("pathMatchers", [])}
    for index, rule in enumerate(body.get("hostRules", [])):
        if rule.get("pathMatcher") not in matchers:
            reason = "The URL map has no such path matcher."
            raise invalid(f"resource.hostRules[{index}].pathMatcher", rule["pathMatcher"], reason)
    return body


def ssl_policy(body: Json, own: Parts, resources: Resources, before: Json | None) -> Json:  # noqa: ARG001
    """Prepare a TLS policy: the features that its profile enables."""
    profile, custom = body["profile"], body.get("customFeatures")
    if (profile == "CUSTOM") != bool(custom):
        raise required("resource.customFeatures" if not custom else "resource.profile")
    for index, feature in enumerate(custom or []):
        if feature not in _COMPATIBLE:
            reason = "There is no such feature."
            raise invalid(f"resource.customFeatures[{index}]", feature, reason)
    if body["minTlsVersion"] == "TLS_1_3" and profile != "RESTRICTED":
        raise invalid("resource.profile", profile, "TLS_1_3 needs the profile RESTRICTED.")
    if profile == "FIPS_202205" and body["minTlsVersion"] != "TLS_1_2":
        reason = "The profile FIPS_202205 needs TLS_1_2."
        raise invalid("resource.minTlsVersion", body["minTlsVersion"], reason)
    return {**body, "enabledFeatures": sorted(custom or _FEATURES[profile])}


def https_proxy(body: Json, own: Parts, resources: Resources, before: Json | None) -> Json:  # noqa: ARG001
    """Prepare a target HTTPS proxy, which needs a certificate."""
    certificates = body.get("sslCertificates", [])
    if not certificates:
        raise required("resource.sslCertificates")
    if len(certificates) > _MAX_CERTIFICATES:
        reason = f"At most {_MAX_CERTIFICATES} certificates are allowed."
        raise invalid("resource.sslCertificates", len(certificates), reason)
    return body


def forwarding_rule(body: Json, own: Parts, resources: Resources, before: Json | None) -> Json:
    """Prepare a global forwarding rule: its address, its ports, its target."""
    scheme = body["loadBalancingScheme"]
    if scheme not in _SCHEMES:
        reason = f"The local Google Cloud serves {' and '.join(_SCHEMES)}."
        raise invalid("resource.loadBalancingScheme", scheme, reason)
    ports = _ports(body)
    service = _service_behind(body["target"], resources)
    if service is not None and service["loadBalancingScheme"] != scheme:
        raise invalid(
            "resource.loadBalancingScheme",
            scheme,
            f"The backend service of its target has {service['loadBalancingScheme']}.",
        )
    if before is not None:
        return {**body, "portRange": ports}
    address = _address(body, own, resources)
    for one in resources.everywhere("forwardingRules").values():
        if (one["IPAddress"], one.get("portRange")) == (address, ports):
            raise invalid(
                "resource.IPAddress",
                address,
                "Specified IP address is in-use and would result in a conflict.",
            )
    return {**body, "IPAddress": address, "portRange": ports}


def _ports(body: Json) -> str:
    text = str(body.get("portRange") or "")
    match = _PORT.fullmatch(text)
    if match is None:
        raise (
            required("resource.portRange")
            if not text
            else invalid(
                "resource.portRange", text, "It must be a port, or two with a hyphen between them."
            )
        )
    first, last = int(match[1]), int(match[2] or match[1])
    if first != last or not 0 < first < 1 << 16:
        reason = "The target needs one port from 1 to 65535."
        raise invalid("resource.portRange", text, reason)
    return f"{first}-{last}"


def _service_behind(target: str, resources: Resources) -> Json | None:
    proxy = resources.get(parts_of(target).name)
    service = resources.get(parts_of(proxy["urlMap"]).name).get("defaultService")
    return resources.get(parts_of(service).name) if service else None


def _address(body: Json, own: Parts, resources: Resources) -> str:
    wanted = str(body.get("IPAddress") or "")
    target = parse(wanted, own.project)
    if target is not None:
        return str(resources.get(target.name)["address"])
    return wanted or addresses.external(set(taken(resources)))
