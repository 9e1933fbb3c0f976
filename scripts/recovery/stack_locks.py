"""Locks of a stack in a backend of files, also of updates that were killed.

A killed engine leaves its lock, and every later update is refused. The lock names the process that
holds it; only for a process of this machine can its end be known. Locks in Pulumi Cloud expire by
themselves; those in buckets are released by `pulumi cancel`.
"""

import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from scripts.lib.errors import ExitCode, ScriptError
from scripts.lib.pulumi_command import advised
from scripts.lib.pulumi_stack import PulumiStack

_INITIAL_POLL_SECONDS, _MAX_POLL_SECONDS = 0.2, 5.0
_LOCKS = ".pulumi/locks/organization"


@dataclass(frozen=True)
class Lock:
    """A lock that a process of this machine took.

    Attributes:
        file: of the lock
        pid: of the engine
    """

    file: Path
    pid: int

    @property
    def stale(self) -> bool:
        """Whether the engine that took it has ended."""
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            return False  # another user's process
        return False


def held(stack: PulumiStack) -> list[Lock]:
    """Find the locks of a stack that processes of this machine took.

    Locks are only found in a backend that is a folder.
    """
    parts = urlsplit(stack.backend_url)
    if parts.scheme != "file":
        return []
    root = Path(unquote(parts.netloc + parts.path)).expanduser() / _LOCKS
    if not root.is_dir():
        return []
    return list(_locks(root / stack.project / stack.name.rpartition("/")[2]))


def wait_until_free(stack: PulumiStack, timeout: float, report: Callable[[str], None]) -> None:
    """Wait until no other update of a stack runs on this machine.

    An engine outlives a script that was killed, and continues its update.

    Args:
        stack: the stack
        timeout: seconds
        report: called if an update runs

    Raises:
        ScriptError: it still runs after that time
    """
    # Imported late: it takes half a second, and a recovery does not wait.
    from google.api_core.retry import exponential_sleep_generator

    until = time.monotonic() + timeout
    is_reported = False
    for delay in exponential_sleep_generator(_INITIAL_POLL_SECONDS, _MAX_POLL_SECONDS):
        live = [lock for lock in held(stack) if not lock.stale]
        if not live:
            return
        holders = ", ".join(str(lock.pid) for lock in live)
        if time.monotonic() >= until:
            raise ScriptError(
                f"Another update of stack {stack.name!r} still runs (process {holders}).",
                "Run this again when it is over.",
                ExitCode.STILL_RUNNING,
            )
        if not is_reported:
            report(f"Another update of the stack runs (process {holders}): waiting for its end.")
            is_reported = True
        time.sleep(delay)


def _locks(folder: Path) -> Iterator[Lock]:
    here = socket.gethostname()
    for file in sorted(folder.glob("*.json")):
        try:
            content = json.loads(file.read_text("utf-8"))
        except FileNotFoundError:
            continue  # released at this moment
        except ValueError as error:
            stack = folder.name
            raise ScriptError(
                f"The lock {file} can't be read: {error}.",
                f"If no update runs, run {advised(stack, f'cancel --yes --stack {stack}')}.",
            ) from error
        if content.get("hostname") == here:
            yield Lock(file, int(content["pid"]))
