"""An isolated lab: its folder, its local Google Cloud, its stacks."""

import importlib
import json
import os
import subprocess
import sys
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import httpx
import yaml
from typer.testing import CliRunner

from tests.support import http, state_file
from tests.support.program_host import ProgramHost
from tests.support.standin_host import StandInHost, is_stand_in
from tests.support.waiting import PATIENCE_SECONDS

ROOT = Path(__file__).parents[2]
NAMESPACE = "gcp-healthcare-dicom"
_FULL_NAME = "FULL-NAME-OF-THE-STACK"
_PROGRAM = ("Pulumi.yaml", "__main__.py", "components", "program", ".venv")


class Lab:
    """A local Google Cloud with state of its own, and a copy of the program to deploy on it.

    Attributes:
        folder: What `LAB_DIR` is set to.
        program: A folder with the program, so that stack files never land in the repository.
    """

    def __init__(self, folder: Path, host: ProgramHost | None = None) -> None:
        """Prepare the folder.

        Args:
            folder: A new folder.
            host: Runs the programs in this process, as does the stand-in; without it the engine
                starts processes, as it does for users.
        """
        self._host = host
        self._standin: StandInHost | None = None
        self.folder = folder / "state"
        self.program = folder / "program"
        self.folder.mkdir(parents=True)
        self.program.mkdir()
        for name in _PROGRAM:
            (self.program / name).symlink_to(ROOT / name)
        self._environment: dict[str, str] = {}
        self._empty: tuple[str, str] | None = None

    def start(self, *options: str) -> None:
        """Start the local Google Cloud, and learn the environment that leads to it.

        Args:
            options: Of `python -m emulator start`.
        """
        self.python("-m", "emulator", "start", *options)
        # `env -0` as the command: exactly what `engine run` gives to anything it runs.
        listing = self.python("-m", "engine", "run", "--stack", "local", "--", "env", "-0").stdout
        pairs = (item.partition("=") for item in listing.split("\0") if item)
        listed = {name: value for name, _, value in pairs}
        self._close_standin()
        if self._host and is_stand_in(Path(listed["PULUMI_HOME"])):
            self._standin = StandInHost(listed)
        self._environment = listed | self.host_environment

    def stop(self) -> None:
        """Stop the local Google Cloud."""
        self._close_standin()
        self.python("-m", "emulator", "stop", check=False)

    def _close_standin(self) -> None:
        if self._standin:
            self._standin.close()
            self._standin = None

    @property
    def host_environment(self) -> dict[str, str]:
        """The variables that lead the engine to the program and the stand-in in this process."""
        hosts = (self._host, self._standin)
        return {name: value for host in hosts if host for name, value in host.environment.items()}

    @property
    def environment(self) -> dict[str, str]:
        """The environment that `python -m engine run` gives, for any tool."""
        return dict(self._environment)

    def python(
        self, *arguments: str, check: bool = True, timeout: float = 300
    ) -> subprocess.CompletedProcess[str]:
        """Run Python in the repository, on this lab."""
        environment = {**os.environ, **self._environment, "LAB_DIR": str(self.folder)}
        return run([sys.executable, *arguments], ROOT, environment, check=check, timeout=timeout)

    def script(self, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a script of `scripts/` in this process, on this lab, to its end, whatever that is.

        An interpreter of its own would import for more than a second. How scripts take signals and
        what their processes return is tested by `python`.

        Args:
            name: Of the script, as "teardown".
            arguments: Of its command line.
        """
        app = importlib.import_module(f"scripts.{name}").app
        variables = {**self._environment, "LAB_DIR": str(self.folder)}
        with mock.patch.dict(os.environ, variables):
            done = CliRunner().invoke(app, list(arguments))
        errors = done.stderr
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            errors += "".join(traceback.format_exception(done.exception))
        return subprocess.CompletedProcess([name, *arguments], done.exit_code, done.stdout, errors)

    def call(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        """Call one of the emulated services: `call("GET", "v1/projects/...")`.

        Raises:
            httpx.HTTPStatusError: The answer is an error.
        """
        base = self._environment["GOOGLE_HEALTHCARE_CUSTOM_ENDPOINT"].removesuffix("v1beta1/")
        answer = http.request(method, f"{base}{path}", json=body, timeout=PATIENCE_SECONDS)
        answer.raise_for_status()
        content: dict[str, Any] = answer.json() if answer.content else {}
        return content

    def exists(self, path: str) -> bool:
        """Whether a resource of the Healthcare API is there, by its full name."""
        try:
            self.call("GET", f"v1/{path}")
        except httpx.HTTPStatusError as error:
            if error.response.status_code == 404:
                return False
            raise
        return True

    def stack(self, name: str, project: str | None = None, /, **config: Any) -> "Stack":
        """A new stack with the lab's configuration, in a project of its own.

        Args:
            name: The stack's name, `local-...`.
            project: The Google Cloud project; by default one of the stack's name.
            config: Keys of the program's namespace, over those of `Pulumi.local.yaml`.
        """
        stack = Stack(self, name, project or name)
        self.create_stack(self.program, name)
        local = yaml.safe_load((ROOT / "Pulumi.local.yaml").read_text())["config"]
        stack.configure({**local, "gcp:project": stack.project}, **config)
        return stack

    def create_stack(self, program: Path, name: str) -> None:
        """Create an empty stack, without selecting it.

        The lab's first one is created by `pulumi stack init`, the others are copies of it: most of
        the command's time goes into the key of the passphrase.

        Args:
            program: A folder with a Pulumi project.
            name: The name of the stack.
        """
        file = state_file.path(self._environment, program, name)
        settings = program / f"Pulumi.{name}.yaml"
        if self._empty is None:
            command = ["pulumi", "stack", "init", name, "--no-select", "--non-interactive"]
            run(command, program, self._environment, check=True, timeout=PATIENCE_SECONDS)
            full = json.loads(file.read_text())["checkpoint"]["stack"]
            self._empty = file.read_text().replace(full, _FULL_NAME), settings.read_text()
            return
        assert not file.exists(), f"stack {name} exists already"
        checkpoint, salt = self._empty
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(checkpoint.replace(_FULL_NAME, f"organization/{file.parent.name}/{name}"))
        settings.write_text(salt)


@dataclass(frozen=True)
class Stack:
    """A stack of the program.

    Attributes:
        lab: Where it lives.
        name: Its name.
        project: Its Google Cloud project.
    """

    lab: Lab
    name: str
    project: str

    @property
    def file(self) -> Path:
        """The stack's configuration file."""
        return self.lab.program / f"Pulumi.{self.name}.yaml"

    def configure(self, full: Mapping[str, Any] | None = None, /, **own: Any) -> None:
        """Set keys of the configuration.

        Args:
            full: Full keys; what is None is removed.
            own: Keys of the program's namespace; what is None is removed.
        """
        named = {f"{NAMESPACE}:{key}": value for key, value in own.items()}
        write_config(self.file, {**(full or {}), **named})

    def pulumi(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run the engine's command line in the program's folder."""
        command = ["pulumi", *arguments, "--non-interactive"]
        environment = self.lab.environment
        return run(command, self.lab.program, environment, check=check, timeout=300)

    def change(self, verb: str, *arguments: str, check: bool = True) -> str:
        """Run up, refresh, destroy or import without questions; what it printed."""
        done = self.pulumi(verb, "--yes", "--stack", self.name, *arguments, check=check)
        return done.stdout + done.stderr

    def up(self, *arguments: str) -> str:
        """Deploy the stack."""
        return self.change("up", "--skip-preview", *arguments)

    def preview(self, *arguments: str, check: bool = True) -> str:
        """The steps that the engine plans."""
        done = self.pulumi("preview", "--stack", self.name, *arguments, check=check)
        return done.stdout + done.stderr

    def plan(self) -> dict[str, str]:
        """The steps of a preview: logical name of a resource -> create, update, replace, ..."""
        done = self.pulumi("preview", "--json", "--stack", self.name)
        steps = json.loads(done.stdout)["steps"]
        return {
            step["urn"].rpartition("::")[2]: step["op"] for step in steps if step["op"] != "same"
        }

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs."""
        return state_file.outputs(self.deployment())

    def deployment(self) -> dict[str, Any]:
        """The state of the stack, as `pulumi stack export` has it."""
        return state_file.deployment(self.lab.environment, self.lab.program, self.name)

    def resources(self) -> dict[str, dict[str, Any]]:
        """URN -> state of everything that the stack holds."""
        return {one["urn"]: one for one in state_file.resources(self.deployment())}

    def urn(self, name: str, type_name: str) -> str:
        """The URN of a resource, by logical name and by the last word of its type."""
        [urn] = [
            urn
            for urn in self.resources()
            if urn.endswith(f"::{name}") and urn.split("::")[-2].endswith(f":{type_name}")
        ]
        return urn


def write_config(file: Path, config: Mapping[str, Any]) -> None:
    """Set keys in the configuration file of a stack; what is None is removed."""
    content = (yaml.safe_load(file.read_text()) if file.exists() else {}) or {}
    merged = {**content.get("config", {}), **config}
    content["config"] = {key: value for key, value in merged.items() if value is not None}
    file.write_text(yaml.safe_dump(content, allow_unicode=True))


def run(
    command: list[str], folder: Path, environment: Mapping[str, str], *, check: bool, timeout: float
) -> subprocess.CompletedProcess[str]:
    """Run a command; where it fails and must not, the test shows all that it printed."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=dict(environment),
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    if check and done.returncode != 0:
        raise AssertionError(
            f"{' '.join(command)} exited with {done.returncode}:\n{done.stdout}\n{done.stderr}"
        )
    return done
