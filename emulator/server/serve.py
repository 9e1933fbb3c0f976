"""The server process: serves the emulated services, and supervises the backends."""

import logging
import os
import signal
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from types import FrameType

import psutil

from emulator.core.program_name import command
from emulator.core.settings import PROJECT, Settings
from emulator.server import credentials, malloc, server_file, state_dir
from emulator.server.code_version import code_version
from emulator.server.optional_imports import without_collecting, without_unused
from emulator.server.server_file import Ports, ServerInfo

with without_unused():
    from emulator.server.backends import Backends

LOG = logging.getLogger(__name__)
_DRAIN_SECONDS = 5
"""How long running requests may take after the server is asked to stop."""
_KEEP_ALIVE_SECONDS = 610
"""How long an idle connection stays open. Documented, for Google's load balancers; googleapiclient
does not retry a request whose connection the server closes at that moment."""


def configure_logging() -> None:
    """Log to standard error, with times."""
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    logging.getLogger("httpx").setLevel(logging.WARNING)


def serve(
    state: Path,
    ports: Ports,
    *,
    all_services_enabled: bool = False,
    enforce_iam: bool = False,
    images: Mapping[str, str] | None = None,
) -> None:
    """Serve until a signal stops the process.

    Args:
        state: the state folder
        ports: free ports; none is 0
        all_services_enabled: whether every service counts as enabled in every project
        enforce_iam: whether every call is decided by the roles of its caller
        images: name of a container image -> the Python module or file that runs in its place
    """
    # At its import numpy starts a thread a core, in each process; the processes share the work.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    malloc.keep_freed_memory()
    state.mkdir(parents=True, exist_ok=True)
    state_dir.remove_temp_files(state)
    process = psutil.Process()
    running = ServerInfo(
        process.pid,
        process.create_time(),
        ports,
        state,
        all_services_enabled,
        code_version(),
        enforce_iam,
        images or {},
    )
    credentials.ensure_key(state / "credentials.json", PROJECT, running.url)
    credentials.ensure_token_file(state / "token")
    backends = Backends(running)
    # uvicorn shuts down on both, then raises the signal again: without this handler, SIGTERM would
    # end the process before its children. A KeyboardInterrupt in what `exec` runs, such as parts of
    # a dataclass, ends Python by the signal although it was handled (observed in Python 3.11).
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _exit)
    server_file.write_server_info(running)
    LOG.info('serving at %s; for your shell: eval "$(%s)"', running.url, command("env"))
    backends.start()
    try:
        _run(running, backends)
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        backends.stop()
        LOG.info("stopped")


def _run(running: ServerInfo, backends: Backends) -> None:
    # Imported while BigQuery starts, which takes the longest.
    with without_collecting(), without_unused():
        import uvicorn

        from emulator.app import create_app
        from emulator.cloud import Cloud
        from emulator.server.http2_tunnel import Http2TunnelProtocol
        from emulator.services.pubsub.grpc_api.lazy_server import LazyServer

    backends.allow_seed()
    ports = running.ports
    cloud = Cloud(
        Settings(
            state_dir=running.state,
            root_url=running.url,
            bigquery_url=f"http://127.0.0.1:{ports.bigquery}",
            storage_url=f"http://127.0.0.1:{ports.storage}",
            all_services_enabled=running.all_services_enabled,
            enforce_iam=running.enforce_iam,
            storage_dir=state_dir.storage_folder(running.state),
            environment=running.environment(),
            images=running.images,
        )
    )
    app = create_app(cloud, backends)
    grpc = LazyServer(cloud.pubsub, running.url)
    try:
        uvicorn.run(
            app,
            host="127.0.0.1",
            port=ports.api,
            log_config=None,
            access_log=False,
            proxy_headers=False,  # clients connect directly
            http=partial(Http2TunnelProtocol, grpc_port=grpc.port),  # type: ignore[arg-type]
            ws="none",  # not even imported
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=_DRAIN_SECONDS,
        )
    finally:
        grpc.close()


def _exit(_number: int, _frame: FrameType | None) -> None:
    sys.exit(0)
