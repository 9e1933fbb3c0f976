"""The stand-in of Compute Engine on an emulator: configured, and resources that it makes."""

from collections.abc import Callable
from typing import Any

from emulator.server.server_file import ServerInfo
from tests.support import http
from tests.support.plugin import Engine, configured_for

REGION = "us-central1"

Values = dict[str, Any]
Make = Callable[[str, Values], tuple[str, Values]]


def configured(emulator: ServerInfo, project: str) -> Engine:
    """Return the stand-in, configured for the emulator and a region."""
    found = configured_for(emulator, project, region=REGION)
    path = f"{emulator.url}/v1/projects/{project}/services/compute.googleapis.com:enable"
    http.post(path, json={}).raise_for_status()
    return found


def maker(engine: Engine) -> Make:
    """Return what creates a resource: a refresh changes nothing, and a second run does nothing."""

    def make(type_: str, news: Values) -> tuple[str, Values]:
        id_, state = engine.create(type_, news)
        _, read, _ = engine.read(type_, id_, state, engine.inputs(type_, news))
        assert read == state
        assert changes(engine, type_, id_, read, news) == set()
        return id_, state

    return make


def changes(engine: Engine, type_: str, id_: str, state: Values, news: Values) -> set[str]:
    """Return the paths of what differs."""
    return set(engine.diff(type_, id_, state, news).detailedDiff)
