"""Locks of a stack whose update was killed: found in a backend of files, and given back.

An engine that is killed leaves its lock behind, and every later update is refused. Who holds a lock
is written in it; only where that is a process of this machine can its end be known. The backends
of Pulumi Cloud and of buckets are left alone: theirs ends by itself, or by `pulumi cancel`.
"""

import json
import os
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from scripts.common.errors import ScriptError

_LOCKS = ".pulumi/locks/organization"


@dataclass(frozen=True)
class Lock:
    """A lock that a process of this machine took.

    Attributes:
        file: where it is.
        pid: of the engine.
    """

    file: Path
    pid: int

    @property
    def stale(self) -> bool:
        """Whether the engine that took it is no more."""
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            return False  # somebody else's process
        return False


def held(stack: str, folder: Path, backend: str) -> list[Lock]:
    """Find the locks of a stack that processes of this machine took.

    Args:
        stack: its name.
        folder: of its program, where Pulumi.yaml is.
        backend: URL of the backend; of one that is no folder nothing is found.
    """
    parts = urlsplit(backend)
    if parts.scheme != "file":
        return []
    root = Path(unquote(parts.netloc + parts.path)).expanduser() / _LOCKS
    if not root.is_dir():
        return []
    named = re.search(r"""^name: *["']?([\w.-]+)""", (folder / "Pulumi.yaml").read_text(), re.M)
    return list(_locks(root / named[1] / stack.rpartition("/")[2])) if named else []


def _locks(folder: Path) -> Iterator[Lock]:
    here = socket.gethostname()
    for file in sorted(folder.glob("*.json")):
        try:
            content = json.loads(file.read_text("utf-8"))
        except FileNotFoundError:
            continue  # given back at this moment
        except ValueError as error:
            raise ScriptError(
                f"The lock {file} can't be read: {error}.",
                "If no update runs, run `pulumi cancel`.",
            ) from error
        if content.get("hostname") == here:
            yield Lock(file, int(content["pid"]))
