"""Fields that the service adds to every resource: its numeric id, its URLs, its fingerprints."""

import base64
import hashlib
import json
import secrets
from collections.abc import Mapping
from typing import Any

from emulator.core import timestamps
from emulator.services.compute.names import link, parts_of
from emulator.services.compute.types import Type

_OUTPUT = ("creationTimestamp", "id", "kind", "name", "region", "selfLink", "zone")
_MARKS = ("fingerprint", "labelFingerprint")

Json = dict[str, Any]


def output_fields(
    type_: Type, name: str, body: Mapping[str, Any], before: Json | None = None
) -> Json:
    """Return a resource with the fields that every resource has.

    Args:
        type_: its type
        name: its full name
        body: the other fields
        before: the resource that a change is based on; None for a new one
    """
    parts = parts_of(name)
    scope, _, _ = parts.location.partition("/")
    whole: Json = {
        **{key: value for key, value in body.items() if key not in (*_OUTPUT, *_MARKS)},
        "kind": type_.json_kind,
        "id": before["id"] if before else number(),
        "creationTimestamp": before["creationTimestamp"]
        if before
        else timestamps.now("milliseconds"),
        "name": parts.id,
        "selfLink": link(name),
    }
    if scope != "global":
        location = link(f"projects/{parts.project}/{parts.location}")
        whole[scope.removesuffix("s")] = location
    if type_.is_labelled:
        whole["labelFingerprint"] = fingerprint(whole.get("labels") or {})
    if type_.has_fingerprint:
        # Labels have a mark of their own.
        unlabelled = {key: value for key, value in whole.items() if key != "labels"}
        whole["fingerprint"] = fingerprint(unlabelled)
    return whole


def settable(body: Mapping[str, Any]) -> Json:
    """Return the fields of a body that do not stand for the resource itself."""
    return {key: value for key, value in body.items() if key not in (*_OUTPUT, *_MARKS)}


def fingerprint(value: Mapping[str, Any]) -> str:
    """Return a mark of a value, which differs when the value does."""
    text = json.dumps({k: v for k, v in value.items() if k not in _MARKS}, sort_keys=True)
    return base64.b64encode(hashlib.sha256(text.encode()).digest()[:8]).decode()


def number() -> str:
    """Return a numeric id."""
    return str(10**18 + secrets.randbelow(8 * 10**18))
