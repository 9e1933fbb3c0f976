"""Paths of Pub/Sub (https://cloud.google.com/pubsub/docs/reference/rest)."""

from collections.abc import Iterator

from starlette.routing import Route

from emulator.http import routes as versions
from emulator.iam.responses import policy_routes
from emulator.pubsub import responses

_TOPICS = "/projects/{project}/topics"
_TOPIC = f"{_TOPICS}/{{topic}}"


def routes() -> Iterator[Route]:
    """Every route of the service."""
    yield from policy_routes(_TOPIC, responses.name, responses.exists)
    yield from versions("GET", _TOPICS, responses.list_topics)
    yield from versions("PUT", _TOPIC, responses.create)
    yield from versions("GET", _TOPIC, responses.get)
    yield from versions("PATCH", _TOPIC, responses.patch)
    yield from versions("DELETE", _TOPIC, responses.delete)
