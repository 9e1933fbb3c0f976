"""The page's samples in a new environment that holds only what the page installs."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from uv import find_uv_bin

from tests.support.labs import ROOT

pytestmark = pytest.mark.sockets

PAGE = (ROOT / "docs" / "emulator-in-tests.md").read_text()
REQUIREMENT = r"gcp-healthcare-dicom\[emulator\] @ \S+(?=')"
# Stands in for `pip`: the versions of the lock, from uv's cache where they are there.
PIP = """#!/bin/sh
[ "$1" = install ] && shift || exit 2
install() {{ {uv} pip install --quiet --python {python} --constraint {lock} "$@"; }}
install --offline "$@" 2>/dev/null || install "$@"
"""


def blocks(language: str) -> list[str]:
    """The page's blocks of code in a language."""
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


class Environment:
    """A new virtual environment, with the page's `pip` in it, and an empty project beside it."""

    def __init__(self, folder: Path) -> None:
        self.project = folder / "project"
        self.project.mkdir()
        self.source = copy_of_the_package(folder / "source")
        venv = folder / "venv"
        subprocess.run(
            [find_uv_bin(), "venv", "--quiet", "--python", sys.executable, str(venv)], check=True
        )
        self.bin = venv / "bin"
        pip = self.bin / "pip"
        pip.write_text(
            PIP.format(
                uv=shlex.quote(find_uv_bin()),
                python=shlex.quote(str(self.bin / "python")),
                lock=shlex.quote(str(ROOT / "requirements.txt")),
            )
        )
        pip.chmod(0o755)

    def run(self, script: str, *, seconds: int = 300) -> str:
        """Run a script of the page in the project; its requirement names the copy of the package.

        Returns:
            Standard output and standard error.
        """
        local = f"gcp-healthcare-dicom[emulator] @ {self.source.as_uri()}"
        script = re.sub(REQUIREMENT, local, script)
        names = ("GOOGLE", "CLOUDSDK", "PYTEST", "PYTHON", "LAB_DIR", "VIRTUAL_ENV")
        environment = {k: v for k, v in os.environ.items() if not k.startswith(names)}
        environment["PATH"] = f"{self.bin}:{environment['PATH']}"
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=self.project,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=seconds,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout


def copy_of_the_package(folder: Path) -> Path:
    """Copy what the distribution is built from: the build leaves files beside its sources."""
    folder.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    for name in (
        "components",
        "program",
        "scripts",
        "emulator",
        "engine",
        "policy",
        "viewer",
        "workloads",
    ):
        ignored = shutil.ignore_patterns("__pycache__", ".venv")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    return folder


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment after the page's first command, and the one above its sample of a test."""
    environment = Environment(tmp_path_factory.mktemp("clean"))
    commands = [line for block in blocks("console") for line in block.splitlines()]
    installs = [line.removeprefix("$ ") for line in commands if "pip install" in line]
    assert len(installs) == 2
    environment.run("\n".join(installs))
    return environment


def test_the_emulator_needs_no_pulumi(clean: Environment) -> None:
    listed = clean.run(f"{find_uv_bin()} pip list --python {clean.bin}/python")
    names = set(re.findall(r"^[\w-]+", listed, re.MULTILINE))
    assert {"gcp-healthcare-dicom", "bqemulator", "pytest"} <= names
    assert not {name for name in names if "pulumi" in name.lower()}


def test_the_commands_of_the_page_start_an_emulator(clean: Environment) -> None:
    [block] = [one for one in blocks("console") if "start --all-services-enabled" in one]
    commands = [line.removeprefix("$ ") for line in block.splitlines()]
    script = "\n".join(line for line in commands if "pip install" not in line)
    url = clean.run(
        f"{script} >&2\n"
        "trap 'gcp-healthcare-emulator stop' EXIT\n"
        'curl -sf "${GOOGLE_HEALTHCARE_CUSTOM_ENDPOINT}projects/local-project/locations"\n'
    )
    assert '"us-central1"' in url


def test_the_sample_of_the_page_passes(clean: Environment) -> None:
    [sample] = [one for one in blocks("python") if "def test_" in one]
    (clean.project / "test_sample.py").write_text(sample)
    assert "1 passed" in clean.run("pytest -q")


def test_the_steps_for_github_actions_pass(clean: Environment) -> None:
    [sample] = [one for one in blocks("python") if "def test_" in one]
    (clean.project / "test_sample.py").write_text(sample)
    [workflow] = blocks("yaml")
    [job] = yaml.safe_load(workflow)["jobs"].values()
    steps = [step["run"] for step in job["steps"] if "run" in step]
    assert "1 passed" in clean.run("\n".join(steps))


def test_the_command_names_itself_and_no_file_that_is_missing(clean: Environment) -> None:
    commands = ("--help", "start --help", "status || true", "fault list || true")
    output = "\n".join(clean.run(f"gcp-healthcare-emulator {command}") for command in commands)
    assert "Usage: gcp-healthcare-emulator" in output
    assert "gcp-healthcare-emulator start" in output
    assert "python -m emulator" not in output
    assert "docs/" not in output
