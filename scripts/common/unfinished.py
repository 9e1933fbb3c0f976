"""What an update that was interrupted left: its lock, and operations without an end."""

import json
import os
import re
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.common import locks
from scripts.common.errors import ScriptError

Report = Callable[[str], None]
Entry = dict[str, Any]
State = dict[str, Any]

_CREATING = "creating"


@dataclass(frozen=True)
class Settling:
    """The engine's command line, for what settles a stack.

    Attributes:
        stack: its name.
        folder: where its program is.
        environment: of the place it lives in.
    """

    stack: str
    folder: Path
    environment: Mapping[str, str]

    def backend(self) -> str:
        """Name the backend's URL."""
        named = self.environment.get("PULUMI_BACKEND_URL")
        return named or str(json.loads(self._run("whoami", "--json")).get("url", ""))

    def read(self) -> State | None:
        """Read the state, secrets encrypted; None where the stack has never been."""
        try:
            found: State = json.loads(self._run("stack", "export", *self._named))
        except ScriptError as error:
            if "no stack named" in error.message:
                return None
            raise
        return found

    def write(self, state: State) -> None:
        """Make this the state, whole; operations that it has pending are dropped."""
        self._run("stack", "import", *self._named, stdin=json.dumps(state))

    def refresh(self, urns: list[str]) -> None:
        """Have resources filled in from the cloud; those that are not there leave the state."""
        targets = [word for urn in urns for word in ("--target", urn)]
        self._run("refresh", "--yes", "--skip-preview", *self._named, *targets)

    def unlock(self) -> None:
        """Give back every lock of the stack."""
        self._run("cancel", "--yes", self.stack)

    @property
    def _named(self) -> tuple[str, str]:
        return ("--stack", self.stack)

    def _run(self, *arguments: str, stdin: str = "") -> str:
        command = ["pulumi", *arguments, "--non-interactive", "--color", "never"]
        done = subprocess.run(
            command,
            cwd=self.folder,
            env={**os.environ, **self.environment},
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            output = f"{done.stderr}\n{done.stdout}"
            found = re.findall(r"^\s*(error: .+?)\s*$", output, re.MULTILINE)
            words = " ".join(dict.fromkeys(found)) or output.strip()
            raise ScriptError(
                f"What an earlier update of stack {self.stack!r} left can't be settled. {words}",
                "Mend what it names, and run the same command again.",
            )
        return done.stdout


def settle(stack: str, folder: Path, environment: Mapping[str, str], report: Report) -> None:
    """Bring a stack's state and the cloud together after an update that was interrupted.

    Nothing in the cloud changes. Interrupted itself, the next one goes on: a resource without
    outputs in the state is one that an earlier settling did not come to refresh.

    Args:
        stack: the stack's name.
        folder: where its program is.
        environment: of the place it lives in; this process has entered it.
        report: told what was found; nothing where nothing was left.

    Raises:
        ScriptError: the engine can't read or write the state, or a service can't tell.
    """
    engine = Settling(stack, folder, environment)
    if _is_running(engine, report):
        return  # the engine itself says so, and names the process
    state = engine.read() or {}
    pending, unfilled = _pending(state), _unfilled(state)
    if not pending and not unfilled:
        return
    report(f"An update of stack {stack!r} was interrupted; settling what it left ...")
    touched = [operation["resource"]["urn"] for operation in pending]
    if any(operation["type"] == _CREATING for operation in pending):
        state = _with_creations(state, report)
        engine.write(state)
    known = {resource["urn"] for resource in _resources(state)}
    doubtful = [urn for urn in dict.fromkeys([*unfilled, *touched]) if urn in known]
    if doubtful:
        engine.refresh(doubtful)


def _is_running(engine: Settling, report: Report) -> bool:
    """Tell whether an update runs, and give back the lock of one that was killed."""
    found = locks.held(engine.stack, engine.folder, engine.backend())
    if not found:
        return False
    if not all(lock.stale for lock in found):
        return True
    report(f"Stack {engine.stack!r} was locked by an update that was killed; unlocking it.")
    engine.unlock()
    return False


def _with_creations(state: State, report: Report) -> State:
    """Give the state with those pending creations that were made, and without any operation."""
    # Imported late: next to nobody needs Google's libraries here.
    from scripts.common.creations import Fate, judge

    resources = _resources(state)
    pending = [o["resource"] for o in _pending(state) if o["type"] == _CREATING]
    for creation in judge(pending, resources):
        report(f"  {_short(creation.urn)} {creation.fate}")
        if creation.fate is Fate.MADE:
            resources = _entered(resources, creation.recorded())
    deployment = {**state["deployment"], "resources": resources, "pending_operations": []}
    return {**state, "deployment": deployment}


def _entered(resources: list[Entry], new: Entry) -> list[Entry]:
    """Enter a resource; one of its URN was being replaced, and is left as the engine leaves it."""
    entered = []
    for resource in resources:
        if resource["urn"] != new["urn"] or resource.get("delete"):
            entered.append(resource)
        elif not resource.get("pendingReplacement"):  # else it is gone already
            entered.append({**resource, "delete": True})
    return [*entered, new]


def _resources(state: State) -> list[Entry]:
    found: list[Entry] = (state.get("deployment") or {}).get("resources") or []
    return found


def _pending(state: State) -> list[Entry]:
    found: list[Entry] = (state.get("deployment") or {}).get("pending_operations") or []
    return found


def _unfilled(state: State) -> list[str]:
    return [
        resource["urn"]
        for resource in _resources(state)
        if resource["type"].startswith("gcp:")
        and resource.get("id")
        and not resource.get("outputs")
    ]


def _short(urn: str) -> str:
    _, _, types, name = urn.split("::", 3)
    return f"{types.rpartition(':')[2]} {name}"
