"""Requests and answers of Pub/Sub.

Inferred (conformance: pubsub-update-mask-text): the text of a refusal.
"""

from collections.abc import Collection
from functools import partial
from typing import Any

from emulator.core.discovery import api
from emulator.core.errors import invalid_argument
from emulator.core.resources.field_mask import FieldMask
from emulator.core.resources.labels import check_labels
from emulator.core.resources.paging import Fetch, Json, paginate
from emulator.core.rest import Call
from emulator.services.pubsub.service import PubSub
from emulator.services.pubsub.topics import Topic

_OUTPUT = frozenset({"satisfiesPzs", "state"})
"""Fields of a topic that only the server sets: a client may send back what it got."""
_FIXED = _OUTPUT | {"name"}
"""Fields of a topic that no update changes."""


def name(call: Call[PubSub]) -> str:
    """Return the full name of the topic in the path."""
    project = call.service.projects.resolve(call.path["project"])
    return f"projects/{project}/topics/{call.path['topic']}"


def without(fields: Collection[str], body: Any) -> Any:
    """Return a message without some of its fields, and any other value unchanged."""
    if not isinstance(body, dict):
        return body
    return {field: value for field, value in body.items() if field not in fields}


def page(call: Call[PubSub], fetch: Fetch, scope: str) -> Json:
    """Return one page of a list.

    Args:
        call: the request
        fetch: reads the items after a key
        scope: the full name of the collection; its last part is the response's field
    """
    field = scope.rpartition("/")[2]
    return paginate(fetch, call.query, field, scope=scope, default=100, maximum=1000)


def exists(call: Call[PubSub], topic: str) -> bool:
    """Whether a topic exists."""
    return call.service.topics.exists(topic)


def create(call: Call[PubSub]) -> dict[str, Any]:
    """Create a topic."""
    messages = api("pubsub", "v1")
    sent = without(_OUTPUT, call.body)
    messages.check("Topic", sent, "topic")
    given = messages.normal("Topic", sent)
    check_labels(given.get("labels", {}))
    return call.service.topics.create(name(call), given)


def get(call: Call[PubSub]) -> dict[str, Any]:
    """One topic."""
    return call.service.topics.get(name(call))


def list_topics(call: Call[PubSub]) -> dict[str, Any]:
    """Return the topics of a project."""
    project = call.service.projects.resolve(call.path["project"])
    return page(call, partial(call.service.topics.page, project), f"projects/{project}/topics")


def patch(call: Call[PubSub]) -> dict[str, Any]:
    """Change the fields of a topic that the mask names."""
    messages = api("pubsub", "v1")
    sent = without(_OUTPUT, call.body.get("topic"))
    messages.check("UpdateTopicRequest", {**call.body, "topic": sent})
    mask = update_mask(call, "Topic", _FIXED)
    topic = messages.normal("Topic", sent or {})

    def change(present: Topic) -> Topic:
        changed = mask.apply(present, topic)
        check_labels(changed.get("labels", {}))
        return changed

    return call.service.topics.update(name(call), change)


def update_mask(call: Call[PubSub], message: str, fixed: Collection[str]) -> FieldMask:
    """Return the mask of an update.

    Args:
        call: the request; its body or its query has the mask
        message: the name of the resource's message
        fixed: the fields that no update changes

    Raises:
        ApiError: 400 for no mask, or for a field that can't be changed
    """
    messages = api("pubsub", "v1")
    text = call.body.get("updateMask") or call.query.get("updateMask", "")
    mask = FieldMask.parse(text, messages, message)
    if not mask.paths:
        raise invalid_argument(f"The update_mask in the Update{message}Request must be set.")
    if wrong := mask.outside(messages.fields(message) - frozenset(fixed)):
        raise invalid_argument(f"Invalid update_mask provided: {', '.join(wrong)}.")
    return mask


def delete(call: Call[PubSub]) -> dict[str, Any]:
    """Delete a topic."""
    call.service.topics.delete(name(call))
    call.service.subscriptions.orphan(name(call))
    return {}
