"""Requests and answers of Pub/Sub."""

import re
from typing import Any

from emulator.errors import invalid_argument
from emulator.http import Call, page

SERVICE = "pubsub.googleapis.com"
_FIELDS = frozenset(
    {
        "ingestionDataSourceSettings",
        "kmsKeyName",
        "labels",
        "messageRetentionDuration",
        "messageStoragePolicy",
        "messageTransforms",
        "schemaSettings",
        "tags",
    }
)


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
    _check_fields(set(call.body) - {"name"})
    return call.cloud.topics.create(name(call), call.body)


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
    topic = call.body.get("topic", {})
    mask = call.body.get("updateMask") or call.query.get("updateMask", "")
    fields = {re.sub("_([a-z])", lambda m: m[1].upper(), f) for f in mask.split(",") if f}
    if not isinstance(topic, dict) or not fields:
        raise invalid_argument("The update_mask in the UpdateTopicRequest must be set.")
    _check_fields(fields)
    return call.cloud.topics.update(name(call), {field: topic.get(field) for field in fields})


def delete(call: Call) -> dict[str, Any]:
    """Delete a topic."""
    call.cloud.topics.delete(name(call))
    return {}


def _check_fields(fields: set[str]) -> None:
    for field in sorted(fields - _FIELDS):
        raise invalid_argument(
            f'Invalid JSON payload received. Unknown name "{field}": Cannot find field.'
        )
