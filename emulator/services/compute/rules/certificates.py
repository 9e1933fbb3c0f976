"""Rules for certificates of load balancers: managed by Google, or given.

Documented: https://cloud.google.com/load-balancing/docs/ssl-certificates/google-managed-certs. No
certificate authority is asked here, and no DNS: a managed certificate stays PROVISIONING.
"""

import re
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from emulator.core import timestamps
from emulator.services.compute.errors import invalid, required
from emulator.services.compute.names import Parts
from emulator.services.compute.resources import Resources

_MAX_DOMAINS = 100
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"(?=.{{1,253}}$)(?:{_LABEL}\.)+{_LABEL}", re.IGNORECASE)
_WAITING = "PROVISIONING"

Json = dict[str, Any]


def certificate(body: Json, own: Parts, resources: Resources, before: Json | None) -> Json:  # noqa: ARG001
    """Prepare a certificate; a private key is not shown again."""
    if body.get("type") == "MANAGED" or body.get("managed"):
        return {**body, "type": "MANAGED", "managed": _managed(body.get("managed") or {})}
    given = {**(body.get("selfManaged") or {})}
    given |= {name: body[name] for name in ("certificate", "privateKey") if body.get(name)}
    for name in ("certificate", "privateKey"):
        if not given.get(name):
            raise required(f"resource.{name}")
    try:
        first, *_ = x509.load_pem_x509_certificates(given["certificate"].encode())
    except ValueError:
        reason = "The SSL certificate could not be parsed."
        raise invalid("resource.certificate", "...", reason) from None
    _check_key(first, given["privateKey"])
    return {
        **{name: value for name, value in body.items() if name != "privateKey"},
        "type": "SELF_MANAGED",
        "certificate": given["certificate"],
        "selfManaged": {"certificate": given["certificate"]},
        "expireTime": timestamps.to_rfc3339(first.not_valid_after_utc, "milliseconds"),
        "subjectAlternativeNames": _names(first),
    }


def _managed(managed: Json) -> Json:
    domains = managed.get("domains") or []
    if not domains:
        raise required("resource.managed.domains")
    if len(domains) > _MAX_DOMAINS:
        reason = f"At most {_MAX_DOMAINS} domains are allowed."
        raise invalid("resource.managed.domains", len(domains), reason)
    for index, domain in enumerate(domains):
        if not _DOMAIN.fullmatch(domain.rstrip(".")):
            reason = "It must be a domain name without a wildcard."
            raise invalid(f"resource.managed.domains[{index}]", domain, reason)
    status = dict.fromkeys(domains, _WAITING)
    return {"domains": domains, "status": _WAITING, "domainStatus": status}


def _check_key(certificate: x509.Certificate, text: str) -> None:
    try:
        key = load_pem_private_key(text.encode(), password=None)
    except (TypeError, ValueError):
        reason = "The private key could not be parsed."
        raise invalid("resource.privateKey", "...", reason) from None
    if key.public_key() != certificate.public_key():
        reason = "The private key is not the one of the certificate."
        raise invalid("resource.privateKey", "...", reason)


def _names(certificate: x509.Certificate) -> list[str]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    return found.value.get_values_for_type(x509.DNSName)
