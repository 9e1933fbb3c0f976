"""Where the emulator keeps what, and which process serves it."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from emulator.endpoints import environment


def state_dir() -> Path:
    """The state folder: `.lab/emulator` of this folder, or of `LAB_DIR`."""
    return Path(os.environ.get("LAB_DIR") or ".lab").resolve() / "emulator"


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
    """

    pid: int
    created: float
    ports: Ports
    state: Path

    @property
    def url(self) -> str:
        """The address of the emulator's own services."""
        return f"http://127.0.0.1:{self.ports.api}"

    def environment(self) -> dict[str, str]:
        """The variables that lead Google's tools here."""
        return environment(
            self.state,
            port=self.ports.api,
            bigquery_port=self.ports.bigquery,
            storage_port=self.ports.storage,
        )


def record(running: Running) -> None:
    """Note which process serves a state folder."""
    content = {"pid": running.pid, "created": running.created, "ports": asdict(running.ports)}
    draft = running.state / "server.new"
    draft.write_text(json.dumps(content))
    draft.replace(running.state / "server.json")


def recorded(state: Path) -> Running | None:
    """What was noted last, whether that process still lives or not."""
    try:
        content = json.loads((state / "server.json").read_text())
        return Running(content["pid"], content["created"], Ports(**content["ports"]), state)
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def alive(pid: int, created: float) -> psutil.Process | None:
    """The process, if it is still the one that was noted."""
    try:
        process = psutil.Process(pid)
        same = abs(process.create_time() - created) < 1 and process.status() != "zombie"
    except psutil.Error:
        return None
    return process if same else None
