"""Paths of Pub/Sub (https://cloud.google.com/pubsub/docs/reference/rest)."""

from collections.abc import Iterator

from starlette.routing import Route

from emulator.http import routes as versions
from emulator.iam.responses import policy_routes
from emulator.pubsub import responses
from emulator.pubsub import subscription_responses as subscriptions

_TOPICS = "/projects/{project}/topics"
_TOPIC = f"{_TOPICS}/{{topic:id}}"
_SUBSCRIPTIONS = "/projects/{project}/subscriptions"
_SUBSCRIPTION = f"{_SUBSCRIPTIONS}/{{subscription:id}}"


def routes() -> Iterator[Route]:
    """Every route of the service."""
    yield from policy_routes(_TOPIC, responses.name, responses.exists, "pubsub")
    yield from versions("GET", _TOPICS, responses.list_topics)
    yield from versions("PUT", _TOPIC, responses.create)
    yield from versions("GET", _TOPIC, responses.get)
    yield from versions("PATCH", _TOPIC, responses.patch)
    yield from versions("DELETE", _TOPIC, responses.delete)
    yield from versions("POST", f"{_TOPIC}:publish", subscriptions.publish)
    yield from versions("GET", f"{_TOPIC}/subscriptions", subscriptions.list_of_topic)
    yield from policy_routes(_SUBSCRIPTION, subscriptions.name, subscriptions.exists, "pubsub")
    yield from versions("GET", _SUBSCRIPTIONS, subscriptions.list_subscriptions)
    yield from versions("PUT", _SUBSCRIPTION, subscriptions.create)
    yield from versions("GET", _SUBSCRIPTION, subscriptions.get)
    yield from versions("PATCH", _SUBSCRIPTION, subscriptions.patch)
    yield from versions("DELETE", _SUBSCRIPTION, subscriptions.delete)
    yield from versions("POST", f"{_SUBSCRIPTION}:pull", subscriptions.pull)
    yield from versions("POST", f"{_SUBSCRIPTION}:acknowledge", subscriptions.acknowledge)
    deadline = subscriptions.modify_ack_deadline
    yield from versions("POST", f"{_SUBSCRIPTION}:modifyAckDeadline", deadline)
    push = subscriptions.modify_push_config
    yield from versions("POST", f"{_SUBSCRIPTION}:modifyPushConfig", push)
