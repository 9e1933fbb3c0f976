"""One message as a push endpoint gets it (https://cloud.google.com/pubsub/docs/push)."""

import base64
import re
from collections.abc import Mapping
from typing import Any

import httpx

from emulator.services.pubsub import push_token
from emulator.services.pubsub.subscriptions import Subscription

_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_PRINTABLE = re.compile(r"[\x20-\x7e]*")
_OURS = frozenset({"host", "connection", "content-length", "transfer-encoding"})
"""Headers that say where a request ends and where it goes: no attribute is taken for one."""
_CONNECT_SECONDS = 10.0


def post(
    client: httpx.Client, subscription: Subscription, received: Mapping[str, Any]
) -> str | None:
    """Post one message, and wait for the response until the acknowledgement deadline.

    Args:
        client: The HTTP client.
        subscription: Its `pushConfig` has the endpoint and the format.
        received: The message as `Messages.pull` returns it.

    Returns:
        Why the endpoint did not acknowledge it; None if it did. No text of the endpoint's or of its
        address, either of which may hold what is secret.
    """
    config = subscription["pushConfig"]
    deadline = httpx.Timeout(subscription["ackDeadlineSeconds"], connect=_CONNECT_SECONDS)
    content = _bare if "noWrapper" in config else _wrapped
    request = content(subscription, received)
    headers = {**request.pop("headers", {}), **push_token.authorization(subscription)}
    try:
        answer = client.post(config["pushEndpoint"], timeout=deadline, headers=headers, **request)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        return type(error).__name__
    return None if answer.is_success else f"status {answer.status_code}"


def _wrapped(subscription: Subscription, received: Mapping[str, Any]) -> dict[str, Any]:
    message = received["message"]
    # Pub/Sub spells these two both ways.
    both = {"message_id": message["messageId"], "publish_time": message["publishTime"]}
    attempt = {key: received[key] for key in ("deliveryAttempt",) if key in received}
    body = {"message": {**message, **both}, "subscription": subscription["name"], **attempt}
    return {"json": body}


def _bare(subscription: Subscription, received: Mapping[str, Any]) -> dict[str, Any]:
    """Return the data alone, and with `writeMetadata` the rest as headers."""
    message = received["message"]
    has_metadata = subscription["pushConfig"]["noWrapper"].get("writeMetadata")
    headers = _headers(message, subscription["name"]) if has_metadata else {}
    return {"content": base64.b64decode(message.get("data", "")), "headers": headers}


def _headers(message: Mapping[str, Any], subscription: str) -> dict[str, str]:
    attributes = {
        key: value
        for key, value in message.get("attributes", {}).items()
        if _HEADER.fullmatch(key) and _PRINTABLE.fullmatch(value) and key.lower() not in _OURS
    }
    ordering = {"x-goog-pubsub-ordering-key": message.get("orderingKey", "")}
    return {
        **attributes,
        "x-goog-pubsub-subscription-name": subscription,
        "x-goog-pubsub-message-id": message["messageId"],
        "x-goog-pubsub-publish-time": message["publishTime"],
        **{key: value for key, value in ordering.items() if value},
    }
