"""Requests and answers about subscriptions and messages."""

from typing import Any

from emulator.discovery import api, camel_case
from emulator.errors import invalid_argument, not_found, unimplemented
from emulator.http import Call, page
from emulator.labels import check_labels
from emulator.pubsub import responses

_FIXED = frozenset(
    {"name", "topic", "state", "filter", "enableMessageOrdering", "topicMessageRetentionDuration"}
)
"""Fields of a subscription that no update changes."""
_MOST_PULLED = 1000
_MOST_SECONDS = 600
_ELSEWHERE = ("bigqueryConfig", "cloudStorageConfig")


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
    messages.check("Subscription", call.body, "subscription")
    given = messages.normal("Subscription", call.body)
    _check(given)
    topic = given.get("topic", "")
    if not call.cloud.topics.exists(topic):
        raise not_found(f"Resource not found (resource={topic.rpartition('/')[2]}).")
    created = call.cloud.subscriptions.create(name(call), given)
    call.cloud.delivery.wake()
    return created


def _check(body: dict[str, Any]) -> None:
    check_labels(body.get("labels", {}))
    if elsewhere := [field for field in _ELSEWHERE if body.get(field)]:
        raise unimplemented(f"subscriptions with {elsewhere[0]} are not served here")
    seconds = body.get("ackDeadlineSeconds")
    if seconds and not 10 <= seconds <= _MOST_SECONDS:
        raise invalid_argument(f"ack_deadline_seconds {seconds}: 10 to {_MOST_SECONDS}")


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
    messages.check("UpdateSubscriptionRequest", call.body)
    mask = call.body.get("updateMask") or call.query.get("updateMask", "")
    fields = {camel_case(field.strip()).partition(".")[0] for field in mask.split(",") if field}
    if not fields:
        raise invalid_argument("The update_mask in the UpdateSubscriptionRequest must be set.")
    if wrong := sorted(fields - messages.fields("Subscription") | fields & _FIXED):
        raise invalid_argument(f"Invalid update_mask provided: {', '.join(wrong)}.")
    body = messages.normal("Subscription", call.body.get("subscription") or {})
    _check(body)
    changed = call.cloud.subscriptions.update(
        name(call), {field: body.get(field) for field in fields}
    )
    call.cloud.delivery.wake()
    return changed


def delete(call: Call) -> dict[str, Any]:
    """Delete a subscription with what waits for it."""
    call.cloud.subscriptions.delete(name(call))
    call.cloud.messages.drop(name(call))
    return {}


def publish(call: Call) -> dict[str, Any]:
    """Publish messages to a topic."""
    api("pubsub", "v1").check("PublishRequest", call.body)
    topic = call.cloud.topics.get(responses.name(call))["name"]
    messages = call.body.get("messages") or []
    if not messages:
        raise invalid_argument("The list of messages is empty.")
    if any(not one.get("data") and not one.get("attributes") for one in messages):
        raise invalid_argument("One or more messages in the publish request is empty.")
    return {"messageIds": call.cloud.messages.publish(topic, messages)}


def pull(call: Call) -> dict[str, Any]:
    """Take messages; the answer is empty where none is due."""
    api("pubsub", "v1").check("PullRequest", call.body)
    subscription = call.cloud.subscriptions.get(name(call))
    if subscription.get("pushConfig", {}).get("pushEndpoint"):
        raise invalid_argument("This method is not supported for push subscriptions.")
    most = call.body.get("maxMessages", 0)
    if most < 1:
        raise invalid_argument("max_messages must be greater than 0.")
    received = call.cloud.messages.take(subscription, min(most, _MOST_PULLED))
    return {"receivedMessages": received} if received else {}


def acknowledge(call: Call) -> dict[str, Any]:
    """Acknowledge messages."""
    api("pubsub", "v1").check("AcknowledgeRequest", call.body)
    subscription = call.cloud.subscriptions.get(name(call))["name"]
    call.cloud.messages.acknowledge(subscription, _ack_ids(call))
    return {}


def modify_ack_deadline(call: Call) -> dict[str, Any]:
    """Give more time to acknowledge messages, or have them delivered again."""
    api("pubsub", "v1").check("ModifyAckDeadlineRequest", call.body)
    subscription = call.cloud.subscriptions.get(name(call))["name"]
    seconds = call.body.get("ackDeadlineSeconds", 0)
    if not 0 <= seconds <= _MOST_SECONDS:
        raise invalid_argument(f"ack_deadline_seconds {seconds}: 0 to {_MOST_SECONDS}")
    call.cloud.messages.postpone(subscription, _ack_ids(call), seconds)
    return {}


def modify_push_config(call: Call) -> dict[str, Any]:
    """Set the endpoint of a subscription, or turn it into one that is pulled."""
    api("pubsub", "v1").check("ModifyPushConfigRequest", call.body)
    fields = {"pushConfig": call.body.get("pushConfig") or None}
    call.cloud.subscriptions.update(name(call), fields)
    call.cloud.delivery.wake()
    return {}


def _ack_ids(call: Call) -> list[str]:
    ids: list[str] = call.body.get("ackIds") or []
    if not ids:
        raise invalid_argument("No ack ids specified.")
    return ids
