"""Pulumi programs of other projects, run on a lab's engine and local Google Cloud."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from tests.e2e.labs import ROOT, Lab, run


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
        self.pulumi("stack", "init", stack)
        self.pulumi("config", "set", "gcp:project", self.project)

    @classmethod
    def copy_of(cls, lab: Lab, source: Path, into: Path, stack: str) -> "Program":
        """A copy of a project of the repository."""
        shutil.copytree(source, into, symlinks=True)
        return cls(lab, into, stack)

    def pulumi(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run the engine's command line in the folder."""
        command = ["pulumi", *arguments, "--non-interactive"]
        environment = {**self.lab.environment, "PYTHONPATH": str(ROOT)}
        return run(command, self.folder, environment, check=check, timeout=300)

    def change(self, verb: str, *arguments: str) -> str:
        """Run up or destroy without questions; what it printed."""
        done = self.pulumi(verb, "--yes", "--skip-preview", "--stack", self.stack, *arguments)
        return done.stdout + done.stderr

    def plan(self) -> dict[str, str]:
        """What a preview would do: logical name of a resource -> create, update, ..."""
        done = self.pulumi("preview", "--json", "--stack", self.stack)
        steps = json.loads(done.stdout)["steps"]
        return {
            step["urn"].rpartition("::")[2]: step["op"] for step in steps if step["op"] != "same"
        }

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs."""
        done = self.pulumi("stack", "output", "--json", "--stack", self.stack)
        outputs: dict[str, Any] = json.loads(done.stdout)
        return outputs

    def resources(self) -> list[dict[str, Any]]:
        """The state of everything that the stack holds but itself and its providers."""
        exported = json.loads(self.pulumi("stack", "export", "--stack", self.stack).stdout)
        return [
            resource
            for resource in exported["deployment"].get("resources", [])
            if not resource["type"].startswith("pulumi:")
        ]
