"""The services that others provide: BigQuery by bqemulator, Cloud Storage by fake-gcs-server.

Each has a thread that starts it, watches it and starts it again: Linux ties a child to the thread
that made it, so that thread has to live as long as the child may.
"""

import logging
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from emulator.core import http_client
from emulator.core.processes import child

LOG = logging.getLogger(__name__)
RESTART_DELAYS_SECONDS = (0.2, 1.0, 5.0)
"""Seconds before each restart of a child that ended; after the last one it has failed."""
STABLE_SECONDS = 60.0
"""A child that ran this long begins with its first try again."""
POLL_INTERVAL_SECONDS = 0.05
"""Seconds between two looks at a child that is not ready yet."""
HEALTH_POLL_INTERVAL_SECONDS = 0.25


@dataclass(frozen=True)
class ProcessSpec:
    """A service in a process of its own.

    Attributes:
        name: What logs and errors call it.
        command: Its command line; the first word is a full path.
        probe: An address that answers once it is ready.
        environment: Variables beside those of this process.
        prepare: called before each start, to recover what a killed process left
    """

    name: str
    command: Sequence[str]
    probe: str
    environment: Mapping[str, str] = field(default_factory=dict)
    prepare: Callable[[], None] = lambda: None


class Supervisor:
    """The processes of the services, watched.

    Args:
        services: What to run.
        log_dir: Where each service's own output goes.
        on_change: called with the ids of the processes whenever one is started
    """

    def __init__(
        self,
        services: Sequence[ProcessSpec],
        log_dir: Path,
        on_change: Callable[[Sequence[int]], None] = lambda _pids: None,
    ) -> None:
        self._services = services
        self._log_dir = log_dir
        self._on_change = on_change
        self._pids: dict[str, int] = {}
        self._ready: set[str] = set()
        self._given_up: dict[str, str] = {}
        self._emptying: dict[str, Path] = {}
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._keep, args=(service,), name=service.name, daemon=True)
            for service in services
        ]

    def start(self) -> None:
        """Start all of them, and watch them from now on."""
        for thread in self._threads:
            thread.start()

    def ready(self) -> bool:
        """Whether all of them answered, and none was given up."""
        return set(self.states().values()) == {"ready"}

    def states(self) -> dict[str, str]:
        """Each service's state: `ready`, `starting` or `failed`."""
        names = [service.name for service in self._services]
        return {
            name: "failed" if name in self._given_up else self._starting_or_ready(name)
            for name in names
        }

    def failed(self) -> dict[str, str]:
        """Return the services that ended again and again, or can't be started, and why."""
        return dict(self._given_up)

    def restart_empty(self, name: str, folder: Path) -> None:
        """Restart a service on an empty folder; it counts as starting until it responds."""
        self._emptying[name] = folder
        self._ready.discard(name)

    def stop(self) -> None:
        """End all of them."""
        self._stop.set()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()

    def log_file(self, name: str) -> Path:
        """Return the file with a service's own output."""
        return self._log_dir / f"{name.lower().replace(' ', '-')}.log"

    def _starting_or_ready(self, name: str) -> str:
        return "ready" if name in self._ready and name not in self._emptying else "starting"

    def _keep(self, service: ProcessSpec) -> None:
        """Keep one service running until all are to stop."""
        tries = 0
        while not self._stop.is_set():
            began = time.monotonic()
            try:
                service.prepare()
                process = self._launch(service)
            except OSError as error:
                LOG.exception("%s can't be started", service.name)
                self._given_up[service.name] = f"can't be started: {error}"
                return
            self._follow(service, process)
            self._ready.discard(service.name)
            if self._stop.is_set():
                child.end(process)
                return
            if service.name in self._emptying:
                child.end(process)
                self._empty(service.name)
                continue
            tries = 0 if time.monotonic() - began > STABLE_SECONDS else tries
            code = process.wait()
            if tries == len(RESTART_DELAYS_SECONDS):
                LOG.error("%s ended with %d again and is given up", service.name, code)
                self._given_up[service.name] = f"ended with {code}"
                return
            LOG.warning("%s ended with %d and is started again", service.name, code)
            self._stop.wait(RESTART_DELAYS_SECONDS[tries])
            tries += 1

    def _empty(self, name: str) -> None:
        folder = self._emptying[name]
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
        del self._emptying[name]

    def _launch(self, service: ProcessSpec) -> subprocess.Popen[bytes]:
        with self.log_file(service.name).open("ab") as output:
            process = child.launch(
                service.command,
                {**os.environ, **service.environment},
                stdout=output,
                stderr=output,
            )
        self._pids[service.name] = process.pid
        try:
            self._on_change([*self._pids.values()])
        except OSError:
            child.end(process)  # no other process knows its id
            raise
        return process

    def _follow(self, service: ProcessSpec, process: subprocess.Popen[bytes]) -> None:
        """Wait until the process ends or is to end; notice when it is ready."""
        with http_client.client(seconds=2) as client:
            while not self._stop.is_set() and process.poll() is None:
                if service.name in self._emptying:
                    return
                if service.name not in self._ready and _answers(client, service.probe):
                    self._ready.add(service.name)
                    LOG.info("%s is ready", service.name)
                ready = service.name in self._ready
                self._stop.wait(HEALTH_POLL_INTERVAL_SECONDS if ready else POLL_INTERVAL_SECONDS)


def _answers(client: httpx.Client, url: str) -> bool:
    try:
        return client.get(url).status_code < 500
    except httpx.TransportError:
        return False
