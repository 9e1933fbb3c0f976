"""The settings of a gateway: a JSON object, from a file or from the variable `GATEWAY_SETTINGS`."""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from workloads.gateway.errors import SettingsError
from workloads.gateway.identity import IAP_ISSUER, IAP_KEYS, Provider
from workloads.gateway.roles import Grant, Roles

VARIABLE = "GATEWAY_SETTINGS"
IAP_KEYS_VARIABLE = "IAP_KEYS_URL"
"""Replaces the address of the keys of Identity-Aware Proxy, as on the local Google Cloud."""

_STORE = re.compile(
    r"projects/[\w:.-]+/locations/[\w-]+/datasets/[\w.-]+/(dicomStores|fhirStores)/[\w.-]+",
    re.ASCII,
)
_LOCAL_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True)
class Limits:
    """The limits of a gateway.

    Attributes:
        requests_per_minute: of each caller
        body_bytes: of a request
        idle_seconds: that a client may send or take nothing
    """

    requests_per_minute: int = 1_200
    body_bytes: int = 1 << 30
    idle_seconds: int = 30


@dataclass(frozen=True)
class Settings:
    """All settings of a gateway.

    Attributes:
        roles: who may do what on which store
        provider: of identities
        origins: of pages elsewhere that may call the gateway from a browser
        limits: of requests
        has_viewer: whether the viewer is served, where there are its files
    """

    roles: Roles
    provider: Provider
    origins: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
    has_viewer: bool = True


def load(file: Path | None) -> Settings:
    """Read the settings from a file, or else from the environment.

    Raises:
        SettingsError: there are none, or they are not valid
    """
    where = str(file) if file else VARIABLE
    try:
        text = file.read_text(encoding="utf-8") if file else os.environ.get(VARIABLE)
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{where} can't be read: {error}.") from error
    if text is None:
        raise SettingsError(f"There are no settings: set {VARIABLE}, or name a file by --settings.")
    try:
        return parse(json.loads(text))
    except ValueError as error:
        raise SettingsError(f"{where} is not valid JSON: {error}.") from error
    except SettingsError as error:
        raise SettingsError(f"{where}: {error}") from error


def parse(value: Any) -> Settings:
    """Return the settings in a JSON value.

    Raises:
        SettingsError: they are not valid
    """
    whole = _object(value, "the settings", {"grants", "identity", "origins", "limits", "viewer"})
    grants = _list(whole.get("grants"), "grants")
    if not grants:
        raise SettingsError("grants has no entry: a gateway without one serves no caller.")
    return Settings(
        Roles([_grant(grant, f"grants[{number}]") for number, grant in enumerate(grants)]),
        _provider(whole.get("identity")),
        tuple(_origin(origin) for origin in _list(whole.get("origins", []), "origins")),
        _limits(whole.get("limits", {})),
        _flag(whole.get("viewer", True), "viewer"),
    )


def _grant(value: Any, where: str) -> Grant:
    grant = _object(value, where, {"store", "role", "members"})
    store = _text(grant, "store", where)
    if not _STORE.fullmatch(store):
        raise SettingsError(
            f"{where}.store: {store!r} is not a valid name: write "
            "projects/P/locations/L/datasets/D/dicomStores/S, or fhirStores."
        )
    members = _list(grant.get("members"), f"{where}.members")
    if not members:
        raise SettingsError(f"{where}.members has no entry.")
    return Grant(store, _text(grant, "role", where), frozenset(map(str, members)))


def _provider(value: Any) -> Provider:
    where = "identity"
    identity = _object(value, where, {"iapAudience", "issuer", "audience", "keysUrl"})
    if "iapAudience" in identity:
        if len(identity) > 1:
            raise SettingsError(f"{where}: iapAudience goes with no other member.")
        keys_url = os.environ.get(IAP_KEYS_VARIABLE, IAP_KEYS)
        audience = _text(identity, "iapAudience", where)
        return Provider(IAP_ISSUER, audience, keys_url, ("ES256",), is_iap=True)
    keys_url = _text(identity, "keysUrl", where)
    parts = urlsplit(keys_url)
    if parts.scheme != "https" and parts.hostname not in _LOCAL_HOSTS:
        raise SettingsError(f"{where}.keysUrl: {keys_url!r} is not a valid https address.")
    return Provider(
        _text(identity, "issuer", where),
        _text(identity, "audience", where),
        keys_url,
        ("RS256", "ES256"),
        is_iap=False,
    )


def _origin(value: Any) -> str:
    parts = urlsplit(str(value))
    if value != f"{parts.scheme}://{parts.netloc}" or not parts.hostname or "*" in parts.netloc:
        raise SettingsError(f"origins: {value!r} is not a valid origin: write https://HOST.")
    if parts.scheme != "https" and parts.hostname not in _LOCAL_HOSTS:
        raise SettingsError(f"origins: {value!r} is not an https origin.")
    return str(value)


def _limits(value: Any) -> Limits:
    names = {
        "requestsPerMinute": "requests_per_minute",
        "bodyBytes": "body_bytes",
        "idleSeconds": "idle_seconds",
    }
    given = _object(value, "limits", set(names))
    for name, number in given.items():
        if not isinstance(number, int) or isinstance(number, bool) or number < 1:
            raise SettingsError(f"limits.{name}: {number!r} is not a positive whole number.")
    return Limits(**{names[name]: number for name, number in given.items()})


def _object(value: Any, where: str, members: set[str]) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise SettingsError(f"{where} must be a JSON object.")
    if unknown := sorted(set(value) - members):
        raise SettingsError(
            f"{where} has no member {unknown[0]!r}: it has {', '.join(sorted(members))}."
        )
    return value


def _list(value: Any, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise SettingsError(f"{where} must be a list.")
    return value


def _flag(value: Any, where: str) -> bool:
    if not isinstance(value, bool):
        raise SettingsError(f"{where} must be true or false.")
    return value


def _text(values: Mapping[str, Any], name: str, where: str) -> str:
    value = values.get(name)
    if not (isinstance(value, str) and value):
        raise SettingsError(f"{where}.{name} must be a text.")
    return value
