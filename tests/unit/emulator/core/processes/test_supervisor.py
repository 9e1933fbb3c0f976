"""The watch over the services beside the emulator's own, on services that take no time to start."""

import sys
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import psutil
import pytest

from emulator.core.processes import ports, supervisor
from emulator.core.processes.supervisor import ProcessSpec, Supervisor
from emulator.server import backends
from tests.support.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.sockets

SLEEP = (sys.executable, "-S", "-c", "import time; time.sleep(600)")
FAIL = (sys.executable, "-S", "-c", "raise SystemExit(7)")


class _Healthy(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        """Keep the tests' output clean."""


@pytest.fixture(scope="module")
def healthy() -> Iterator[str]:
    """An address that says that all is well."""
    server = HTTPServer(("127.0.0.1", 0), _Healthy)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Callable[..., tuple[Supervisor, list[int]]]]:
    """Starts services, and gives them with the ids of their processes as they are noted."""
    started: list[Supervisor] = []

    def run(*services: ProcessSpec) -> tuple[Supervisor, list[int]]:
        pids: list[int] = []
        started.append(Supervisor(services, tmp_path, pids.extend))
        started[-1].start()
        return started[-1], pids

    yield run
    for one in started:
        one.stop()


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_ready_is_when_all_answer(run: Callable[..., tuple[Supervisor, list[int]]]) -> None:
    closed = ports.free_port()
    watched, _ = run(ProcessSpec("silent", SLEEP, f"http://127.0.0.1:{closed}"))
    assert watched.states() == {"silent": "starting"}
    assert not watched.ready()

    server = HTTPServer(("127.0.0.1", closed), _Healthy)
    Thread(target=server.serve_forever, daemon=True).start()
    until(watched.ready)
    server.shutdown()
    server.server_close()
    assert watched.states() == {"silent": "ready"}


def test_one_that_ends_again_and_again_is_given_up(
    run: Callable[..., tuple[Supervisor, list[int]]], monkeypatch: pytest.MonkeyPatch, healthy: str
) -> None:
    monkeypatch.setattr(supervisor, "RESTART_DELAYS_SECONDS", (0.01, 0.01))
    watched, pids = run(ProcessSpec("broken", FAIL, healthy), ProcessSpec("sound", SLEEP, healthy))

    until(watched.failed)

    assert watched.failed() == {"broken": "ended with 7"}
    assert watched.states()["broken"] == "failed"
    assert not watched.ready()
    assert len(set(pids)) == 4  # three tries, and the one that is well


def test_what_can_not_be_made_ready_is_given_up_and_says_why(
    run: Callable[..., tuple[Supervisor, list[int]]], healthy: str
) -> None:
    def refuse() -> None:
        raise OSError(28, "No space left on device", "/full")

    watched, pids = run(ProcessSpec("full", SLEEP, healthy, prepare=refuse))
    until(watched.failed)

    [reason] = watched.failed().values()
    assert "No space left on device: '/full'" in reason
    assert pids == []


def test_one_can_start_again_on_an_empty_folder(
    run: Callable[..., tuple[Supervisor, list[int]]], healthy: str, tmp_path: Path
) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "rows").write_text("old")
    watched, pids = run(ProcessSpec("store", SLEEP, healthy))
    until(watched.ready)

    watched.restart_empty("store", folder)
    assert not watched.ready()
    until(watched.ready)

    assert list(folder.iterdir()) == []
    assert len(set(pids)) == 2
    assert not psutil.pid_exists(pids[0])


def test_none_survives_the_stop(
    run: Callable[..., tuple[Supervisor, list[int]]], healthy: str
) -> None:
    watched, pids = run(ProcessSpec("a", SLEEP, healthy), ProcessSpec("b", SLEEP, healthy))
    until(watched.ready)

    watched.stop()

    assert [pid for pid in set(pids) if psutil.pid_exists(pid)] == []


def test_a_service_is_not_led_astray_by_variables_of_the_user(tmp_path: Path) -> None:
    environment = backends.bigquery(1, 2, tmp_path / "bigquery", tmp_path).environment

    assert environment["BQEMU_REST_HOST"] == environment["BQEMU_GRPC_HOST"] == "127.0.0.1"
    assert environment["BQEMU_ENABLE_FORMAT_EXTENSIONS"] == "false"
    assert environment["BQEMU_UPLOAD_STAGING_DIR"].startswith(str(tmp_path))
