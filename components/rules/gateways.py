"""Rules for gateways: names, members, addresses of identity providers, origins.

Sources: the REST references of Cloud Run (names of services) and IAM (ids of service accounts);
the WHATWG's URL standard (origins). Rules for load balancers of gateways stand in `balancers.py`.
"""

import re
from urllib.parse import SplitResult, urlsplit

MAX_GATEWAY_NAME = 20
"""An id of a service account has 30 characters at most, and holds `gateway-` too."""
EVERY_CALLER = "allAuthenticatedUsers"
"""Every caller whose identity is verified, as roles of gateways name them."""

_GATEWAY = re.compile(rf"[a-z0-9](?:[a-z0-9-]{{0,{MAX_GATEWAY_NAME - 2}}}[a-z0-9])?")
_MEMBER = re.compile(r"(user|serviceAccount):[^@\s:]+@[^@\s:]+\.[^@\s:]+|domain:[^@\s:]+\.[^@\s:]+")
_GROUP = re.compile(r"group:[^@\s:]+@[^@\s:]+\.[^@\s:]+")


def gateway(value: str) -> str | None:
    """Return the name of a gateway, which the names of its resources end with."""
    if _GATEWAY.fullmatch(value):
        return None
    return (
        f"is not a name of a gateway. Allowed: 1 to {MAX_GATEWAY_NAME} of a-z, 0-9 and hyphens, "
        "with no hyphen at either end."
    )


def gateway_caller(value: str) -> str | None:
    """Return a member who calls a store through a gateway."""
    if value == EVERY_CALLER or _MEMBER.fullmatch(value):
        return None
    hint = ""
    if _GROUP.fullmatch(value):
        hint = (
            " A token does not say which groups its caller is in: members of the gateway itself "
            "may be groups."
        )
    return (
        f"is not a caller of a gateway.{hint} Allowed: user:EMAIL, serviceAccount:EMAIL, "
        f"domain:DOMAIN or {EVERY_CALLER}."
    )


def gateway_member(value: str) -> str | None:
    """Return a member whom Identity-Aware Proxy lets through to a gateway."""
    if _GROUP.fullmatch(value) or _MEMBER.fullmatch(value):
        return None
    return (
        "is not a member of a gateway. Allowed: user:EMAIL, group:EMAIL, serviceAccount:EMAIL or "
        "domain:DOMAIN."
    )


def https_address(value: str) -> str | None:
    """Return an https address."""
    parts = _split(value)
    if parts is not None and parts.scheme == "https" and parts.hostname and " " not in value:
        return None
    return "is not an https address. Allowed: https://HOST/PATH."


def origin(value: str) -> str | None:
    """Return the origin of pages, an https address without a path."""
    parts = _split(value)
    is_origin = parts is not None and value == f"https://{parts.netloc}" and parts.hostname
    if is_origin and not set(value) & set("*@ "):
        return None
    hint = ""
    if parts is not None and parts.scheme == "https" and parts.hostname and "*" not in value:
        hint = f' Did you mean "https://{parts.netloc}"?'
    return f"is not an origin.{hint} Allowed: https://HOST, each one in full."


def _split(value: str) -> SplitResult | None:
    try:
        return urlsplit(value)
    except ValueError:
        return None
