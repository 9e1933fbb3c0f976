"""The configuration files of new stacks."""

import shutil
from pathlib import Path

import pytest
import yaml

from program.config import parse
from scripts import create_stack
from scripts.lib.errors import ScriptError, UsageError
from scripts.lib.options import ROOT
from scripts.stacks import stack_file

KEY = "gcp-healthcare-dicom"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the shipped stack files."""
    for name in stack_file.TEMPLATES.values():
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def test_a_second_local_stack_has_all_keys_and_a_project_of_its_own(folder: Path) -> None:
    file = stack_file.create("local-b", folder=folder)
    assert file == folder / "Pulumi.local-b.yaml"
    created, shipped = (
        yaml.safe_load(each.read_text()) for each in (file, folder / "Pulumi.local.yaml")
    )
    assert created["config"].pop("gcp:project") == "local-b-project"
    assert shipped["config"].pop("gcp:project") == "local-project"
    assert created == shipped


@pytest.mark.parametrize("shipped", ["Pulumi.local.yaml"])
def test_lines_can_be_appended_because_the_salt_comes_first(folder: Path, shipped: str) -> None:
    for file in (folder / shipped, stack_file.create("local-b", folder=folder)):
        lines = [line for line in file.read_text().splitlines() if not line.startswith("#")]
        assert lines[0].startswith("encryptionsalt: ")
        text = file.read_text() + f"  {KEY}:allowedLocations: [us-central1]\n"
        assert yaml.safe_load(text)["config"][f"{KEY}:allowedLocations"] == ["us-central1"]


def test_a_stack_on_google_cloud_gets_the_project_that_is_named(folder: Path) -> None:
    file = stack_file.create("prod", "my-project", folder=folder)
    config = yaml.safe_load(file.read_text())["config"]
    assert config["gcp:project"] == "my-project"
    assert parse({key: _as_the_engine_sends(value) for key, value in config.items()}, stack="prod")


def _as_the_engine_sends(value: object) -> str:
    import json

    return value if isinstance(value, str) else json.dumps(value)


@pytest.mark.parametrize(
    ("name", "project", "message"),
    [
        ("a b", None, "'a b' is not a valid stack name"),
        ("../x", None, "is not a valid stack name"),
        ("prod", None, "needs a project"),
        ("prod", "P", "'P' is not a valid project id"),
    ],
)
def test_what_is_not_valid_is_refused(
    folder: Path, name: str, project: str | None, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        stack_file.create(name, project, folder=folder)


def test_an_existing_file_is_never_changed(folder: Path) -> None:
    before = (folder / "Pulumi.local.yaml").read_text()
    with pytest.raises(ScriptError, match=r"Pulumi\.local\.yaml exists already"):
        stack_file.create("local", folder=folder)
    assert (folder / "Pulumi.local.yaml").read_text() == before


@pytest.mark.parametrize(
    ("name", "project"),
    [("local-b", "local-b-project"), ("local-A_b.c", "local-a-b-c-project"),
     ("local-" + "x" * 90, "local-" + "x" * 16 + "-project")],
)  # fmt: skip
def test_local_projects_have_valid_ids(folder: Path, name: str, project: str) -> None:
    text = stack_file.create(name, folder=folder).read_text()
    assert yaml.safe_load(text)["config"]["gcp:project"] == project


def test_a_missing_file_is_named_with_the_command_that_makes_it(folder: Path) -> None:
    with pytest.raises(ScriptError, match=r"Pulumi\.local-c\.yaml does not exist") as refused:
        stack_file.require("local-c", folder)
    assert "make stack NAME=local-c" in str(refused.value)
    assert stack_file.require("local", folder) == folder / "Pulumi.local.yaml"


def test_the_command_says_what_it_made(
    folder: Path, run: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stack_file, "create", lambda name, project: folder / f"Pulumi.{name}.yaml")
    done = run(create_stack.app, "local-b")  # type: ignore[operator]
    assert done.out == "Created Pulumi.local-b.yaml. Deploy it with: make lab STACK=local-b\n"
