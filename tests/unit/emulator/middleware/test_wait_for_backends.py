"""Requests that need a backend wait for it, with a limit; all others do not."""

from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from emulator.middleware import wait_for_backends
from emulator.middleware.wait_for_backends import WaitForBackendsMiddleware

STORE = "/v1/projects/p/locations/l/datasets/d/dicomStores/s"
WAITING = [
    "/bigquery/v2/projects/p/datasets",
    "/storage/v1/b/lab/o",
    "/upload/storage/v1/b/lab/o",
    f"{STORE}:import",
    f"{STORE}:export",
]


class Starting:
    """Backends that are ready after some calls."""

    def __init__(self, calls: int, failure: str = "") -> None:
        self._calls, self._failure = calls, failure
        self.asked = 0

    def ready(self) -> bool:
        self.asked += 1
        return self.asked > self._calls

    def failure(self) -> str:
        return self._failure


def answer(path: str, backends: Starting) -> Any:
    def served(_request: Request) -> Response:
        return PlainTextResponse("served")

    app = Starlette(
        routes=[Route("/{path:path}", served)],
        middleware=[Middleware(WaitForBackendsMiddleware, backends=backends)],
    )
    with TestClient(app) as client:
        return client.get(path)


@pytest.mark.parametrize("path", WAITING)
def test_a_request_waits_until_the_backends_are_ready(path: str) -> None:
    backends = Starting(calls=3)
    assert answer(path, backends).status_code == 200
    assert backends.asked == 4


@pytest.mark.parametrize("path", [f"{STORE}/dicomWeb/studies", STORE, "/_emulator/health"])
def test_other_requests_do_not_wait(path: str) -> None:
    backends = Starting(calls=1000)
    assert answer(path, backends).status_code == 200
    assert backends.asked == 1


@pytest.mark.parametrize("path", WAITING)
def test_a_failed_backend_is_reported_at_once(path: str) -> None:
    refused = answer(path, Starting(calls=1000, failure="BigQuery ended with 1"))
    assert refused.status_code == 503
    assert refused.json()["error"]["message"].endswith("not ready: BigQuery ended with 1.")


def test_the_wait_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wait_for_backends, "MAX_WAIT_SECONDS", 0.05)
    assert answer(WAITING[0], Starting(calls=1000)).status_code == 503
