"""The router of log entries, over destinations that only remember."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from emulator.cloud import Cloud
from emulator.core.errors import ApiError, permission_denied, unavailable
from emulator.services.log_sinks.router import SinkRouter

SINK = "projects/p1/sinks/s1"
LOG = "projects/p1/logs/app"


class Remembering:
    """Destinations that keep what they are given."""

    def __init__(self) -> None:
        self.written: list[str] = []
        self.error: ApiError | None = None

    def write(self, sink: Any, routed: Sequence[Any], since: int) -> None:
        if self.error is not None:
            raise self.error
        self.written += [entry["textPayload"] for entry in routed]


@pytest.fixture
def destinations() -> Remembering:
    return Remembering()


@pytest.fixture
def router(cloud: Cloud, destinations: Remembering) -> SinkRouter:
    created: Any = destinations
    return SinkRouter(cloud.database, cloud.logging.sinks, cloud.logging.entries, created)


@pytest.fixture
def write(cloud: Cloud) -> Callable[..., None]:
    def call(text: str, **fields: Any) -> None:
        entry = {"logName": LOG, "resource": {"type": "global"}, "textPayload": text, **fields}
        cloud.logging.entries.write([entry])

    return call


def add_sink(cloud: Cloud, **fields: Any) -> None:
    body = {
        "name": "s1",
        "resourceName": SINK,
        "createTime": "2026-01-01T00:00:00Z",
        "destination": "storage.googleapis.com/b1",
        **fields,
    }
    cloud.logging.sinks.create(SINK, body)


def test_entries_that_match_are_routed_once(
    cloud: Cloud, router: SinkRouter, destinations: Remembering, write: Callable[..., None]
) -> None:
    exclusions = [{"name": "noise", "filter": 'textPayload:"noise"'}]
    add_sink(cloud, filter="severity>=ERROR", exclusions=exclusions)
    router.route()
    write("one", severity="ERROR")
    write("two")
    write("noise", severity="ERROR")
    write("elsewhere", severity="ERROR", logName="projects/p2/logs/app")
    router.route()
    router.route()
    assert destinations.written == ["one"]


def test_entries_from_before_the_sink_stay(
    cloud: Cloud, router: SinkRouter, destinations: Remembering, write: Callable[..., None]
) -> None:
    write("before")
    add_sink(cloud, createTime="2999-01-01T00:00:00Z")
    router.route()
    write("after")
    router.route()
    assert destinations.written == ["after"]


def test_a_disabled_sink_routes_nothing(
    cloud: Cloud, router: SinkRouter, destinations: Remembering, write: Callable[..., None]
) -> None:
    add_sink(cloud, disabled=True)
    write("one")
    router.route()
    assert destinations.written == []


def test_entries_wait_for_a_destination_that_is_unavailable(
    cloud: Cloud, router: SinkRouter, destinations: Remembering, write: Callable[..., None]
) -> None:
    add_sink(cloud)
    destinations.error = unavailable("BigQuery can't be reached")
    write("one")
    router.route()
    destinations.error = None
    router.route()
    assert destinations.written == ["one"]


def test_a_refusal_is_logged_once_and_its_entries_are_lost(
    cloud: Cloud, router: SinkRouter, destinations: Remembering, write: Callable[..., None]
) -> None:
    add_sink(cloud)
    destinations.error = permission_denied("s1 lacks storage.objects.create on the bucket b1")
    for text in ("one", "two"):
        write(text)
        router.route()
    router.route()
    destinations.error = None
    write("three")
    router.route()
    assert destinations.written == ["three"]
    logged = [entry for _, entry in cloud.logging.entries.following("p1", 0, 100)]
    [refused] = [entry for entry in logged if entry["logName"].endswith("sink_error")]
    assert refused["severity"] == "ERROR"
    assert "including sink s1" in refused["textPayload"]
    assert "lacks storage.objects.create" in refused["textPayload"]
