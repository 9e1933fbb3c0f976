"""Where the emulator keeps what, and which process serves it."""

import json
import os
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from emulator.endpoints import environment

FOLDER = "emulator"
"""What every state folder is called."""


def state_dir() -> Path:
    """The state folder: `.lab/emulator` of the project, or `emulator` in `LAB_DIR`.

    Installed without the project, the package keeps its state in the current folder's `.lab`.
    """
    project = Path(__file__).resolve().parent.parent
    base = project if (project / "Pulumi.yaml").exists() else Path.cwd()
    return Path(os.environ.get("LAB_DIR") or base / ".lab").resolve() / FOLDER


@dataclass(frozen=True)
class Ports:
    """Where the services listen, on loopback. 0 stands for any free port.

    Attributes:
        api: Healthcare, Resource Manager, Service Usage and Pub/Sub.
        bigquery: The BigQuery stand-in.
        storage: The Cloud Storage stand-in.
    """

    api: int = 0
    bigquery: int = 0
    storage: int = 0


@dataclass(frozen=True)
class Running:
    """A running emulator.

    Attributes:
        pid: The process that serves the API and watches the others.
        created: When that process began, in seconds since 1970: a pid alone may be another's.
        ports: Where the services listen.
        state: The state folder.
        all_services_enabled: Every service counts as enabled in every project.
    """

    pid: int
    created: float
    ports: Ports
    state: Path
    all_services_enabled: bool = False

    @property
    def url(self) -> str:
        """The address of the emulator's own services."""
        return f"http://127.0.0.1:{self.ports.api}"

    def environment(self) -> dict[str, str]:
        """The variables that lead Google's tools here."""
        return environment(
            self.state,
            port=self.ports.api,
        )


def storage_folder(state: Path) -> Path:
    """The folder in which the Cloud Storage stand-in keeps its objects."""
    return state / "storage"


def clear_drafts(state: Path) -> None:
    """Remove what a killed emulator had not written to the end."""
    for draft in state.glob("*.draft"):
        draft.unlink()


def record(running: Running) -> None:
    """Note which process serves a state folder."""
    content = {
        "pid": running.pid,
        "created": running.created,
        "ports": asdict(running.ports),
        "all_services_enabled": running.all_services_enabled,
    }
    _write(running.state / "server.json", content)


def recorded(state: Path) -> Running | None:
    """What was noted last, whether that process still lives or not."""
    try:
        content = json.loads((state / "server.json").read_text())
        ports = Ports(**content["ports"])
        enabled = bool(content.get("all_services_enabled"))
        return Running(content["pid"], content["created"], ports, state, enabled)
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def record_children(state: Path, pids: Sequence[int]) -> None:
    """Note the processes of the services beside the server, for when it is killed."""
    found = [(pid, _created(pid)) for pid in pids]
    _write(state / "children.json", [one for one in found if one[1] is not None])


def children(state: Path) -> list[psutil.Process]:
    """Those of the noted processes that still live."""
    try:
        noted = json.loads((state / "children.json").read_text())
        found = [alive(pid, created) for pid, created in noted]
    except (FileNotFoundError, ValueError, TypeError):
        return []
    return [process for process in found if process]


def _created(pid: int) -> float | None:
    try:
        return psutil.Process(pid).create_time()
    except psutil.Error:
        return None


def _write(path: Path, content: object) -> None:
    """Write a file whole or not at all."""
    draft = path.with_suffix(f".{threading.get_ident()}.draft")
    draft.write_text(json.dumps(content))
    draft.replace(path)


def alive(pid: int, created: float) -> psutil.Process | None:
    """The process, if it is still the one that was noted."""
    try:
        process = psutil.Process(pid)
        same = abs(process.create_time() - created) < 1 and process.status() != "zombie"
    except psutil.Error:
        return None
    return process if same else None
