"""The server file: which process serves a state folder, and where it listens."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from emulator.core.processes.json_file import write_json
from emulator.server.environment import environment

NAMES = ("api", "bigquery", "storage")
"""The services that listen on a port of their own."""


@dataclass(frozen=True)
class Ports:
    """The ports of the services on loopback; 0 stands for any free port.

    Attributes:
        api: all services
        bigquery: the backend of BigQuery
        storage: the backend of Cloud Storage
    """

    api: int = 0
    bigquery: int = 0
    storage: int = 0


@dataclass(frozen=True)
class ServerInfo:
    """A running emulator.

    Attributes:
        pid: the process that serves the API and supervises the backends
        created: the start time of that process, in seconds since 1970: pids are reused
        ports: where the services listen
        state: the state folder
        all_services_enabled: whether every service counts as enabled in every project
        code: the version of its code, see `code_version`; empty if an old emulator wrote none
        enforce_iam: whether every call is decided by the roles of its caller
        images: name of a container image -> the Python module or file that runs in its place
    """

    pid: int
    created: float
    ports: Ports
    state: Path
    all_services_enabled: bool = False
    code: str = ""
    enforce_iam: bool = False
    images: Mapping[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """The root of its APIs, `http://127.0.0.1:PORT`."""
        return f"http://127.0.0.1:{self.ports.api}"

    def environment(self) -> dict[str, str]:
        """Return the variables that point Google's tools and libraries here."""
        return environment(
            self.state,
            port=self.ports.api,
        )


def write_server_info(running: ServerInfo) -> None:
    """Write down which process serves a state folder."""
    content = {
        "pid": running.pid,
        "created": running.created,
        "ports": asdict(running.ports),
        "all_services_enabled": running.all_services_enabled,
        "code": running.code,
        "enforce_iam": running.enforce_iam,
        "images": dict(running.images),
    }
    write_json(running.state / "server.json", content)


def read_server_info(state: Path) -> ServerInfo | None:
    """Return what was written last, whether that process still runs or not."""
    try:
        content = json.loads((state / "server.json").read_text())
        return ServerInfo(
            content["pid"],
            content["created"],
            Ports(**content["ports"]),
            state,
            bool(content.get("all_services_enabled")),
            str(content.get("code", "")),
            bool(content.get("enforce_iam")),
            dict(content.get("images", {})),
        )
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None
