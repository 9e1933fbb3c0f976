"""Methods of the parts of an external load balancer: rules of a policy, and what a part refers to.

Documented: https://cloud.google.com/compute/docs/reference/rest/v1/securityPolicies/addRule and the
pages of its neighbours.
"""

import copy
from collections.abc import Callable
from typing import Any

from emulator.core.discovery import api
from emulator.core.resources.json_merge_patch import merge_patch
from emulator.core.rest import Call
from emulator.services.compute.balancers.types import (
    GLOBAL_BACKEND_SERVICES,
    GLOBAL_FORWARDING_RULES,
    HTTP_PROXIES,
    HTTPS_PROXIES,
    SECURITY_POLICIES,
)
from emulator.services.compute.errors import invalid, required
from emulator.services.compute.responses import change_by, name_of
from emulator.services.compute.rules.armor import LAST_PRIORITY, rule_at
from emulator.services.compute.service import Compute
from emulator.services.compute.types import Type

Json = dict[str, Any]
Handler = Callable[[Call[Compute]], Json]


def add_rule(call: Call[Compute]) -> Json:
    """Add a rule to a policy."""
    api("compute", "v1").check("SecurityPolicyRule", call.body, "resource")

    def make(before: Json) -> Json:
        return {**before, "rules": [*before["rules"], dict(call.body)]}

    return change_by(SECURITY_POLICIES, call, "addRule", make)


def patch_rule(call: Call[Compute]) -> Json:
    """Change the fields of a rule that a body has."""
    priority = _priority(call)
    given = copy.deepcopy(call.body)
    api("compute", "v1").check("SecurityPolicyRule", call.body, "resource")

    def make(before: Json) -> Json:
        old = rule_at(before, priority)
        others = [rule for rule in before["rules"] if rule["priority"] != priority]
        return {**before, "rules": [*others, merge_patch(old, given)]}

    return change_by(SECURITY_POLICIES, call, "patchRule", make)


def remove_rule(call: Call[Compute]) -> Json:
    """Remove a rule; the default one has to stay."""
    priority = _priority(call)
    if priority == LAST_PRIORITY:
        raise invalid("priority", priority, "The default rule can't be removed.")

    def make(before: Json) -> Json:
        rule_at(before, priority)
        others = [rule for rule in before["rules"] if rule["priority"] != priority]
        return {**before, "rules": others}

    return change_by(SECURITY_POLICIES, call, "removeRule", make)


def get_rule(call: Call[Compute]) -> Json:
    """Return a rule of a policy."""
    policy = call.service.resources.get(name_of(SECURITY_POLICIES, call))
    return rule_at(policy, _priority(call))


def _priority(call: Call[Compute]) -> int:
    text = call.query.get("priority", "")
    if not text:
        raise required("priority")
    if not text.isdigit():
        raise invalid("priority", text, "It must be a number.")
    return int(text)


def _setter(type_: Type, method: str, message: str, field: str) -> Handler:
    """Return the handler of a method that replaces a field.

    Args:
        type_: of the resource
        method: such as `setUrlMap`
        message: of its body
        field: of the body, and of the resource
    """

    def handle(call: Call[Compute]) -> Json:
        api("compute", "v1").check(message, call.body, "resource")

        def make(before: Json) -> Json:
            kept = {name: value for name, value in before.items() if name != field}
            return {**kept, field: call.body[field]} if call.body.get(field) else kept

        return change_by(type_, call, method, make)

    return handle


_SETTERS = (
    (
        GLOBAL_BACKEND_SERVICES,
        "setSecurityPolicy",
        "SecurityPolicyReference",
        "securityPolicy",
        True,
    ),
    (GLOBAL_FORWARDING_RULES, "setTarget", "TargetReference", "target", True),
    (HTTP_PROXIES, "setUrlMap", "UrlMapReference", "urlMap", False),
    (HTTPS_PROXIES, "setUrlMap", "UrlMapReference", "urlMap", False),
    (
        HTTPS_PROXIES,
        "setSslCertificates",
        "TargetHttpsProxiesSetSslCertificatesRequest",
        "sslCertificates",
        False,
    ),
    (HTTPS_PROXIES, "setSslPolicy", "SslPolicyReference", "sslPolicy", True),
    (
        HTTPS_PROXIES,
        "setQuicOverride",
        "TargetHttpsProxiesSetQuicOverrideRequest",
        "quicOverride",
        True,
    ),
)
"""Type, method, message and field, and whether its path has `global`."""

METHODS: tuple[tuple[Type, str, str, str, str, Handler], ...] = (
    *(
        (
            type_,
            method,
            "POST",
            f"{type_.path if is_global else type_.path.replace('global/', '')}/{{id}}/{method}",
            method,
            _setter(type_, method, message, field),
        )
        for type_, method, message, field, is_global in _SETTERS
    ),
    *(
        (
            SECURITY_POLICIES,
            method,
            verb,
            f"{SECURITY_POLICIES.path}/{{id}}/{method}",
            right,
            handler,
        )
        for method, verb, right, handler in (
            ("addRule", "POST", "update", add_rule),
            ("patchRule", "POST", "update", patch_rule),
            ("removeRule", "POST", "update", remove_rule),
            ("getRule", "GET", "get", get_rule),
        )
    ),
)
"""Type, method, HTTP verb, path, last part of the permission, and handler."""
