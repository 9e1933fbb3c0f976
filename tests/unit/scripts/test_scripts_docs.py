"""The documentation names every script and exactly the options of each command line."""

import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from scripts.lib.errors import ExitCode
from scripts.lib.options import ROOT

DOCS = (ROOT / "docs/scripts.md").read_text("utf-8")
SECTIONS = dict(re.findall(r"^## (\w+)\.py\n(.*?)(?=^## |\Z)", DOCS, re.MULTILINE | re.DOTALL))


def _cli_options(name: str) -> set[str]:
    module = importlib.import_module(f"scripts.{name}")
    command = typer.main.get_command(module.app)
    options = {o for p in command.params if p.param_type_name == "option" for o in p.opts}
    return options - {"--help", "-h"}


def _documented_options(section: str) -> set[str]:
    rows = re.findall(r"^\| (`-.*?) \|", section, re.MULTILINE)
    return {option for row in rows for option in re.findall(r"`(-[-\w]+)`", row)}


def test_every_script_is_in_the_table() -> None:
    scripts = {path.name for path in Path(ROOT / "scripts").glob("*.py")} - {"__init__.py"}
    overview = DOCS.partition("\n## ")[0]
    assert {name for name in scripts if f"`{name}`" not in overview} == set()


@pytest.mark.parametrize("name", SECTIONS)
def test_the_options_are_those_of_the_command_line(name: str) -> None:
    assert _documented_options(SECTIONS[name]) == _cli_options(name)


@pytest.mark.parametrize("name", SECTIONS)
def test_every_option_has_help(name: str) -> None:
    command = typer.main.get_command(importlib.import_module(f"scripts.{name}").app)
    assert command.help
    for parameter in command.params:
        assert getattr(parameter, "help", None), parameter.name


def test_every_exit_code_is_explained() -> None:
    documented = {int(code) for code in re.findall(r"^\| (\d+) \|", DOCS, re.MULTILINE)}
    assert documented == set(map(int, ExitCode))


# Each takes 0.2 s to 1.4 s of CPU: `--help` of a script waits for none of them.
GOOGLE = ("google.api_core", "google.auth", "google.cloud", "googleapiclient")
HEAVY = {*GOOGLE, "grpc", "httplib2", "pulumi", "requests"}


@pytest.mark.sockets  # starts a process
def test_a_command_line_imports_no_library_that_its_work_needs() -> None:
    scripts = [path.stem for path in Path(ROOT / "scripts").glob("[a-z]*.py")]
    modules = ", ".join(f"scripts.{name}" for name in scripts)
    # Packages of namespaces are in every process.
    code = f"import sys; old = {{*sys.modules}}; import {modules}; print(*{{*sys.modules}} - old)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "scripts.teardown" in done.stdout.split()
    assert HEAVY & set(done.stdout.split()) == set()
