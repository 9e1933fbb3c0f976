"""Requests and answers of Pub/Sub."""

from typing import Any

from emulator.discovery import api, camel_case
from emulator.errors import invalid_argument
from emulator.http import Call, page
from emulator.labels import check_labels

SERVICE = "pubsub.googleapis.com"
_FIXED = frozenset({"name", "satisfiesPzs", "state"})
"""Fields of a topic that no update changes."""


def name(call: Call) -> str:
    """The full name of the topic in the path."""
    project = call.cloud.projects.id_of(call.path["project"])
    call.cloud.services.require(project, SERVICE)
    return f"projects/{project}/topics/{call.path['topic']}"


def exists(call: Call, topic: str) -> bool:
    """Whether a topic is there."""
    return call.cloud.topics.exists(topic)


def create(call: Call) -> dict[str, Any]:
    """Create a topic."""
    messages = api("pubsub", "v1")
    messages.check("Topic", call.body, "topic")
    given = messages.normal("Topic", call.body)
    check_labels(given.get("labels", {}))
    return call.cloud.topics.create(name(call), given)


def get(call: Call) -> dict[str, Any]:
    """One topic."""
    return call.cloud.topics.get(name(call))


def list_topics(call: Call) -> dict[str, Any]:
    """The topics of a project."""
    project = call.cloud.projects.id_of(call.path["project"])
    call.cloud.services.require(project, SERVICE)
    return page(call.cloud.topics.list(project), call.query, "topics", default=100, most=1000)


def patch(call: Call) -> dict[str, Any]:
    """Change the fields of a topic that the mask names."""
    messages = api("pubsub", "v1")
    messages.check("UpdateTopicRequest", call.body)
    mask = call.body.get("updateMask") or call.query.get("updateMask", "")
    fields = {camel_case(field.strip()).partition(".")[0] for field in mask.split(",") if field}
    if not fields:
        raise invalid_argument("The update_mask in the UpdateTopicRequest must be set.")
    if wrong := sorted(fields - messages.fields("Topic") | fields & _FIXED):
        raise invalid_argument(f"Invalid update_mask provided: {', '.join(wrong)}.")
    topic = messages.normal("Topic", call.body.get("topic") or {})
    check_labels(topic.get("labels", {}))
    return call.cloud.topics.update(name(call), {field: topic.get(field) for field in fields})


def delete(call: Call) -> dict[str, Any]:
    """Delete a topic."""
    call.cloud.topics.delete(name(call))
    call.cloud.subscriptions.orphan(name(call))
    return {}
