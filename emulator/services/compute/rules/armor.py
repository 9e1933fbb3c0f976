"""Rules for security policies of Cloud Armor: what a rule of one has to have, and its place.

Documented: https://cloud.google.com/compute/docs/reference/rest/v1/securityPolicies, the names of
the preconfigured rule sets at https://cloud.google.com/armor/docs/waf-rules, and the intervals at
https://cloud.google.com/armor/docs/rate-limiting-overview. No traffic is filtered here: nothing
listens at the address of a global load balancer.
"""

import ipaddress
import re
from collections.abc import Sequence
from typing import Any

from emulator.services.compute.errors import ComputeError, invalid, required
from emulator.services.compute.names import Parts
from emulator.services.compute.resources import Resources

LAST_PRIORITY = (1 << 31) - 1
RULE_KIND = "compute#securityPolicyRule"
_ACTION = re.compile(r"allow|deny\((403|404|502)\)|rate_based_ban|redirect|throttle")
_LIMITED = ("rate_based_ban", "throttle")
_EXCEEDED = ("deny(403)", "deny(404)", "deny(429)", "deny(502)", "redirect")
_INTERVALS = (10, 30, 60, 120, 180, 240, 270, 300, 600, 900, 1200, 1800, 2700, 3600)
_MAX_RANGES = 10
_MAX_EXPRESSION = 2048
_SETS = re.compile(r"evaluatePreconfigured(?:Waf|Expr)\(\s*['\"]([^'\"]*)['\"]")
_SUFFIXES = ("", "-v33-stable", "-v33-canary", "-stable", "-canary")
_RULE_SETS = frozenset(
    f"{name}{suffix}"
    for name in (
        "cve", "java", "json-sqli", "lfi", "methodenforcement", "nodejs", "php", "protocolattack",
        "rce", "rfi", "scannerdetection", "sessionfixation", "sqli", "xss",
    )
    for suffix in _SUFFIXES[1:]
)  # fmt: skip

Json = dict[str, Any]


def security_policy(body: Json, own: Parts, resources: Resources, before: Json | None) -> Json:  # noqa: ARG001
    """Prepare a policy: its rules by priority, a default rule at the end."""
    if before is not None and body["type"] != before["type"]:
        raise invalid("resource.type", body["type"], "The type of a policy can't be changed.")
    rules = [rule_of(rule, f"resource.rules[{index}]") for index, rule in enumerate(_given(body))]
    seen: set[int] = set()
    for index, rule in enumerate(rules):
        if rule["priority"] in seen:
            reason = "Another rule has this priority."
            raise invalid(f"resource.rules[{index}].priority", rule["priority"], reason)
        seen.add(rule["priority"])
    if LAST_PRIORITY not in seen:
        reason = f"There must be a default rule, which has priority {LAST_PRIORITY}."
        raise invalid("resource.rules", len(rules), reason)
    return {**body, "rules": in_order(rules)}


def _given(body: Json) -> Sequence[Json]:
    default = {
        "action": "allow",
        "description": "default rule",
        "match": {"versionedExpr": "SRC_IPS_V1", "config": {"srcIpRanges": ["*"]}},
        "priority": LAST_PRIORITY,
    }
    return body.get("rules") or [default]


def in_order(rules: Sequence[Json]) -> list[Json]:
    """Return rules as answers list them: by priority."""
    return sorted(rules, key=lambda rule: rule["priority"])


def rule_of(rule: Json, where: str) -> Json:
    """Return a rule as it is kept.

    Args:
        rule: of a request
        where: path of it in the request

    Raises:
        ComputeError: 400, the rule is not valid
    """
    priority = rule.get("priority")
    if priority is None:
        raise required(f"{where}.priority")
    if not 0 <= priority <= LAST_PRIORITY:
        raise invalid(f"{where}.priority", priority, f"It must be from 0 to {LAST_PRIORITY}.")
    action = rule.get("action")
    if not action:
        raise required(f"{where}.action")
    if not _ACTION.fullmatch(action):
        allowed = "allow, deny(403), deny(404), deny(502), redirect, rate_based_ban, throttle"
        raise invalid(f"{where}.action", action, f"It must be one of {allowed}.")
    _check_match(rule, where)
    _check_limits(rule, where)
    if (action == "redirect") != bool(rule.get("redirectOptions")):
        raise required(f"{where}.redirectOptions")
    return {"description": "", "preview": False, **rule, "kind": RULE_KIND}


def rule_at(policy: Json, priority: int) -> Json:
    """Return the rule of a policy that has a priority.

    Raises:
        ComputeError: 400, there is none
    """
    for rule in policy["rules"]:
        if rule["priority"] == priority:
            found: Json = rule
            return found
    raise ComputeError(
        400,
        "invalid",
        f"Invalid value for field 'priority': '{priority}'. "
        "There is no rule with this priority in the security policy.",
    )


def _check_match(rule: Json, where: str) -> None:
    match = rule.get("match") or {}
    ranges = (match.get("config") or {}).get("srcIpRanges") or []
    expression = (match.get("expr") or {}).get("expression")
    if bool(match.get("versionedExpr")) == bool(expression):
        raise required(f"{where}.match.versionedExpr")
    if expression:
        _check_expression(expression, f"{where}.match.expr.expression")
        return
    path = f"{where}.match.config.srcIpRanges"
    if not ranges:
        raise required(path)
    if len(ranges) > _MAX_RANGES:
        raise invalid(path, len(ranges), f"At most {_MAX_RANGES} ranges are allowed.")
    if rule["priority"] == LAST_PRIORITY and ranges != ["*"]:
        raise invalid(path, ranges, "The default rule must match all addresses: *.")
    for index, text in enumerate(ranges):
        if text != "*" and not _is_range(text):
            raise invalid(f"{path}[{index}]", text, "It must be an address range in CIDR notation.")


def _check_expression(expression: str, path: str) -> None:
    if len(expression) > _MAX_EXPRESSION:
        reason = f"It must have at most {_MAX_EXPRESSION} characters."
        raise invalid(path, expression, reason)
    for name in _SETS.findall(expression):
        if name not in _RULE_SETS:
            raise invalid(path, expression, f"There is no preconfigured rule set '{name}'.")


def _check_limits(rule: Json, where: str) -> None:
    options, path = rule.get("rateLimitOptions"), f"{where}.rateLimitOptions"
    if rule["action"] not in _LIMITED:
        if options:
            reason = "It is for the actions rate_based_ban and throttle alone."
            raise invalid(path, options, reason)
        return
    if not options:
        raise required(path)
    if options.get("conformAction") != "allow":
        raise invalid(f"{path}.conformAction", options.get("conformAction"), "It must be allow.")
    if options.get("exceedAction") not in _EXCEEDED:
        reason = f"It must be one of {', '.join(_EXCEEDED)}."
        raise invalid(f"{path}.exceedAction", options.get("exceedAction"), reason)
    _check_ban(rule["action"], options, path)
    _check_threshold(options.get("rateLimitThreshold") or {}, f"{path}.rateLimitThreshold")
    if options.get("banThreshold"):
        _check_threshold(options["banThreshold"], f"{path}.banThreshold")


def _check_ban(action: str, options: Json, path: str) -> None:
    if action == "throttle" and options.get("banDurationSec"):
        reason = "It is for the action rate_based_ban alone."
        raise invalid(f"{path}.banDurationSec", options["banDurationSec"], reason)
    if action == "rate_based_ban" and not options.get("banDurationSec"):
        raise required(f"{path}.banDurationSec")


def _check_threshold(threshold: Json, path: str) -> None:
    if not threshold.get("count"):
        raise required(f"{path}.count")
    if threshold.get("intervalSec") not in _INTERVALS:
        reason = f"It must be one of {', '.join(map(str, _INTERVALS))}."
        raise invalid(f"{path}.intervalSec", threshold.get("intervalSec"), reason)


def _is_range(text: str) -> bool:
    try:
        ipaddress.ip_network(text)
    except ValueError:
        return False
    return True
