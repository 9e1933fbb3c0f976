"""The engine's command line, for a tear-down: its state, its history, and `pulumi destroy`."""

import json
import os
import re
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from google.api_core.retry import exponential_sleep_generator
from pulumi import automation

from scripts.adoption.workspace import Workspace
from scripts.common import locks, unfinished
from scripts.common.deploy import to_its_end
from scripts.common.errors import ExitCode, ScriptError
from scripts.removal import age
from scripts.removal.state import State

Report = Callable[[str], None]

_FIRST_LOOK_SECONDS, _LONGEST_PAUSE_SECONDS = 0.2, 5.0
_HISTORY = "100"
_STYLE = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Engine(Workspace):
    """A stack, and what a tear-down has the engine do with it."""

    def project(self) -> str:
        """Read the name of the program's Pulumi project."""
        return str(automation.LocalWorkspace(work_dir=str(self.folder)).project_settings().name)

    def read(self) -> State:
        """Read the state.

        Raises:
            ScriptError: the engine can't.
        """
        return State.from_json(self.state())

    def last_update(self) -> datetime | None:
        """Look up when the stack was last updated, as far as its history tells.

        Raises:
            ScriptError: the engine can't tell.
        """
        done = self._run("stack", "history", "--json", "--page-size", _HISTORY)
        if done.returncode:
            raise self._failed("Reading the history of", done)
        history: list[dict[str, Any]] = json.loads(done.stdout or "[]")
        return age.last_update(history)

    def settle(self, report: Report) -> None:
        """Bring state and cloud together after an update that was interrupted.

        Raises:
            ScriptError: the engine can't, or the cloud can't be asked.
        """
        to_its_end(lambda: unfinished.settle(self.stack, self.folder, self.environment, report))

    def wait_for_others(self, timeout: float, say: Report) -> None:
        """Wait until no other update of the stack runs on this machine.

        An engine outlives a script that was killed, and goes on with what it was told to do.

        Args:
            timeout: seconds.
            say: told that there is one.

        Raises:
            ScriptError: it still runs when time is up.
        """
        backend = unfinished.Settling(self.stack, self.folder, self.environment).backend()
        until = time.monotonic() + timeout
        told = False
        for pause in exponential_sleep_generator(_FIRST_LOOK_SECONDS, _LONGEST_PAUSE_SECONDS):
            held = [lock for lock in locks.held(self.stack, self.folder, backend) if not lock.stale]
            if not held:
                return
            holders = ", ".join(str(lock.pid) for lock in held)
            if time.monotonic() >= until:
                raise ScriptError(
                    f"Another update of stack {self.stack!r} still runs (process {holders}).",
                    "Run this again when it is over.",
                    ExitCode.STILL_RUNNING,
                )
            if not told:
                say(f"Another update of the stack runs (process {holders}): waiting for its end.")
                told = True
            time.sleep(pause)

    def preview_destroy(
        self, targets: Sequence[str] | None, report: Report, *, color: bool = False
    ) -> None:
        """Have the engine tell what it would destroy.

        Args:
            targets: URNs; None for everything.
            report: told each line of its output.
            color: let the engine colour its lines.

        Raises:
            ScriptError: the engine failed.
        """
        flags = ["--preview-only", *_colored(color)]
        self._stream("Previewing the destroy of", flags, targets, report)

    def destroy(
        self, targets: Sequence[str] | None, report: Report, *, color: bool = False
    ) -> None:
        """Have the engine destroy; the empty stack stays, with its configuration.

        Args:
            targets: URNs; None for everything.
            report: told each line of its output.
            color: let the engine colour its lines.

        Raises:
            ScriptError: the engine failed.
        """
        flags = ["--yes", "--skip-preview", *_colored(color)]
        self._stream("Destroying", flags, targets, report)

    def _stream(
        self, doing: str, flags: list[str], targets: Sequence[str] | None, report: Report
    ) -> None:
        command = ["pulumi", "destroy", *flags, "--suppress-progress", "--non-interactive"]
        command += ["--stack", self.stack]
        command += [word for urn in targets or () for word in ("--target", urn)]
        failed = to_its_end(lambda: self._lines(command, report))
        if failed is not None:
            raise self._failed(doing, failed)

    def _lines(self, command: list[str], report: Report) -> subprocess.CompletedProcess[str] | None:
        """Run a command, pass its lines on; give it back if it failed, with its last words."""
        errors = []
        with subprocess.Popen(
            command,
            cwd=self.folder,
            env={**os.environ, **self.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            assert process.stdout is not None
            for line in process.stdout:
                report(line.rstrip("\n"))
                plain = _STYLE.sub("", line)
                if re.search(r"error: |currently locked", plain):
                    errors.append(plain)
        if not process.returncode:
            return None
        return subprocess.CompletedProcess(command, process.returncode, "".join(errors), "")


def _colored(color: bool) -> tuple[str, str]:
    return ("--color", "always" if color else "never")
