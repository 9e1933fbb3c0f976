"""Before the first update of a stack, the other stacks in its project are named."""

from pathlib import Path
from typing import Any

from scripts.stacks.shared_project import warn
from tests.support.fake_engine import FakeEngine

DATASET = "gcp:healthcare/dataset:Dataset"
PROVIDER = {"type": "pulumi:providers:gcp", "custom": True, "inputs": {"project": "mine"}}


def state(*resources: dict[str, Any]) -> dict[str, Any]:
    return {"version": 3, "deployment": {"resources": list(resources)}}


def dataset(project: str) -> dict[str, Any]:
    return {"type": DATASET, "custom": True, "inputs": {"project": project}}


def reported(tmp_path: Path, own: dict[str, Any] | None, config: str) -> list[str]:
    (tmp_path / "Pulumi.local-copy.yaml").write_text(config)
    engine = FakeEngine("local-copy", program=tmp_path)
    engine.others = {"local": state(dataset("mine")), "dev": state(dataset("other"))}
    lines: list[str] = []
    warn(engine, own, lines.append)
    return lines


def test_a_copied_stack_file_is_noticed(tmp_path: Path) -> None:
    for own in (None, state(), state(PROVIDER)):
        [line] = reported(tmp_path, own, "config:\n  gcp:project: mine\n")
        assert line.startswith("Stack 'local' has resources in the project mine too.")
        assert "make stack NAME=" in line


def test_a_project_of_its_own_and_a_deployed_stack_are_not_mentioned(tmp_path: Path) -> None:
    assert reported(tmp_path, None, "config:\n  gcp:project: new\n") == []
    assert reported(tmp_path, state(dataset("mine")), "config:\n  gcp:project: mine\n") == []


def test_a_file_without_a_project_is_left_to_the_update(tmp_path: Path) -> None:
    for config in ("", "config: 1", "config:\n", "a: [", "config:\n  gcp:project:\n"):
        assert reported(tmp_path, None, config) == []
