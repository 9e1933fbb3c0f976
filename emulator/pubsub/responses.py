"""Requests and answers of Pub/Sub."""

from collections.abc import Collection
from typing import Any

from emulator.discovery import api, camel_case
from emulator.errors import invalid_argument
from emulator.http import Call, page
from emulator.labels import check_labels

SERVICE = "pubsub.googleapis.com"
_OUTPUT = frozenset({"satisfiesPzs", "state"})
"""Fields of a topic that only the server sets: a client may send back what it got."""
_FIXED = _OUTPUT | {"name"}
"""Fields of a topic that no update changes."""


def name(call: Call) -> str:
    """The full name of the topic in the path."""
    project = call.cloud.projects.id_of(call.path["project"])
    call.cloud.services.require(project, SERVICE)
    return f"projects/{project}/topics/{call.path['topic']}"


def without(fields: Collection[str], body: Any) -> Any:
    """A message without some of its fields; what is no message stays as it is."""
    if not isinstance(body, dict):
        return body
    return {field: value for field, value in body.items() if field not in fields}


def exists(call: Call, topic: str) -> bool:
    """Whether a topic is there."""
    return call.cloud.topics.exists(topic)


def create(call: Call) -> dict[str, Any]:
    """Create a topic."""
    messages = api("pubsub", "v1")
    sent = without(_OUTPUT, call.body)
    messages.check("Topic", sent, "topic")
    given = messages.normal("Topic", sent)
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
    sent = without(_OUTPUT, call.body.get("topic"))
    messages.check("UpdateTopicRequest", {**call.body, "topic": sent})
    mask = call.body.get("updateMask") or call.query.get("updateMask", "")
    fields = {camel_case(field.strip()).partition(".")[0] for field in mask.split(",") if field}
    if not fields:
        raise invalid_argument("The update_mask in the UpdateTopicRequest must be set.")
    if wrong := sorted(fields - messages.fields("Topic") | fields & _FIXED):
        raise invalid_argument(f"Invalid update_mask provided: {', '.join(wrong)}.")
    topic = messages.normal("Topic", sent or {})
    check_labels(topic.get("labels", {}))
    return call.cloud.topics.update(name(call), {field: topic.get(field) for field in fields})


def delete(call: Call) -> dict[str, Any]:
    """Delete a topic."""
    call.cloud.topics.delete(name(call))
    call.cloud.subscriptions.orphan(name(call))
    return {}
