"""The process that serves the emulated services and keeps the others running beside it."""

import logging
import threading
from pathlib import Path

import psutil
import uvicorn

from emulator import children, credentials, layout
from emulator.app import create_app
from emulator.cloud import Cloud, Settings
from emulator.endpoints import PROJECT
from emulator.layout import Ports, Running
from emulator.ports import any_port
from emulator.seed import ensure_public_bucket

LOG = logging.getLogger(__name__)


def serve(
    state: Path,
    ports: Ports,
    *,
    all_services_enabled: bool = False,
) -> None:
    """Serve until a signal says stop.

    Args:
        state: The state folder.
        ports: Ports that are free; none is 0.
        all_services_enabled: Every service counts as enabled in every project.
    """
    state.mkdir(parents=True, exist_ok=True)
    me = psutil.Process()
    running = Running(me.pid, me.create_time(), ports, state)
    cloud = Cloud(
        Settings(
            state_dir=state,
            root_url=running.url,
            bigquery_url=f"http://127.0.0.1:{ports.bigquery}",
            storage_url=f"http://127.0.0.1:{ports.storage}",
            all_services_enabled=all_services_enabled,
        )
    )
    credentials.ensure_key(state / "credentials.json", PROJECT, running.url)
    credentials.ensure_token_file(state / "token")
    neighbours = _Neighbours(running)
    app = create_app(cloud)
    app.state.ready = neighbours.ready
    app.state.trouble = neighbours.trouble
    layout.record(running)
    neighbours.start()
    try:
        uvicorn.run(app, host="127.0.0.1", port=ports.api, log_config=None, access_log=False)
    finally:
        neighbours.stop()


class _Neighbours:
    """The other services, started beside the server, which need not wait for them."""

    def __init__(self, running: Running) -> None:
        self._state = running.state
        ports = running.ports
        self._storage = self._state / "storage"
        self._children = children.Children(
            [
                children.bigquery(ports.bigquery, any_port(), self._state / "bigquery"),
                children.storage(ports.storage, self._storage),
            ],
            self._state,
        )
        self._seeded = threading.Event()
        self._failed = ""
        self._thread = threading.Thread(target=self._prepare, name="neighbours", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._thread.join()
        self._children.stop()

    def ready(self) -> bool:
        return self._seeded.is_set() and self._children.ready()

    def trouble(self) -> str:
        """What keeps the services from being ready for good; empty if nothing does."""
        given_up = self._children.given_up()
        return self._failed or "; ".join(
            f"{name} ended with {code}: see {self._children.log_file(name)}"
            for name, code in given_up.items()
        )

    def _prepare(self) -> None:
        try:
            children.ensure_spatial_extension()
            # Objects are put in place as files, which Cloud Storage may serve meanwhile.
            self._children.start()
            ensure_public_bucket(self._storage, _log_progress)
        except Exception as error:
            LOG.exception("the services could not be prepared")
            self._failed = f"{type(error).__name__}: {error}"
        else:
            self._seeded.set()


def _log_progress(done: int, total: int) -> None:
    if done % 100 == 0:
        LOG.info("the public bucket holds %d of %d images", done, total)
