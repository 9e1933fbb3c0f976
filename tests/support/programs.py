"""Pulumi programs of other projects, run on a lab's engine and local Google Cloud."""

import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import yaml

from tests.support import state_file
from tests.support.labs import ROOT, Lab, run, write_config


class Program:
    """A project in a folder of its own, with one stack of the same name as its cloud project.

    Attributes:
        lab: Where it runs.
        folder: The project's folder.
        stack: The stack's name.
        project: The Google Cloud project.
    """

    def __init__(self, lab: Lab, folder: Path, stack: str) -> None:
        self.lab, self.folder, self.stack, self.project = lab, folder, stack, stack
        lab.create_stack(folder, stack)
        self.configure({"gcp:project": self.project})

    def configure(self, config: Mapping[str, str | None]) -> None:
        """Set full keys of the configuration; what is None is removed."""
        write_config(self.folder / f"Pulumi.{self.stack}.yaml", config)

    @classmethod
    def create(cls, lab: Lab, folder: Path, project: str, text: str, stack: str) -> Self:
        """Create a project of one file in a new folder.

        Args:
            project: The project's name, which begins its keys of the configuration.
            text: The program.
        """
        folder.mkdir()
        (folder / ".venv").symlink_to(ROOT / ".venv")
        settings = {"name": project, "runtime": {"name": "python"}}
        (folder / "Pulumi.yaml").write_text(yaml.safe_dump(settings))
        (folder / "__main__.py").write_text(text)
        return cls(lab, folder, stack)

    @classmethod
    def copy_of(cls, lab: Lab, source: Path, into: Path, stack: str) -> "Program":
        """A copy of a project of the repository."""
        shutil.copytree(source, into, symlinks=True)
        return cls(lab, into, stack)

    def pulumi(
        self, *arguments: str, check: bool = True, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run the engine's command line in the folder."""
        command = ["pulumi", *arguments, "--non-interactive"]
        own = {"PYTHONPATH": str(ROOT), "PULUMI_STACK": self.stack}
        variables = {**self.lab.environment, **own, **environment}
        return run(command, self.folder, variables, check=check, timeout=300)

    def change(self, verb: str, *arguments: str) -> str:
        """Run up or destroy without questions; what it printed."""
        done = self.pulumi(verb, "--yes", "--skip-preview", "--stack", self.stack, *arguments)
        return done.stdout + done.stderr

    def plan(self) -> dict[str, str]:
        """The steps of a preview: logical name of a resource -> create, update, ..."""
        done = self.pulumi("preview", "--json", "--stack", self.stack)
        steps = json.loads(done.stdout)["steps"]
        return {
            step["urn"].rpartition("::")[2]: step["op"] for step in steps if step["op"] != "same"
        }

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs."""
        return state_file.outputs(self.deployment())

    def resources(self) -> list[dict[str, Any]]:
        """The state of everything that the stack holds but itself and its providers."""
        return state_file.resources(self.deployment())

    def deployment(self) -> dict[str, Any]:
        """The state of the stack, as `pulumi stack export` has it."""
        return state_file.deployment(self.lab.environment, self.folder, self.stack)
