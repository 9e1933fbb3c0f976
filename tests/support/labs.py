"""An isolated lab: its folder, its local Google Cloud, its stacks."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml

ROOT = Path(__file__).parents[2]
NAMESPACE = "gcp-healthcare-dicom"
_PROGRAM = ("Pulumi.yaml", "__main__.py", "components", ".venv")


class Lab:
    """A local Google Cloud with state of its own, and a copy of the program to deploy on it.

    Attributes:
        folder: What `LAB_DIR` is set to.
        program: A folder with the program, so that stack files never land in the repository.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "state"
        self.program = folder / "program"
        self.folder.mkdir(parents=True)
        self.program.mkdir()
        for name in _PROGRAM:
            (self.program / name).symlink_to(ROOT / name)
        self._environment: dict[str, str] = {}

    def start(self) -> None:
        """Start the local Google Cloud, and learn the environment that leads to it."""
        self.python("-m", "emulator", "start")
        # `env -0` as the command: exactly what `engine run` gives to anything it runs.
        listing = self.python("-m", "engine", "run", "--stack", "local", "--", "env", "-0").stdout
        pairs = (item.partition("=") for item in listing.split("\0") if item)
        self._environment = {name: value for name, _, value in pairs}

    def stop(self) -> None:
        """Stop the local Google Cloud."""
        self.python("-m", "emulator", "stop", check=False)

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

    def call(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        """Call one of the emulated services: `call("GET", "v1/projects/...")`.

        Raises:
            httpx.HTTPStatusError: The answer is an error.
        """
        base = self._environment["GOOGLE_HEALTHCARE_CUSTOM_ENDPOINT"].removesuffix("v1beta1/")
        answer = httpx.request(method, f"{base}{path}", json=body, timeout=30)
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
        stack.pulumi("stack", "init", name)
        local = yaml.safe_load((ROOT / "Pulumi.local.yaml").read_text())["config"]
        stack.configure({**local, "gcp:project": stack.project}, **config)
        return stack


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
        content = yaml.safe_load(self.file.read_text()) if self.file.exists() else {}
        content = content or {}
        config = content.setdefault("config", {})
        config |= {**(full or {}), **{f"{NAMESPACE}:{key}": value for key, value in own.items()}}
        content["config"] = {key: value for key, value in config.items() if value is not None}
        self.file.write_text(yaml.safe_dump(content, allow_unicode=True))

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
        """What the engine says it would do."""
        done = self.pulumi("preview", "--stack", self.name, *arguments, check=check)
        return done.stdout + done.stderr

    def plan(self) -> dict[str, str]:
        """What a preview would do: logical name of a resource -> create, update, replace, ..."""
        done = self.pulumi("preview", "--json", "--stack", self.name)
        steps = json.loads(done.stdout)["steps"]
        return {
            step["urn"].rpartition("::")[2]: step["op"] for step in steps if step["op"] != "same"
        }

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs."""
        done = self.pulumi("stack", "output", "--json", "--stack", self.name)
        outputs: dict[str, Any] = json.loads(done.stdout)
        return outputs

    def resources(self) -> dict[str, dict[str, Any]]:
        """URN -> state of everything that the stack holds."""
        exported = json.loads(self.pulumi("stack", "export", "--stack", self.name).stdout)
        return {
            resource["urn"]: resource
            for resource in exported["deployment"].get("resources", [])
            if not resource["type"].startswith("pulumi:")
        }

    def urn(self, name: str, kind: str) -> str:
        """The URN of a resource, by logical name and by the last word of its type."""
        [urn] = [
            urn
            for urn in self.resources()
            if urn.endswith(f"::{name}") and urn.split("::")[-2].endswith(f":{kind}")
        ]
        return urn


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
