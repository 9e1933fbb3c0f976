"""Validation of subscriptions and messages.

The limits are those of the API's reference and of https://cloud.google.com/pubsub/quotas.

Inferred (conformance: pubsub-deadline-text, pubsub-retention-text, pubsub-dead-letter-text,
pubsub-endpoint-text, pubsub-no-messages-text, pubsub-attribute-text): the texts of refusals.
"""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from emulator.core.errors import invalid_argument, not_found, unimplemented
from emulator.core.json_bytes import decode_bytes, encode_bytes
from emulator.core.resources.labels import check_labels
from emulator.core.timestamps import parse_duration

MAX_ACK_DEADLINE_SECONDS = 600
_MINUTE, _DAY = 60, 86400
_ELSEWHERE = ("bigqueryConfig", "bigtableConfig", "cloudStorageConfig", "messageTransforms")
_MAX_MESSAGES, _MAX_ATTRIBUTES, _MAX_KEY, _MAX_VALUE = 1000, 100, 256, 1024


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
    if seconds and not 10 <= seconds <= MAX_ACK_DEADLINE_SECONDS:
        raise invalid_argument(f"ack_deadline_seconds {seconds}: 10 to {MAX_ACK_DEADLINE_SECONDS}")
    _duration(body, "messageRetentionDuration", 10 * _MINUTE, 31 * _DAY)
    _duration(body.get("expirationPolicy", {}), "ttl", _DAY, None)
    retry = body.get("retryPolicy", {})
    for field in ("minimumBackoff", "maximumBackoff"):
        _duration(retry, field, 0, MAX_ACK_DEADLINE_SECONDS)
    _dead_letters(body.get("deadLetterPolicy"), topic_exists)
    _endpoint(body.get("pushConfig", {}).get("pushEndpoint", ""))


def _duration(body: Mapping[str, Any], field: str, minimum: float, maximum: float | None) -> None:
    if field in body:
        try:
            seconds = parse_duration(body[field])
        except ValueError as error:
            raise invalid_argument(f"{field}: {error}, such as 600s") from None
        if seconds < minimum or (maximum is not None and seconds > maximum):
            limits = f"{minimum}s or more" if maximum is None else f"{minimum}s to {maximum}s"
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
    if len(given) > _MAX_MESSAGES:
        raise invalid_argument(f"{len(given)} messages: a request has {_MAX_MESSAGES} at most")
    return [_message(one) for one in given]


def _message(given: Mapping[str, Any]) -> dict[str, Any]:
    fields = ("data", "attributes", "orderingKey")
    message = {field: given[field] for field in fields if given.get(field)}
    if "data" in message:
        message["data"] = _base64(message["data"])
    if not message.get("data") and not message.get("attributes"):
        raise invalid_argument("One or more messages in the publish request is empty.")
    attributes = message.get("attributes", {})
    if len(attributes) > _MAX_ATTRIBUTES:
        raise invalid_argument(f"{len(attributes)} attributes: {_MAX_ATTRIBUTES} at most")
    for key, value in attributes.items():
        if not key or len(key.encode()) > _MAX_KEY or key.startswith("goog"):
            raise invalid_argument(
                f"attribute {key[:80]!r}: 1 to {_MAX_KEY} bytes, and not beginning with goog"
            )
        if len(value.encode()) > _MAX_VALUE:
            raise invalid_argument(f"the value of attribute {key!r}: {_MAX_VALUE} bytes at most")
    return message


def _base64(data: str) -> str:
    try:
        return encode_bytes(decode_bytes(data))
    except ValueError:
        raise invalid_argument("Invalid value at 'messages.data' (TYPE_BYTES)") from None
