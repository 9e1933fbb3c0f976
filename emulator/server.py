"""The process that serves the emulated services and keeps the others running beside it."""

import logging
import signal
import sys
import threading
import time
from functools import partial
from pathlib import Path
from types import FrameType

import psutil

from emulator import children, credentials, layout
from emulator.endpoints import PROJECT
from emulator.errors import unavailable
from emulator.layout import Ports, Running
from emulator.ports import any_port

LOG = logging.getLogger(__name__)
_DRAIN_SECONDS = 5
"""How long requests that are under way may take once the server is told to stop."""
_RESET_SECONDS = 60.0


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
    layout.clear_drafts(state)
    me = psutil.Process()
    running = Running(me.pid, me.create_time(), ports, state, all_services_enabled)
    credentials.ensure_key(state / "credentials.json", PROJECT, running.url)
    credentials.ensure_token_file(state / "token")
    neighbours = Neighbours(running)
    # uvicorn ends its work on SIGTERM, then raises it again: without a handler of ours that would
    # end this process before its children.
    signal.signal(signal.SIGTERM, _leave)
    layout.record(running)
    LOG.info('serving at %s; for your shell: eval "$(python -m emulator env)"', running.url)
    neighbours.start()
    try:
        _run(running, neighbours)
    except KeyboardInterrupt:
        pass  # Ctrl-C before uvicorn took over: the end is the same
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        neighbours.stop()
        LOG.info("stopped")


def _run(running: Running, neighbours: "Neighbours") -> None:
    # BigQuery takes the longest to start: it does so while these are imported.
    import uvicorn

    from emulator.app import create_app
    from emulator.cloud import Cloud, Settings
    from emulator.heads import BoundedHeads

    neighbours.allow_seed()
    ports = running.ports
    cloud = Cloud(
        Settings(
            state_dir=running.state,
            root_url=running.url,
            bigquery_url=f"http://127.0.0.1:{ports.bigquery}",
            storage_url=f"http://127.0.0.1:{ports.storage}",
            all_services_enabled=running.all_services_enabled,
            storage_dir=layout.storage_folder(running.state),
        )
    )
    app = create_app(cloud)
    app.state.neighbours = neighbours
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=ports.api,
        log_config=None,
        access_log=False,
        http=BoundedHeads,
        timeout_graceful_shutdown=_DRAIN_SECONDS,
    )


def _leave(_number: int, _frame: FrameType | None) -> None:
    sys.exit(0)


class Neighbours:
    """The other services, started beside the server, which need not wait for them."""

    def __init__(self, running: Running) -> None:
        self._state = running.state
        ports = running.ports
        self._storage = layout.storage_folder(self._state)
        self._bigquery = self._state / "bigquery"
        others = (ports.api, ports.bigquery, ports.storage)
        self._children = children.Children(
            [
                children.bigquery(ports.bigquery, any_port(others), self._bigquery),
                children.storage(ports.storage, self._storage),
            ],
            self._state,
            partial(layout.record_children, self._state),
        )
        self._may_seed = threading.Event()
        self._stopping = False
        self._seeded = threading.Event()
        self._failed = ""
        self._thread = threading.Thread(target=self._prepare, name="neighbours", daemon=True)

    def start(self) -> None:
        """Start them; `ready` tells when they can be used."""
        self._thread.start()

    def allow_seed(self) -> None:
        """Say that the server's packages are imported.

        Seeding imports some of the same, and two threads that import a package of circular imports
        at once (pydicom is one) can each see the other's half.
        """
        self._may_seed.set()

    def stop(self) -> None:
        """End them."""
        self._stopping = True
        self._may_seed.set()
        self._thread.join()
        self._children.stop()

    def ready(self) -> bool:
        """Whether all of them answer and the public bucket is filled."""
        return self._seeded.is_set() and self._children.ready()

    def trouble(self) -> str:
        """What keeps the services from being ready for good; empty if nothing does."""
        given_up = self._children.given_up()
        return self._failed or "; ".join(
            f"{name} {reason}: see {self._children.log_file(name)}"
            for name, reason in given_up.items()
        )

    def states(self) -> dict[str, str]:
        """The state of each, in a word."""
        return self._children.states()

    def seed(self) -> None:
        """Put what is missing in the public bucket in place."""
        from emulator.seed import ensure_public_bucket  # takes a while, see `_run`

        ensure_public_bucket(self._storage, _log_progress)

    def reset(self) -> None:
        """Empty them, but for the public bucket, and wait until they are ready again.

        Raises:
            ApiError: 503 if that takes too long.
        """
        from emulator import wipe

        self._children.restart_empty(children.BIGQUERY, self._bigquery)
        wipe.buckets(self._storage)
        self.seed()
        deadline = time.monotonic() + _RESET_SECONDS
        while not self.ready():
            if self.trouble() or time.monotonic() > deadline:
                raise unavailable(f"The services are not ready after the reset. {self.trouble()}")
            time.sleep(children.LOOK_EVERY)

    def _prepare(self) -> None:
        try:
            children.ensure_spatial_extension()
            # Objects are put in place as files, which Cloud Storage may serve meanwhile.
            self._children.start()
            self._may_seed.wait()
            if self._stopping:
                return
            self.seed()
        except Exception as error:
            LOG.exception("the services could not be prepared")
            self._failed = f"{type(error).__name__}: {error}"
        else:
            self._seeded.set()


def _log_progress(done: int, total: int) -> None:
    if done % 100 == 0:
        LOG.info("the public bucket holds %d of %d images", done, total)
