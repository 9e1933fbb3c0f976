"""What a subscription may ask for, and what a message may hold.

The limits are those of the API's reference and of https://cloud.google.com/pubsub/quotas.
"""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from emulator.errors import invalid_argument, not_found, unimplemented
from emulator.labels import check_labels

MOST_SECONDS = 600
_MINUTE, _DAY = 60, 86400
_ELSEWHERE = ("bigqueryConfig", "bigtableConfig", "cloudStorageConfig", "messageTransforms")
_DURATION = re.compile(r"\d+(?:\.\d{1,9})?s")
_MOST_MESSAGES, _MOST_ATTRIBUTES, _MOST_KEY, _MOST_VALUE = 1000, 100, 256, 1024


def subscription(body: Mapping[str, Any], topic_exists: Callable[[str], bool]) -> None:
    """Refuse settings that Pub/Sub refuses, and deliveries that are not served here.

    Args:
        body: A subscription, or the part of one that changes.
        topic_exists: Whether there is a topic of a full name.

    Raises:
        ApiError: 400 naming the setting, 404 for a dead-letter topic that is not there, 501.
    """
    check_labels(body.get("labels", {}))
    if elsewhere := [field for field in _ELSEWHERE if body.get(field)]:
        raise unimplemented(f"subscriptions with {elsewhere[0]} are not served here")
    seconds = body.get("ackDeadlineSeconds")
    if seconds and not 10 <= seconds <= MOST_SECONDS:
        raise invalid_argument(f"ack_deadline_seconds {seconds}: 10 to {MOST_SECONDS}")
    _duration(body, "messageRetentionDuration", 10 * _MINUTE, 31 * _DAY)
    _duration(body.get("expirationPolicy", {}), "ttl", _DAY, None)
    retry = body.get("retryPolicy", {})
    for field in ("minimumBackoff", "maximumBackoff"):
        _duration(retry, field, 0, MOST_SECONDS)
    _dead_letters(body.get("deadLetterPolicy"), topic_exists)
    _endpoint(body.get("pushConfig", {}).get("pushEndpoint", ""))


def seconds_of(duration: str) -> float:
    """`1.5s` as seconds.

    Raises:
        ApiError: 400 for what is no duration.
    """
    if not _DURATION.fullmatch(duration):
        raise invalid_argument(f"{duration!r} is no duration: seconds, ended by s, such as 600s")
    return float(duration[:-1])


def _duration(body: Mapping[str, Any], field: str, least: float, most: float | None) -> None:
    if field in body:
        seconds = seconds_of(body[field])
        if seconds < least or (most is not None and seconds > most):
            limits = f"{least}s or more" if most is None else f"{least}s to {most}s"
            raise invalid_argument(f"{field} {body[field]}: {limits}")


def _dead_letters(policy: Mapping[str, Any] | None, topic_exists: Callable[[str], bool]) -> None:
    if policy is None:
        return
    topic = policy.get("deadLetterTopic", "")
    if not topic:
        raise invalid_argument("a deadLetterPolicy needs a deadLetterTopic")
    if not topic_exists(topic):
        raise not_found(f"Resource not found (resource={topic.rpartition('/')[2]}).")
    attempts = policy.get("maxDeliveryAttempts", 5)
    if not 5 <= attempts <= 100:
        raise invalid_argument(f"maxDeliveryAttempts {attempts}: 5 to 100")


def _endpoint(url: str) -> None:
    """Any host will do, a public one too; what can't be a web address will not."""
    if not url:
        return
    try:
        parts = urlsplit(url)
        readable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        readable = False
    if not readable:
        # A push endpoint may carry a token, which has no place in an error.
        raise invalid_argument("Invalid push endpoint given: https://HOST/PATH, or http:// here.")


def messages(given: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Messages as they are kept: data as plain base64, and what only the server sets left out.

    Raises:
        ApiError: 400 for no message, for an empty one, for data that is no base64.
    """
    if not given:
        raise invalid_argument("The list of messages is empty.")
    if len(given) > _MOST_MESSAGES:
        raise invalid_argument(f"{len(given)} messages: a request has {_MOST_MESSAGES} at most")
    return [_message(one) for one in given]


def _message(given: Mapping[str, Any]) -> dict[str, Any]:
    fields = ("data", "attributes", "orderingKey")
    message = {field: given[field] for field in fields if given.get(field)}
    if "data" in message:
        message["data"] = _base64(message["data"])
    if not message.get("data") and not message.get("attributes"):
        raise invalid_argument("One or more messages in the publish request is empty.")
    attributes = message.get("attributes", {})
    if len(attributes) > _MOST_ATTRIBUTES:
        raise invalid_argument(f"{len(attributes)} attributes: {_MOST_ATTRIBUTES} at most")
    for key, value in attributes.items():
        if not key or len(key.encode()) > _MOST_KEY or key.startswith("goog"):
            raise invalid_argument(
                f"attribute {key[:80]!r}: 1 to {_MOST_KEY} bytes, and not beginning with goog"
            )
        if len(value.encode()) > _MOST_VALUE:
            raise invalid_argument(f"the value of attribute {key!r}: {_MOST_VALUE} bytes at most")
    return message


def _base64(data: str) -> str:
    # JSON of protocol buffers takes both alphabets, with padding or without.
    plain = data.translate(str.maketrans("-_", "+/")).rstrip("=")
    try:
        raw = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except binascii.Error:
        raise invalid_argument("Invalid value at 'messages.data' (TYPE_BYTES)") from None
    return base64.b64encode(raw).decode()
