"""A stack of a Pulumi program, and the commands that the scripts run on it."""

import json
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from scripts.lib import pulumi_command
from scripts.lib.errors import ScriptError, UsageError
from scripts.lib.pulumi_command import CommandResult, Report
from scripts.lib.pulumi_results import PreviewResult, UpdateResult, read_events

Json = dict[str, Any]
State = dict[str, Any]
"""A state as `pulumi stack export` prints it."""

PROVIDER_PREFIX = "pulumi:providers:"
_HISTORY_SIZE = 100
_MAX_EXPORTS = 8


@dataclass(frozen=True)
class PulumiStack:
    """A stack of a program; a method raises ScriptError if Pulumi fails.

    Attributes:
        name: its name, as the user wrote it
        program: folder of the program
        environment: variables over those of this process
    """

    name: str
    program: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def config_file(self) -> Path:
        """The stack's configuration file."""
        return self.program / f"Pulumi.{self.name.rpartition('/')[2]}.yaml"

    @cached_property
    def project(self) -> str:
        """The name of the program's Pulumi project."""
        # Imported late: most commands do not need it.
        import yaml

        file = self.program / "Pulumi.yaml"
        try:
            return str(yaml.safe_load(file.read_text("utf-8"))["name"])
        except (yaml.YAMLError, KeyError, TypeError) as error:
            raise ScriptError(
                f"{file} is not a valid Pulumi project file: it is not YAML, or has no name.",
                "Write the project's name into it, such as name: imaging.",
            ) from error

    @cached_property
    def backend_url(self) -> str:
        """The URL of the backend that keeps the state."""
        named = {**os.environ, **self.environment}.get("PULUMI_BACKEND_URL")
        if named:
            return named
        done = self._run("whoami", "--json", stack=False)
        return str(json.loads(self._check("Finding the backend of", done)).get("url", ""))

    def export_state(self, *, secrets: bool = False) -> State | None:
        """Read the state; None if there is no such stack.

        Args:
            secrets: decrypt them
        """
        done = self._run("stack", "export", *(("--show-secrets",) if secrets else ()))
        if done.is_stack_missing:
            return None
        exported: State = json.loads(self._check("Reading the state of", done))
        return exported

    def other_states(self) -> dict[str, State]:
        """Read the states of the program's other stacks in the same backend: name -> state."""
        done = self._run("stack", "ls", "--json", stack=False)
        listed = json.loads(self._check("Listing the stacks beside", done) or "[]")
        own = self.name.rpartition("/")[2]
        names = [
            each["name"]
            for each in listed
            if each.get("resourceCount") != 0 and each["name"].rpartition("/")[2] != own
        ]
        stacks = [PulumiStack(name, self.program, self.environment) for name in names]
        # Most of a command's time is that of the backend, or of its own start.
        with ThreadPoolExecutor(_MAX_EXPORTS) as pool:
            states = list(pool.map(PulumiStack.export_state, stacks))
        return {name: state for name, state in zip(names, states, strict=True) if state is not None}

    def import_state(self, state: State) -> None:
        """Replace the whole state.

        Raises:
            ScriptError: Pulumi refused; the state is as it was
        """
        done = self._run("stack", "import", stdin=json.dumps(state))
        self._check("Writing the state of", done)

    def outputs(self) -> Json | None:
        """Read the outputs; None if there is no such stack."""
        done = self._run("stack", "output", "--json")
        if done.is_stack_missing:
            return None
        where, names = (
            pulumi_command.advised(self.name, command) for command in ("whoami -v", "stack ls")
        )
        hint = f"Check the backend ({where}) and the stack's name ({names})."
        outputs: Json = json.loads(self._check("Reading the outputs of", done, hint) or "{}")
        return outputs

    def history(self) -> list[Json]:
        """Read the last updates, newest first."""
        done = self._run("stack", "history", "--json", "--page-size", str(_HISTORY_SIZE))
        updates: list[Json] = json.loads(self._check("Reading the history of", done) or "[]")
        return updates

    def config(self) -> Json:
        """Read the configuration, secrets decrypted: key -> text or object.

        Raises:
            ScriptError: it can't be read or decrypted
        """
        done = self._run("config", "--json", "--show-secrets")
        entries = json.loads(self._check("Reading the configuration of", done))
        return {key: e.get("objectValue", e.get("value")) for key, e in entries.items()}

    def create(self) -> None:
        """Create the stack, empty, without selecting it."""
        done = self._run("stack", "init", self.name, "--no-select", stack=False)
        self._check("Creating", done)

    def select(self) -> None:
        """Make this the program's current stack; create it if there is none."""
        self._check("Selecting", self._run("stack", "select", "--create"))

    def cancel(self) -> None:
        """Release every lock of the stack."""
        done = self._run("cancel", "--yes", self.name, stack=False)
        self._check("Unlocking", done)

    def refresh(self, urns: Sequence[str]) -> None:
        """Read resources from the cloud into the state; a missing one leaves the state."""
        done = self._run("refresh", "--yes", "--skip-preview", *_targets(urns))
        self._check("Refreshing", done)

    def preview(self) -> PreviewResult:
        """Plan an update; a failed one is returned, as its document may say why."""
        with TemporaryDirectory(prefix="preview-") as folder:
            file = Path(folder) / "import.json"
            done = self._run("preview", "--json", "--import-file", str(file))
            return PreviewResult(done, file.read_text("utf-8") if file.exists() else "")

    def import_resources(self, document: Mapping[str, Any]) -> None:
        """Import the resources of an import file, as they are in the cloud.

        Raises:
            ScriptError: Pulumi refused; some of them may be in the state
        """
        with TemporaryDirectory(prefix="import-") as folder:
            file = Path(folder) / "import.json"
            file.write_text(json.dumps(document), "utf-8")
            # The next update protects what the program wants protected.
            flags = ("--yes", "--skip-preview", "--protect=false", "--generate-code=false")
            self._check("Importing into", self._run("import", "--file", str(file), *flags))

    def up(self, on_output: Report, *, color: bool = False) -> UpdateResult:
        """Deploy the program.

        Args:
            on_output: called with each line of Pulumi's output
            color: colour the lines
        """
        with TemporaryDirectory(prefix="up-") as folder:
            log = Path(folder) / "events.json"
            # The engine's events hold the outputs and the counts: no further command reads them.
            flags = ("--diff", "--suppress-outputs", "--event-log", str(log))
            done = self._stream("up", ("--yes", "--skip-preview", *flags), on_output, color=color)
            hint = "Pulumi's output names the resource and the cause; run the same command again."
            self._check("Deploying", done, hint)
            return read_events(log)

    def destroy(
        self,
        targets: Sequence[str] | None,
        on_output: Report,
        *,
        color: bool = False,
        preview_only: bool = False,
    ) -> None:
        """Destroy resources; the empty stack stays, with its configuration.

        Args:
            targets: URNs; None for everything
            on_output: called with each line of Pulumi's output
            color: colour the lines
            preview_only: whether only to show what would be destroyed
        """
        flags = ("--preview-only",) if preview_only else ("--yes", "--skip-preview")
        arguments = (*flags, *_targets(targets or ()))
        done = self._stream("destroy", arguments, on_output, color=color)
        self._check("Previewing the destroy of" if preview_only else "Destroying", done)

    def error(self, action: str, done: CommandResult, *errors: str, hint: str = "") -> ScriptError:
        """Make the error of a command that failed.

        Args:
            action: what it did, as a gerund: "Reading the state of"
            done: the command
            errors: its errors, if they are not lines of its output
            hint: what to do, unless the stack is locked
        """
        if done.is_locked:
            return ScriptError(
                f"Stack {self.name!r} is locked: another update runs, or was killed.",
                "Wait for it; if there is none, run"
                f" {pulumi_command.advised(self.name, f'cancel --yes --stack {self.name}')}.",
            )
        reasons = " ".join(dict.fromkeys(errors) or done.errors) or done.stderr.strip()
        return ScriptError(
            f"{action} stack {self.name!r} failed. {reasons}".strip(),
            hint or "Fix the cause, then run the same command again.",
        )

    def _check(self, action: str, done: CommandResult, hint: str = "") -> str:
        if done.code:
            raise self.error(action, done, hint=hint)
        return done.stdout

    def _run(self, *arguments: str, stack: bool = True, stdin: str = "") -> CommandResult:
        named = ("--stack", self.name) if stack else ()
        return pulumi_command.run((*arguments, *named), self.program, self.environment, stdin)

    def _stream(
        self, command: str, flags: Sequence[str], on_output: Report, *, color: bool
    ) -> CommandResult:
        shown = ("--suppress-progress", "--color", "always" if color else "never")
        arguments = (command, *flags, *shown, "--stack", self.name)
        # `--event-log` exists under this variable alone.
        environment = {**self.environment, "PULUMI_DEBUG_COMMANDS": "true"}
        return pulumi_command.stream(arguments, self.program, environment, on_output)


def _targets(urns: Sequence[str]) -> list[str]:
    return [word for urn in urns for word in ("--target", urn)]


def require_program(folder: Path) -> Path:
    """Return the full path of a program's folder.

    Raises:
        UsageError: it holds no program
    """
    if not (folder / "Pulumi.yaml").exists():
        raise UsageError(f"{folder} has no Pulumi.yaml.", "Name the folder of the program: --cwd.")
    return folder.resolve()
