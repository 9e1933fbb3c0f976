"""The rules of a gateway's security policy, as Cloud Armor takes them.

Documented: https://cloud.google.com/armor/docs/security-policy-overview, the first rule that
matches decides; https://cloud.google.com/armor/docs/rate-limiting-overview; and
https://cloud.google.com/armor/docs/rules-language-reference, the language of the matches.

Bodies are not looked at: what a client stores is pixels, or clinical text, in which rule sets find
attacks that are none. The gateway refuses every path and method that it does not serve.
"""

from __future__ import annotations

from typing import Any

from components.gateway.balancer_arguments import ArmorArgs

LAST_PRIORITY = 2_147_483_647
"""Of the default rule, which every policy has."""
_WAF, _BAN, _THROTTLE, _ALLOW = 1_000, 2_000, 2_500, 3_000
"""The priorities of the first rule of each purpose. A ban and a limit have different ones: a change
of a rule in place may keep the options of the other action."""
_RANGES_OF_RULE = 10
_WITHOUT_BODY = " && ".join(f"request.method != '{verb}'" for verb in ("POST", "PUT", "PATCH"))
_EVERYONE = ("*",)

Rule = dict[str, Any]


def rules(args: ArmorArgs) -> list[Rule]:
    """Return the rules of a policy, by priority."""
    ranges, size = tuple(args.allowed_ranges), _RANGES_OF_RULE
    groups = [ranges[start : start + size] for start in range(0, len(ranges), size)]
    found = [_waf(_WAF + 10 * index, name, args) for index, name in enumerate(args.waf_rule_sets)]
    first = _THROTTLE if args.ban_seconds is None else _BAN
    limited = groups or [_EVERYONE]
    found += [_rate(first + index, group, args) for index, group in enumerate(limited)]
    found += [
        _of_addresses(_ALLOW + index, "allow", group, "Allowed source ranges")
        for index, group in enumerate(groups)
    ]
    action = "deny(403)" if groups else "allow"
    return [*found, _of_addresses(LAST_PRIORITY, action, _EVERYONE, "Default rule")]


def _waf(priority: int, name: str, args: ArmorArgs) -> Rule:
    options = f"{{'sensitivity': {args.waf_sensitivity}}}"
    call = f"evaluatePreconfiguredWaf('{name}-v33-stable', {options})"
    return {
        "priority": priority,
        "action": "deny(403)",
        "description": f"Rule set {name}",
        "match": {"expr": {"expression": f"{_WITHOUT_BODY} && {call}"}},
        "preview": args.preview,
    }


def _rate(priority: int, ranges: tuple[str, ...], args: ArmorArgs) -> Rule:
    options: Rule = {
        "conform_action": "allow",
        "exceed_action": "deny(429)",
        "enforce_on_key": "IP",
        "rate_limit_threshold": {"count": args.requests_per_minute, "interval_sec": 60},
    }
    action = "throttle"
    if args.ban_seconds is not None:
        action, options = "rate_based_ban", {**options, "ban_duration_sec": args.ban_seconds}
    rule = _of_addresses(priority, action, ranges, "Requests of an address")
    return {**rule, "rate_limit_options": options, "preview": args.preview}


def _of_addresses(priority: int, action: str, ranges: tuple[str, ...], text: str) -> Rule:
    return {
        "priority": priority,
        "action": action,
        "description": text,
        "match": {"versioned_expr": "SRC_IPS_V1", "config": {"src_ip_ranges": [*ranges]}},
        "preview": False,
    }
