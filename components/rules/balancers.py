"""Rules for load balancers of gateways: domains, certificates, source ranges, sets of WAF rules.

Sources: https://cloud.google.com/load-balancing/docs/ssl-certificates/google-managed-certs
(domains), https://cloud.google.com/armor/quotas (ranges) and
https://cloud.google.com/armor/docs/waf-rules (rule sets).
"""

import ipaddress
import re

from components.rules.general import not_a_range, one_of

MAX_DOMAINS = 100
MAX_CERTIFICATES = 15
MAX_SOURCE_RANGES = 50
"""A rule of Cloud Armor has 10 ranges, and a policy a limited number of rules."""
MAX_SENSITIVITY = 4
WAF_RULE_SETS = (
    "java", "lfi", "nodejs", "php", "protocolattack", "rce", "rfi", "scannerdetection",
    "sessionfixation", "sqli", "xss",
)  # fmt: skip
"""Those of the version 3.3 of the core rule set that can pass what clients of a gateway send."""
DEFAULT_WAF_RULE_SETS = ("lfi", "protocolattack", "rce", "scannerdetection", "sqli")
TLS_PROFILES = ("MODERN", "RESTRICTED", "FIPS_202205")

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"(?=.{{1,253}}$)(?:{_LABEL}\.)+(?!\d+$){_LABEL}")
_CERTIFICATE = re.compile(
    r"projects/[a-z0-9][a-z0-9.:-]*/global/sslCertificates/[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?"
)


def gateway_domain(value: str) -> str | None:
    """Return the domain of a gateway, which a certificate may name."""
    if _DOMAIN.fullmatch(value):
        return None
    plain = value.lower().rstrip(".").removeprefix("https://").removeprefix("http://")
    plain = plain.partition("/")[0].partition(":")[0]
    hint = f' Did you mean "{plain}"?' if plain != value and _DOMAIN.fullmatch(plain) else ""
    if value.startswith("*."):
        hint = " A certificate of Google names each domain in full."
    return (
        f"is not a domain.{hint} Allowed: lower case, without scheme, such as images.example.org."
    )


def ssl_certificate(value: str) -> str | None:
    """Return the full name of a global certificate of Compute Engine."""
    if _CERTIFICATE.fullmatch(value):
        return None
    return (
        "is not the full name of a certificate. Allowed: "
        "projects/PROJECT/global/sslCertificates/CERTIFICATE."
    )


def internet_range(value: str) -> str | None:
    """Return a range of IPv4 or IPv6 addresses that may call; refuse the range of all."""
    try:
        found = ipaddress.ip_network(value)
    except ValueError:
        return not_a_range(value, ipaddress.ip_network, "addresses", "192.0.2.0/24")
    if found.prefixlen == 0:
        return "is the range of all addresses. Leave allowedRanges out to let all of them call."
    return None


def waf_rule_set(value: str) -> str | None:
    """Return a preconfigured rule set of Cloud Armor."""
    if value == "methodenforcement":
        return (
            "would refuse PUT, PATCH and DELETE, which FHIR and DICOMweb need. Remove it: the "
            "gateway refuses every method that it does not serve."
        )
    return one_of(value, WAF_RULE_SETS, "a rule set of Cloud Armor")


def tls_profile(value: str) -> str | None:
    """Return a profile of TLS features."""
    return one_of(value, TLS_PROFILES, "a TLS profile")
