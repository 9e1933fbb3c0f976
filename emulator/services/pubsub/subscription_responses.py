"""Requests and answers about subscriptions and messages.

Inferred (conformance: pubsub-pull-text, pubsub-acknowledge-text, pubsub-modify-deadline-text): the
texts of refusals.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

from emulator.core.discovery import api
from emulator.core.errors import invalid_argument, not_found
from emulator.core.rest import Call
from emulator.services.pubsub import topic_responses, validation
from emulator.services.pubsub.service import PubSub
from emulator.services.pubsub.subscriptions import Subscription, endpoint

_FIXED = frozenset(
    {"name", "topic", "state", "filter", "enableMessageOrdering", "topicMessageRetentionDuration"}
)
"""Fields of a subscription that no update changes."""
_NOT_KEPT = ("state", "tags", "topicMessageRetentionDuration", "analyticsHubSubscriptionInfo")
"""Fields that only the server sets, or that it takes and never returns; any value is ignored."""
_MAX_PULLED = 1000


def name(call: Call[PubSub]) -> str:
    """Return the full name of the subscription in the path."""
    project = call.service.projects.resolve(call.path["project"])
    return f"projects/{project}/subscriptions/{call.path['subscription']}"


def exists(call: Call[PubSub], subscription: str) -> bool:
    """Whether a subscription exists."""
    return call.service.subscriptions.exists(subscription)


def create(call: Call[PubSub]) -> dict[str, Any]:
    """Create a subscription."""
    messages = api("pubsub", "v1")
    sent = topic_responses.without(_NOT_KEPT, call.body)
    messages.check("Subscription", sent, "subscription")
    given = _settings(call, messages.normal("Subscription", sent))
    topic = given.get("topic", "")
    if not call.service.topics.exists(topic):
        raise not_found(f"Resource not found (resource={topic.rpartition('/')[2]}).")
    created = call.service.subscriptions.create(name(call), given)
    call.service.messages.notify()
    return created


def _settings(call: Call[PubSub], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a subscription to store, after validation."""
    validation.subscription(given, call.service.topics.exists)
    if policy := given.get("deadLetterPolicy"):
        return {**given, "deadLetterPolicy": {"maxDeliveryAttempts": 5, **policy}}
    return dict(given)


def get(call: Call[PubSub]) -> dict[str, Any]:
    """One subscription."""
    return call.service.subscriptions.get(name(call))


def list_subscriptions(call: Call[PubSub]) -> dict[str, Any]:
    """Return the subscriptions of a project."""
    project = call.service.projects.resolve(call.path["project"])
    fetch = partial(call.service.subscriptions.page, project)
    return topic_responses.page(call, fetch, f"projects/{project}/subscriptions")


def list_of_topic(call: Call[PubSub]) -> dict[str, Any]:
    """Return the names of a topic's subscriptions."""
    topic = call.service.topics.get(topic_responses.name(call))["name"]
    fetch = partial(call.service.subscriptions.page_of_topic, topic)
    found = topic_responses.page(call, fetch, f"{topic}/subscriptions")
    return {**found, "subscriptions": [each["name"] for each in found.get("subscriptions", [])]}


def patch(call: Call[PubSub]) -> dict[str, Any]:
    """Change the fields of a subscription that the mask names."""
    messages = api("pubsub", "v1")
    sent = topic_responses.without(_NOT_KEPT, call.body.get("subscription"))
    messages.check("UpdateSubscriptionRequest", {**call.body, "subscription": sent})
    mask = topic_responses.update_mask(call, "Subscription", _FIXED)
    given = messages.normal("Subscription", sent or {})

    def change(present: Subscription) -> Subscription:
        changed = mask.apply(present, given)
        masked = {field: changed[field] for field in mask.fields & changed.keys()}
        return {**changed, **_settings(call, masked)}

    changed = call.service.subscriptions.update(name(call), change)
    call.service.messages.notify()
    return changed


def delete(call: Call[PubSub]) -> dict[str, Any]:
    """Delete a subscription with what waits for it."""
    call.service.subscriptions.delete(name(call))
    call.service.messages.notify()
    return {}


def publish(call: Call[PubSub]) -> dict[str, Any]:
    """Publish messages to a topic."""
    body = _request(call, "PublishRequest")
    topic = call.service.topics.get(topic_responses.name(call))["name"]
    given = validation.messages(body.get("messages", []))
    return {"messageIds": call.service.messages.publish(topic, given)}


def pull(call: Call[PubSub]) -> dict[str, Any]:
    """Take messages; the answer is empty where none is due."""
    body = _request(call, "PullRequest")
    subscription = call.service.subscriptions.get(name(call))
    if endpoint(subscription):
        raise invalid_argument("This method is not supported for push subscriptions.")
    max_messages = body.get("maxMessages", 0)
    if max_messages < 1:
        raise invalid_argument("max_messages must be greater than 0.")
    received = call.service.messages.pull(subscription, min(max_messages, _MAX_PULLED))
    return {"receivedMessages": received} if received else {}


def acknowledge(call: Call[PubSub]) -> dict[str, Any]:
    """Acknowledge messages."""
    body = _request(call, "AcknowledgeRequest")
    subscription = call.service.subscriptions.get(name(call))
    call.service.messages.acknowledge(subscription, _ack_ids(body))
    return {}


def modify_ack_deadline(call: Call[PubSub]) -> dict[str, Any]:
    """Change the acknowledgement deadline of messages; 0 seconds redelivers them."""
    body = _request(call, "ModifyAckDeadlineRequest")
    subscription = call.service.subscriptions.get(name(call))
    seconds = body.get("ackDeadlineSeconds", 0)
    if not 0 <= seconds <= validation.MAX_ACK_DEADLINE_SECONDS:
        raise invalid_argument(
            f"ack_deadline_seconds {seconds}: 0 to {validation.MAX_ACK_DEADLINE_SECONDS}"
        )
    call.service.messages.modify_ack_deadline(subscription, _ack_ids(body), seconds)
    return {}


def modify_push_config(call: Call[PubSub]) -> dict[str, Any]:
    """Set the endpoint of a subscription, or turn it into one that is pulled."""
    config = _request(call, "ModifyPushConfigRequest").get("pushConfig")
    body = _settings(call, {"pushConfig": config} if config else {})
    push_config = body.get("pushConfig", {})
    call.service.subscriptions.update(
        name(call), lambda present: {**present, "pushConfig": push_config}
    )
    call.service.messages.notify()
    return {}


def _request(call: Call[PubSub], message: str) -> dict[str, Any]:
    """Return the body of a request, checked, without nulls."""
    messages = api("pubsub", "v1")
    messages.check(message, call.body)
    return messages.normal(message, call.body)


def _ack_ids(body: Mapping[str, Any]) -> list[str]:
    ids: list[str] = body.get("ackIds", [])
    if not ids:
        raise invalid_argument("No ack ids specified.")
    return ids
