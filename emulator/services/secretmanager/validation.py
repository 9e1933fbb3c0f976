"""Validation of secrets.

The limits are those of the API's reference
(https://cloud.google.com/secret-manager/docs/reference/rest/v1/projects.secrets).

Inferred (conformance: secret-id-text, secret-replication-text, secret-rotation-text): the texts of
refusals.
"""

import re
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from emulator.core.errors import bad_field, invalid_argument
from emulator.core.resources.labels import check_labels
from emulator.core.timestamps import parse_duration

_ID = re.compile(r"[a-zA-Z0-9_-]{1,255}")
_ALIAS = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,62}")
_NOT_ALIASES = ("latest", "NEW")
_ANNOTATION = re.compile(r"[a-z0-9A-Z]([\w.-]{0,61}[a-z0-9A-Z])?", re.ASCII)
_TOPIC = re.compile(r"projects/[^/]+/topics/[^/]+")
_MAX_ALIASES, _MAX_TOPICS, _MAX_ANNOTATION_BYTES = 50, 10, 16 << 10
_HOUR, _DAY, _CENTURY = 3600, 86_400, 3_153_600_000
_MIN_ROTATION_NOTICE_SECONDS = 300
_MAX_DESTRUCTION_DAYS = 1000

Json = Mapping[str, Any]


def check_id(text: str) -> None:
    """Refuse what is not the id of a secret.

    Raises:
        ApiError: 400
    """
    if not _ID.fullmatch(text):
        raise invalid_argument(
            f"The provided Secret ID [{text}] does not match the expected format "
            "[[a-zA-Z_0-9-]+], or is longer than 255 characters."
        )


def check_secret(secret: Json, *, is_regional: bool) -> None:
    """Refuse settings of a secret that are not valid.

    Args:
        secret: as it is to be from now on
        is_regional: whether its name has a location

    Raises:
        ApiError: 400, naming the field
    """
    check_labels(secret.get("labels", {}))
    _check_annotations(secret.get("annotations", {}))
    _check_replication(secret, is_regional=is_regional)
    _check_aliases(secret.get("versionAliases", {}))
    topics = [topic.get("name", "") for topic in secret.get("topics", [])]
    if len(topics) > _MAX_TOPICS:
        raise bad_field("secret.topics", f"{len(topics)} topics: at most {_MAX_TOPICS}")
    for topic in topics:
        if not _TOPIC.fullmatch(topic):
            raise bad_field("secret.topics", f"topic {topic!r}: projects/PROJECT/topics/TOPIC")
    _check_rotation(secret.get("rotation"), has_topics=bool(topics))
    if "versionDestroyTtl" in secret:
        seconds = _seconds(secret, "versionDestroyTtl")
        if not _DAY <= seconds <= _MAX_DESTRUCTION_DAYS * _DAY:
            raise bad_field(
                "secret.version_destroy_ttl",
                f"version_destroy_ttl {secret['versionDestroyTtl']}: {_DAY}s to "
                f"{_MAX_DESTRUCTION_DAYS * _DAY}s",
            )


def expiry(secret: Json, moment: Callable[[float], str]) -> dict[str, Any]:
    """Return a secret with its `ttl` as `expireTime`.

    Args:
        secret: has one of them at most
        moment: returns a time, from seconds since 1970, as the API writes it

    Raises:
        ApiError: 400 for both of them, or a time that is not valid or in the past
    """
    whole = dict(secret)
    if "ttl" in secret:
        if "expireTime" in secret:
            raise bad_field("secret", "ttl and expire_time: only one of them can be set")
        whole["expireTime"] = moment(time.time() + _seconds(secret, "ttl"))
        del whole["ttl"]
    elif "expireTime" in secret:
        at = instant(secret["expireTime"], "secret.expire_time")
        if at <= time.time():
            raise bad_field("secret.expire_time", f"expire_time {secret['expireTime']} is past")
        whole["expireTime"] = moment(at)
    return whole


def instant(text: str, field: str) -> float:
    """Return a time in RFC 3339, in seconds since 1970.

    Raises:
        ApiError: 400, naming the field
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise bad_field(field, f"{field} {text!r}: a timestamp such as 2026-01-31T00:00:00Z")
    return found.timestamp()


def _check_annotations(annotations: Mapping[str, str]) -> None:
    for key in annotations:
        if not _ANNOTATION.fullmatch(key):
            raise bad_field(
                "secret.annotations",
                f"annotation {key!r}: 1 to 63 letters, digits, -, _ and ., with a letter or a "
                "digit at both ends",
            )
    size = sum(len(f"{key}{value}".encode()) for key, value in annotations.items())
    if size >= _MAX_ANNOTATION_BYTES:
        raise bad_field(
            "secret.annotations",
            f"annotations of {size} bytes: less than {_MAX_ANNOTATION_BYTES}",
        )


def _check_replication(secret: Json, *, is_regional: bool) -> None:
    replication, field = secret.get("replication"), "secret.replication"
    if is_regional:
        if replication is not None:
            raise bad_field(field, "replication can't be set: the secret is regional")
        return
    if "customerManagedEncryption" in secret:
        raise bad_field(
            "secret.customer_managed_encryption",
            "customer_managed_encryption is for regional secrets: set that of the replication",
        )
    if replication is None or len(replication) != 1:
        raise bad_field(field, "replication is required: automatic or user_managed")
    if "userManaged" not in replication:
        return
    locations = [one.get("location", "") for one in replication["userManaged"].get("replicas", [])]
    if not locations or not all(locations) or len({*locations}) < len(locations):
        raise bad_field(
            f"{field}.user_managed.replicas", "replicas: one or more, each with another location"
        )


def _check_aliases(aliases: Mapping[str, Any]) -> None:
    field = "secret.version_aliases"
    if len(aliases) > _MAX_ALIASES:
        raise bad_field(field, f"{len(aliases)} aliases: at most {_MAX_ALIASES}")
    for alias in aliases:
        if not _ALIAS.fullmatch(alias) or alias in _NOT_ALIASES:
            raise bad_field(
                field,
                f"alias {alias!r}: at most 63 letters, digits, - and _, beginning with a letter; "
                "not 'latest' or 'NEW'",
            )


def _check_rotation(rotation: Json | None, *, has_topics: bool) -> None:
    if rotation is None:
        return
    field = "secret.rotation"
    if not has_topics:
        raise bad_field(field, "rotation needs topics, which are notified of it")
    if "rotationPeriod" in rotation:
        if "nextRotationTime" not in rotation:
            raise bad_field(field, "rotation_period needs next_rotation_time")
        seconds = _seconds(rotation, "rotationPeriod")
        if not _HOUR <= seconds <= _CENTURY:
            raise bad_field(field, f"rotation_period {seconds:.0f}s: {_HOUR}s to {_CENTURY}s")


def check_next_rotation(rotation: Json | None) -> None:
    """Refuse a next rotation that is too near or too far; checked where a request sets it.

    Raises:
        ApiError: 400
    """
    text = (rotation or {}).get("nextRotationTime")
    if text is None:
        return
    ahead = instant(text, "secret.rotation.next_rotation_time") - time.time()
    if not _MIN_ROTATION_NOTICE_SECONDS <= ahead <= _CENTURY:
        raise bad_field(
            "secret.rotation.next_rotation_time",
            f"next_rotation_time {text}: {_MIN_ROTATION_NOTICE_SECONDS}s to {_CENTURY}s from now",
        )


def _seconds(body: Json, field: str) -> float:
    try:
        return parse_duration(body[field])
    except ValueError as error:
        raise bad_field(field, f"{field}: {error}") from None
