"""A stack and the engine's command line on it: what it would do, its state, what it takes over."""

import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from scripts.adoption import plan as plans
from scripts.adoption.plan import Plan
from scripts.common.deploy import to_its_end
from scripts.common.errors import ScriptError, UsageError
from scripts.preview.errors import PreviewInputError
from scripts.preview.parse import parse

State = dict[str, Any]

_PROVIDERS = "pulumi:providers:"


@dataclass(frozen=True)
class Workspace:
    """A stack of a program.

    Attributes:
        stack: its name, as the user gave it.
        folder: where the program is.
        environment: of the place it lives in.
    """

    stack: str
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def file(self) -> Path:
        """The stack's configuration file."""
        return self.folder / f"Pulumi.{self.stack.rpartition('/')[2]}.yaml"

    def preview(self) -> Plan:
        """Ask the engine what it would do, and what it would create.

        Raises:
            ScriptError: the program fails, or the engine does.
        """
        with TemporaryDirectory(prefix="adopt-") as folder:
            file = Path(folder) / "import.json"
            done = self._run("preview", "--json", "--import-file", str(file))
            document = file.read_text("utf-8") if file.exists() else ""
        try:
            preview = parse(done.stdout, stack=self.stack)
        except PreviewInputError:
            raise self._failed("Previewing", done) from None
        if preview.failed or done.returncode:
            texts = [problem.text for problem in preview.errors]
            raise self._failed("Previewing", done, *texts)
        return Plan(preview, plans.read(document))

    def take(self, document: Mapping[str, Any]) -> None:
        """Take the resources of an import file into the state, as the cloud has them.

        Raises:
            ScriptError: the engine refused; some of them may be in the state.
        """
        with TemporaryDirectory(prefix="adopt-") as folder:
            file = Path(folder) / "import.json"
            file.write_text(json.dumps(document), "utf-8")
            # What the program says of protection comes with the next update.
            flags = ("--yes", "--skip-preview", "--protect=false", "--generate-code=false")
            done = self._run("import", "--file", str(file), *flags)
        if done.returncode:
            raise self._failed("Importing into", done)

    def state(self, *, secrets: bool = False) -> State | None:
        """Read the state; None where the stack has never been.

        Args:
            secrets: in the clear, not encrypted.

        Raises:
            ScriptError: the engine can't read it.
        """
        flags = ("--show-secrets",) if secrets else ()
        done = self._run("stack", "export", *flags)
        if done.returncode and "no stack named" in done.stderr:
            return None
        if done.returncode:
            raise self._failed("Reading", done)
        exported: State = json.loads(done.stdout)
        return exported

    def put(self, state: State) -> None:
        """Make this the state, whole.

        Raises:
            ScriptError: the engine refused; the state is as it was.
        """
        done = self._run("stack", "import", stdin=json.dumps(state))
        if done.returncode:
            raise self._failed("Writing the state of", done)

    def make(self) -> None:
        """Make the stack, empty.

        Raises:
            ScriptError: the engine refused.
        """
        done = self._run("stack", "init", self.stack, "--no-select", stack=False)
        if done.returncode:
            raise self._failed("Making", done)

    def config(self) -> dict[str, Any]:
        """Read the configuration, secrets in the clear: key -> text or object.

        Raises:
            ScriptError: it can't be read or decrypted.
        """
        done = self._run("config", "--json", "--show-secrets")
        if done.returncode:
            raise self._failed("Reading the configuration of", done)
        entries = json.loads(done.stdout)
        return {key: e.get("objectValue", e.get("value")) for key, e in entries.items()}

    def _run(
        self, *arguments: str, stack: bool = True, stdin: str = ""
    ) -> subprocess.CompletedProcess[str]:
        command = ["pulumi", *arguments, "--non-interactive", "--color", "never"]
        if stack:
            command += ["--stack", self.stack]
        environment = {**os.environ, **self.environment}
        return to_its_end(
            lambda: subprocess.run(
                command,
                cwd=self.folder,
                env=environment,
                input=stdin,
                capture_output=True,
                text=True,
                check=False,
            )
        )

    def _failed(
        self, doing: str, done: subprocess.CompletedProcess[str], *errors: str
    ) -> ScriptError:
        output = f"{done.stderr}\n{done.stdout}"
        if "currently locked" in output:
            return ScriptError(
                f"Stack {self.stack!r} is locked: another update runs, or was killed.",
                f"Wait for it; if there is none, run `pulumi cancel --stack {self.stack}`.",
            )
        found = errors or re.findall(r"^\s*(error: .+?)\s*$", output, re.MULTILINE)
        words = " ".join(dict.fromkeys(found)) or done.stderr.strip()
        return ScriptError(
            f"{doing} stack {self.stack!r} failed. {words}".strip(),
            "Mend what it names, and run it again.",
        )


def open_at(stack: str, folder: Path, environment: Mapping[str, str]) -> Workspace:
    """Open a stack of the program in a folder.

    Raises:
        UsageError: no program is there, or the stack has no configuration.
    """
    folder = folder.resolve()
    if not (folder / "Pulumi.yaml").exists():
        raise UsageError(f"{folder} has no Pulumi.yaml.", "Name the folder of the program: --cwd.")
    found = Workspace(stack, folder, environment)
    if not found.file.exists():
        raise UsageError(
            f"Stack {stack!r} has no configuration: {found.file} does not exist.",
            "Write it first: it says what shall be under the stack. docs/adoption.md begins there.",
        )
    return found


def managed(state: State | None) -> int:
    """Count the resources that a state has under management, components and providers not."""
    resources = ((state or {}).get("deployment") or {}).get("resources") or []
    return sum(bool(r.get("custom")) and not r["type"].startswith(_PROVIDERS) for r in resources)


@contextmanager
def scratch(real: Workspace, state: State | None) -> Iterator[Workspace]:
    """Copy a stack, configuration and state, into a folder that goes with the block.

    The copy has the name of the original, so that all URNs are the same, and a backend of its own.
    What it takes over, it takes over from the same cloud; the original does not learn of it.

    Args:
        real: the stack.
        state: its state, encrypted as it is kept.
    """
    with TemporaryDirectory(prefix="adopt-") as name:
        folder = Path(name)
        program, backend = folder / "program", folder / "state"
        backend.mkdir()
        program.mkdir()
        for part in real.folder.iterdir():
            if part != real.file:
                (program / part.name).symlink_to(part)
        environment = {
            **real.environment,
            "PULUMI_BACKEND_URL": backend.as_uri(),
            # The folder is its owner's alone and goes away: the passphrase protects nothing.
            "PULUMI_CONFIG_PASSPHRASE": "copy",
        }
        copy = Workspace(real.stack.rpartition("/")[2], program, environment)
        copy.file.write_text(_configuration(real), "utf-8")
        copy.make()
        if managed(state):
            copy.put(_readable(real, copy, state))
        yield copy


def _configuration(real: Workspace) -> str:
    """The stack's configuration, without what binds it to the original's encryption."""
    text = real.file.read_text("utf-8")
    if re.search(r"\bsecure:", text):
        return json.dumps({"config": real.config()})
    return re.sub(r"^(encryptionsalt|secretsprovider|encryptedkey):.*\n?", "", text, flags=re.M)


def _readable(real: Workspace, copy: Workspace, state: State | None) -> State:
    """The state, with its secrets as the copy encrypts them."""
    plain = real.state(secrets=True) if '"ciphertext"' in json.dumps(state) else state
    assert plain is not None
    # In the style of what stood there before: quoted or not, in braces or not.
    salt = re.search(r"\bencryptionsalt: *'?([\w:=+/]+)", copy.file.read_text("utf-8"))
    assert salt is not None, "the engine writes it when it makes the stack"
    provider = {"type": "passphrase", "state": {"salt": salt[1]}}
    return {**plain, "deployment": {**plain["deployment"], "secrets_providers": provider}}
