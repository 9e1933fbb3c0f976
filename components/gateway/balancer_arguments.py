"""Arguments of a gateway's load balancer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pulumi

from components import rules
from components.base import ArgumentError, require

MAX_REQUESTS = 1_000_000
MIN_BAN_SECONDS, MAX_BAN_SECONDS = 60, 86_400


@dataclass(frozen=True, kw_only=True)
class ArmorArgs:
    """A security policy of Cloud Armor.

    Attributes:
        allowed_ranges: Source addresses that may call, in CIDR notation; all if not given.
        requests_per_minute: Of each source address; a hospital may have a single one.
        ban_seconds: How long an address that sends more is refused at all; if not given, only the
            requests above the limit are.
        waf_rule_sets: Preconfigured sets of rules, such as `sqli`. They see no bodies.
        waf_sensitivity: Of these sets, 1 to 4: with more come more false alarms.
        preview: Whether the limit and the sets log alone what they would refuse.
    """

    allowed_ranges: Sequence[str] = ()
    requests_per_minute: int = 6_000
    ban_seconds: int | None = None
    waf_rule_sets: Sequence[str] = rules.DEFAULT_WAF_RULE_SETS
    waf_sensitivity: int = 1
    preview: bool = False

    def __post_init__(self) -> None:
        owner = "ArmorArgs"
        for name, rule in {
            "allowed_ranges": rules.internet_range,
            "waf_rule_sets": rules.waf_rule_set,
        }.items():
            for value in getattr(self, name):
                require(owner, name, value, rule)
            for _, value, _ in rules.repeated(getattr(self, name)):
                raise ArgumentError(f'{owner}.{name}: "{value}" is there twice')
        if len(self.allowed_ranges) > rules.MAX_SOURCE_RANGES:
            raise ArgumentError(
                f"{owner}.allowed_ranges: {len(self.allowed_ranges)} are more than "
                f"{rules.MAX_SOURCE_RANGES}"
            )
        limits = (1, MAX_REQUESTS)
        _within(owner, "requests_per_minute", self.requests_per_minute, limits)
        _within(owner, "waf_sensitivity", self.waf_sensitivity, (1, rules.MAX_SENSITIVITY))
        if self.ban_seconds is not None:
            _within(owner, "ban_seconds", self.ban_seconds, (MIN_BAN_SECONDS, MAX_BAN_SECONDS))


@dataclass(frozen=True, kw_only=True)
class LoadBalancerArgs:
    """A load balancer before a gateway, which is then reached by it alone.

    Attributes:
        domains: The domains of the gateway. Google makes a certificate for them.
        certificates: Existing certificates in its place,
            `projects/P/global/sslCertificates/C`.
        armor: The security policy.
        tls_profile: The TLS features: MODERN, RESTRICTED or FIPS_202205, each from TLS 1.2.
        redirect_http: Whether port 80 redirects to https.
        log_sample_rate: The share of requests that are logged, 0 to 1.
    """

    domains: Sequence[str]
    certificates: Sequence[pulumi.Input[str]] = ()
    armor: ArmorArgs = field(default_factory=ArmorArgs)
    tls_profile: str = "MODERN"
    redirect_http: bool = True
    log_sample_rate: float = 1.0

    def __post_init__(self) -> None:
        owner = "LoadBalancerArgs"
        for name, rule in {
            "domains": rules.gateway_domain,
            "certificates": rules.ssl_certificate,
        }.items():
            for value in getattr(self, name):
                require(owner, name, value, rule)
        require(owner, "tls_profile", self.tls_profile, rules.tls_profile)
        for _, value, _ in rules.repeated(self.domains):
            raise ArgumentError(f'{owner}.domains: "{value}" is there twice')
        for name, least, most in (
            ("domains", 1, rules.MAX_DOMAINS),
            ("certificates", 0, rules.MAX_CERTIFICATES),
        ):
            if not least <= len(getattr(self, name)) <= most:
                raise ArgumentError(f"{owner}.{name}: {least} to {most} are allowed")
        if not 0 <= self.log_sample_rate <= 1:
            raise ArgumentError(f"{owner}.log_sample_rate: {self.log_sample_rate} is not 0 to 1")


def _within(owner: str, name: str, value: int, limits: tuple[int, int]) -> None:
    least, most = limits
    if not least <= value <= most:
        raise ArgumentError(f"{owner}.{name}: {value} is not {least} to {most}")
