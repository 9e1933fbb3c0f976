"""Commands, links, scripts and options of the README exist."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from program.config import Settings

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


@pytest.mark.parametrize("command", sorted(set(re.findall(r"make ([a-z-]+)", README))))
def test_every_make_command_is_a_target(command: str) -> None:
    assert re.search(rf"^{command}: .*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([\w/.-]+)\)", README))))
def test_every_link_leads_to_a_file(link: str) -> None:
    assert (ROOT / link).is_file()


@pytest.mark.parametrize("script", sorted(set(re.findall(r"scripts/\w+\.py", README))))
def test_every_script_is_there(script: str) -> None:
    assert (ROOT / script).is_file()


@pytest.mark.parametrize(
    "command", re.findall(r"`\.venv/bin/python (scripts/\w+\.py[^`]*)`", README)
)
def test_every_option_of_an_example_is_one_of_the_script(command: str) -> None:
    script, _, options = command.partition(" ")
    done = subprocess.run(
        [sys.executable, script, "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for option in re.findall(r"--[a-z-]+", options):
        assert option in done.stdout


def test_the_reference_of_settings_is_complete() -> None:
    page = (ROOT / "docs" / "configuration.md").read_text()
    named = set(re.findall(r"^\| `([\w:]+)` \|", page, re.MULTILINE))
    assert named >= {field.alias or name for name, field in Settings.model_fields.items()}
