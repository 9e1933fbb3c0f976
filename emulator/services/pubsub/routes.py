"""Paths of Pub/Sub (https://cloud.google.com/pubsub/docs/reference/rest)."""

from collections.abc import Iterator
from functools import partial

from starlette.routing import Route

from emulator.core import rest
from emulator.services.iam.responses import policy_routes
from emulator.services.pubsub import subscription_responses as subscriptions
from emulator.services.pubsub import topic_responses
from emulator.services.pubsub.service import PubSub

_TOPICS = "/projects/{project}/topics"
_TOPIC = f"{_TOPICS}/{{topic:id}}"
_SUBSCRIPTIONS = "/projects/{project}/subscriptions"
_SUBSCRIPTION = f"{_SUBSCRIPTIONS}/{{subscription:id}}"


def routes(pubsub: PubSub) -> Iterator[Route]:
    """Yield every route of the service."""
    route = partial(rest.routes, pubsub)
    policies = partial(policy_routes, pubsub.iam, pubsub)
    yield from policies(_TOPIC, topic_responses.name, topic_responses.exists, "pubsub")
    yield from route("GET", _TOPICS, topic_responses.list_topics)
    yield from route("PUT", _TOPIC, topic_responses.create)
    yield from route("GET", _TOPIC, topic_responses.get)
    yield from route("PATCH", _TOPIC, topic_responses.patch)
    yield from route("DELETE", _TOPIC, topic_responses.delete)
    yield from route("POST", f"{_TOPIC}:publish", subscriptions.publish)
    yield from route("GET", f"{_TOPIC}/subscriptions", subscriptions.list_of_topic)
    yield from policies(_SUBSCRIPTION, subscriptions.name, subscriptions.exists, "pubsub")
    yield from route("GET", _SUBSCRIPTIONS, subscriptions.list_subscriptions)
    yield from route("PUT", _SUBSCRIPTION, subscriptions.create)
    yield from route("GET", _SUBSCRIPTION, subscriptions.get)
    yield from route("PATCH", _SUBSCRIPTION, subscriptions.patch)
    yield from route("DELETE", _SUBSCRIPTION, subscriptions.delete)
    yield from route("POST", f"{_SUBSCRIPTION}:pull", subscriptions.pull)
    yield from route("POST", f"{_SUBSCRIPTION}:acknowledge", subscriptions.acknowledge)
    deadline = subscriptions.modify_ack_deadline
    yield from route("POST", f"{_SUBSCRIPTION}:modifyAckDeadline", deadline)
    push = subscriptions.modify_push_config
    yield from route("POST", f"{_SUBSCRIPTION}:modifyPushConfig", push)
