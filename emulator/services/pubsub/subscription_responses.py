"""Requests and answers about subscriptions and messages."""

from collections.abc import Mapping
from typing import Any

from emulator.discovery import api, camel_case
from emulator.errors import invalid_argument, not_found
from emulator.http import Call, page
from emulator.pubsub import checks, responses
from emulator.pubsub.subscriptions import endpoint

_FIXED = frozenset(
    {"name", "topic", "state", "filter", "enableMessageOrdering", "topicMessageRetentionDuration"}
)
"""Fields of a subscription that no update changes."""
_NOT_KEPT = ("state", "tags", "topicMessageRetentionDuration", "analyticsHubSubscriptionInfo")
"""Fields that only the server sets, or that it takes and never answers: whatever they hold."""
_MOST_PULLED = 1000


def name(call: Call) -> str:
    """The full name of the subscription in the path."""
    project = call.cloud.projects.id_of(call.path["project"])
    call.cloud.services.require(project, responses.SERVICE)
    return f"projects/{project}/subscriptions/{call.path['subscription']}"


def exists(call: Call, subscription: str) -> bool:
    """Whether a subscription is there."""
    return call.cloud.subscriptions.exists(subscription)


def create(call: Call) -> dict[str, Any]:
    """Create a subscription."""
    messages = api("pubsub", "v1")
    sent = responses.without(_NOT_KEPT, call.body)
    messages.check("Subscription", sent, "subscription")
    given = _settings(call, messages.normal("Subscription", sent))
    topic = given.get("topic", "")
    if not call.cloud.topics.exists(topic):
        raise not_found(f"Resource not found (resource={topic.rpartition('/')[2]}).")
    created = call.cloud.subscriptions.create(name(call), given)
    call.cloud.delivery.wake()
    return created


def _settings(call: Call, given: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept of a subscription as it was sent, once it is found to be in order."""
    checks.subscription(given, call.cloud.topics.exists)
    if policy := given.get("deadLetterPolicy"):
        return {**given, "deadLetterPolicy": {"maxDeliveryAttempts": 5, **policy}}
    return dict(given)


def get(call: Call) -> dict[str, Any]:
    """One subscription."""
    return call.cloud.subscriptions.get(name(call))


def list_subscriptions(call: Call) -> dict[str, Any]:
    """The subscriptions of a project."""
    project = call.cloud.projects.id_of(call.path["project"])
    call.cloud.services.require(project, responses.SERVICE)
    found = [*call.cloud.subscriptions.list(project)]
    return page(found, call.query, "subscriptions", default=100, most=1000)


def list_of_topic(call: Call) -> dict[str, Any]:
    """The names of a topic's subscriptions."""
    topic = call.cloud.topics.get(responses.name(call))["name"]
    names = [{"name": each["name"]} for each in call.cloud.subscriptions.of_topic(topic)]
    found = page(names, call.query, "subscriptions", default=100, most=1000)
    return {**found, "subscriptions": [each["name"] for each in found.get("subscriptions", [])]}


def patch(call: Call) -> dict[str, Any]:
    """Change the fields of a subscription that the mask names."""
    messages = api("pubsub", "v1")
    sent = responses.without(_NOT_KEPT, call.body.get("subscription"))
    messages.check("UpdateSubscriptionRequest", {**call.body, "subscription": sent})
    mask = call.body.get("updateMask") or call.query.get("updateMask", "")
    fields = {camel_case(field.strip()).partition(".")[0] for field in mask.split(",") if field}
    if not fields:
        raise invalid_argument("The update_mask in the UpdateSubscriptionRequest must be set.")
    if wrong := sorted(fields - messages.fields("Subscription") | fields & _FIXED):
        raise invalid_argument(f"Invalid update_mask provided: {', '.join(wrong)}.")
    given = messages.normal("Subscription", sent or {})
    body = _settings(call, {field: given[field] for field in fields & given.keys()})
    changed = call.cloud.subscriptions.update(
        name(call), {field: body.get(field) for field in fields}
    )
    call.cloud.delivery.wake()
    return changed


def delete(call: Call) -> dict[str, Any]:
    """Delete a subscription with what waits for it."""
    call.cloud.subscriptions.delete(name(call))
    call.cloud.delivery.wake()
    return {}


def publish(call: Call) -> dict[str, Any]:
    """Publish messages to a topic."""
    body = _request(call, "PublishRequest")
    topic = call.cloud.topics.get(responses.name(call))["name"]
    given = checks.messages(body.get("messages", []))
    return {"messageIds": call.cloud.messages.publish(topic, given)}


def pull(call: Call) -> dict[str, Any]:
    """Take messages; the answer is empty where none is due."""
    body = _request(call, "PullRequest")
    subscription = call.cloud.subscriptions.get(name(call))
    if endpoint(subscription):
        raise invalid_argument("This method is not supported for push subscriptions.")
    most = body.get("maxMessages", 0)
    if most < 1:
        raise invalid_argument("max_messages must be greater than 0.")
    received = call.cloud.messages.take(subscription, min(most, _MOST_PULLED))
    return {"receivedMessages": received} if received else {}


def acknowledge(call: Call) -> dict[str, Any]:
    """Acknowledge messages."""
    body = _request(call, "AcknowledgeRequest")
    subscription = call.cloud.subscriptions.get(name(call))
    call.cloud.messages.acknowledge(subscription, _ack_ids(body))
    return {}


def modify_ack_deadline(call: Call) -> dict[str, Any]:
    """Give more time to acknowledge messages, or have them delivered again."""
    body = _request(call, "ModifyAckDeadlineRequest")
    subscription = call.cloud.subscriptions.get(name(call))
    seconds = body.get("ackDeadlineSeconds", 0)
    if not 0 <= seconds <= checks.MOST_SECONDS:
        raise invalid_argument(f"ack_deadline_seconds {seconds}: 0 to {checks.MOST_SECONDS}")
    call.cloud.messages.postpone(subscription, _ack_ids(body), seconds)
    return {}


def modify_push_config(call: Call) -> dict[str, Any]:
    """Set the endpoint of a subscription, or turn it into one that is pulled."""
    config = _request(call, "ModifyPushConfigRequest").get("pushConfig")
    body = _settings(call, {"pushConfig": config} if config else {})
    call.cloud.subscriptions.update(name(call), {"pushConfig": body.get("pushConfig")})
    call.cloud.delivery.wake()
    return {}


def _request(call: Call, message: str) -> dict[str, Any]:
    """The body of a request, checked, without nulls."""
    messages = api("pubsub", "v1")
    messages.check(message, call.body)
    return messages.normal(message, call.body)


def _ack_ids(body: Mapping[str, Any]) -> list[str]:
    ids: list[str] = body.get("ackIds", [])
    if not ids:
        raise invalid_argument("No ack ids specified.")
    return ids
