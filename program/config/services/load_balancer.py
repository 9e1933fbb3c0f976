"""Settings of a gateway's load balancer: domains, certificates, Cloud Armor."""

from typing import Annotated, Literal

from pydantic import Field

from components import rules
from program.config.model import Model, follows


class ArmorSettings(Model):
    """The security policy of Cloud Armor of a load balancer."""

    allowed_ranges: Annotated[
        list[Annotated[str, follows(rules.internet_range)]],
        Field(max_length=rules.MAX_SOURCE_RANGES),
    ] = []
    """Source addresses that may call, in CIDR notation; all of them if not given."""
    requests_per_minute: Annotated[int, Field(ge=1, le=1_000_000)] = 6_000
    """Requests of each source address; a hospital may have a single one."""
    ban_seconds: Annotated[int, Field(ge=60, le=86_400)] | None = None
    """How long an address that sends more is refused; if not given, what is above the limit is."""
    waf_rule_sets: list[Annotated[str, follows(rules.waf_rule_set)]] = [
        *rules.DEFAULT_WAF_RULE_SETS
    ]
    """Preconfigured sets of rules, such as sqli; they see no bodies of requests."""
    waf_sensitivity: Annotated[int, Field(ge=1, le=rules.MAX_SENSITIVITY)] = 1
    """Sensitivity of these sets: with more come more false alarms."""
    preview: bool = False
    """Whether the limit and the sets only log what they would refuse."""


class LoadBalancerSettings(Model):
    """A global external load balancer with Cloud Armor before a gateway."""

    domains: Annotated[
        list[Annotated[str, follows(rules.gateway_domain)]],
        Field(min_length=1, max_length=rules.MAX_DOMAINS),
    ]
    """The domains of the gateway, in a certificate that Google makes."""
    certificates: Annotated[
        list[Annotated[str, follows(rules.ssl_certificate)]],
        Field(max_length=rules.MAX_CERTIFICATES),
    ] = []
    """Existing certificates in its place: projects/P/global/sslCertificates/C."""
    armor: ArmorSettings = ArmorSettings()
    """The security policy."""
    tls_profile: Literal["MODERN", "RESTRICTED", "FIPS_202205"] = "MODERN"
    """The TLS features, each from TLS 1.2."""
    redirect_http: bool = True
    """Whether port 80 redirects to https."""
    log_sample_rate: Annotated[float, Field(ge=0, le=1, strict=False)] = 1.0
    """The share of requests that are logged."""
