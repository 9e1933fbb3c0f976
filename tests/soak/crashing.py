"""An emulator that is killed again and again, and what it has promised before."""

import itertools
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import psutil

from emulator.core import http_client
from emulator.server import lifecycle
from emulator.server.errors import EmulatorError
from emulator.server.server_file import ServerInfo
from tests.support.dicom_files import make_dicom
from tests.support.waiting import wait_until

PATIENCE_SECONDS = 60.0
PROJECT = "crash-project"
LOCATION = f"projects/{PROJECT}/locations/us-central1"
GONE = None
Key = tuple[str, str]
"""A way to look, and where to."""
Changes = Mapping[Key, Any]
ROLES = ("roles/storage.objectAdmin", "roles/bigquery.admin", "roles/pubsub.publisher")
_numbers = itertools.count(1)


class Cut(Exception):  # noqa: N818 - no error: it is what the tests are after
    """The emulator was killed before it answered."""


class Promises:
    """Allowed values of each thing: one once a change was acknowledged, else two."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._allowed: dict[Key, set[Any]] = {}
        self.acknowledged = 0

    @contextmanager
    def change(self, changes: Changes) -> Iterator[None]:
        """A change of things: if what is inside ends well, it has happened."""
        with self._lock:
            for key, value in changes.items():
                self._allowed.setdefault(key, {GONE}).add(value)
        yield
        self.happened(changes)

    def happened(self, changes: Changes) -> None:
        """Hold to what was acknowledged."""
        with self._lock:
            self._allowed.update({key: {value} for key, value in changes.items()})
            self.acknowledged += len(changes)

    def allowed(self) -> dict[Key, set[Any]]:
        """Allowed values of each thing."""
        with self._lock:
            return {key: set(values) for key, values in self._allowed.items()}

    def hold(self, found: Changes) -> None:
        """Hold to what was found of some things, and forget the others."""
        with self._lock:
            self._allowed = {key: {value} for key, value in found.items()}

    def now(self, key: Key) -> Any:
        """The value of a thing that is not in doubt."""
        [value] = self.allowed().get(key, {GONE})
        return value


class KilledEmulator:
    """An emulator on one state folder, killed and started again."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.running: ServerInfo
        self.client: httpx.Client
        self.promises = Promises()
        self.started: dict[str, Changes] = {}
        self.notified: set[str] = set()
        self.kills = 0

    def start(self) -> None:
        """Start it on what the last one left."""
        self.running = lifecycle.start(self.state, all_services_enabled=True)
        self.client = http_client.client(self.running.url, seconds=PATIENCE_SECONDS)

    def kill_at_start(self, seconds: float, *, everything: bool) -> None:
        """Kill it some time after its start began, ready or not."""
        starting = threading.Thread(target=self._try_to_start)
        starting.start()
        starting.join(seconds)
        for server in servers(self.state):
            self._kill(server, everything=everything)
        starting.join()

    def _try_to_start(self) -> None:
        with suppress(EmulatorError):
            self.start()

    def kill(self, *, everything: bool) -> None:
        """Kill the server, or it and all that it started, at once."""
        self._kill(psutil.Process(self.running.pid), everything=everything)

    def _kill(self, server: psutil.Process, *, everything: bool) -> None:
        others = server.children(recursive=True)
        for process in [server, *(others if everything else [])]:
            process.kill()
        self.kills += 1
        # Those that are left end by themselves; one that does not would be found here.
        _, alive = psutil.wait_procs([server, *others], timeout=PATIENCE_SECONDS)
        assert not alive, f"{alive} outlived the server"

    def stop(self) -> None:
        """End it."""
        lifecycle.stop(self.state)

    def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        """One call.

        Raises:
            Cut: it was killed meanwhile.
            HTTPStatusError: it refused.
        """
        try:
            answer = self.client.request(method, path, **options)
        except httpx.TransportError as error:
            raise Cut from error
        if answer.is_error:
            raise AssertionError(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer

    def json(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        """One call whose answer is JSON."""
        content: dict[str, Any] = self.call(method, path, json=body).json()
        return content

    def find(self, path: str) -> bytes | None:
        """Return the resource at a path; None for a 404."""
        answer = self.client.get(path)
        assert answer.status_code in (200, 404), f"GET {path}: {answer.status_code} {answer.text}"
        return answer.content if answer.status_code == 200 else None

    def change(self, method: str, path: str, body: object, changes: Changes) -> dict[str, Any]:
        """One call that changes things."""
        with self.promises.change(changes):
            return self.json(method, path, body)

    def operate(self, method: str, path: str, body: object, changes: Changes) -> None:
        """One call that starts an operation, which changes things; waits for its end."""
        with self.promises.change(changes):
            name: str = self.json(method, path, body)["name"]
            self.started[name] = changes
            self.done(name)
        del self.started[name]

    def persist(self) -> None:
        """See what was started before a kill end well: it counts as acknowledged."""
        for name, changes in [*self.started.items()]:
            self.done(name)
            self.promises.happened(changes)
        self.started.clear()

    def done(self, name: str) -> dict[str, Any]:
        """An operation, once it is done, and well."""

        def look() -> dict[str, Any]:
            found = self.json("GET", f"/v1/{name}")
            return found if found.get("done") else {}

        ended: dict[str, Any] = self.until(look, f"{name} has not ended")
        assert "response" in ended, ended
        return ended

    def until(self, look: Callable[[], Any], complaint: str) -> Any:
        """Wait for something."""
        return wait_until(look, complaint)


def kill_at_work(
    victim: KilledEmulator,
    works: Sequence[Callable[[], None]],
    seconds: float,
    *,
    everything: bool,
) -> None:
    """Do works at once, each again and again, until the emulator is killed.

    Args:
        victim: runs before, and no longer afterwards
        works: each raises `Cut` when it is killed
        seconds: until then
        everything: whether the processes that it started are killed too
    """
    failures: list[BaseException] = []

    def repeat(work: Callable[[], None]) -> None:
        try:
            while True:
                work()
        except Cut:
            return
        except BaseException as error:  # noqa: BLE001 - raised by the thread that waits
            failures.append(error)

    threads = [threading.Thread(target=repeat, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    threads[0].join(seconds)
    victim.kill(everything=everything)
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def image(study: str, series: str | None = None) -> tuple[str, bytes]:
    """A new instance: its path below `dicomWeb/`, and its file."""
    number = next(_numbers)
    uids = {
        "StudyInstanceUID": study,
        "SeriesInstanceUID": series or f"{study}.{number}",
        "SOPInstanceUID": f"1.2.9.{number}",
    }
    content = make_dicom(PatientComments=f"instance {number}", **uids)
    levels = zip(("studies", "series", "instances"), uids.values(), strict=True)
    return "/".join(f"{level}/{uid}" for level, uid in levels), content


def fresh(prefix: str) -> str:
    """A name that was not there before."""
    return f"{prefix}{next(_numbers)}"


def servers(state: Path) -> list[psutil.Process]:
    """Return the emulators of a state folder that this process has started.

    Other tests of the worker have started some on folders of their own.
    """
    children = psutil.Process().children()
    return [p for p in children if {"emulator.server", str(state)} <= {*_arguments(p)}]


def _arguments(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []
