from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from scripts import teardown
from scripts.common import deploy, leftovers, stack
from scripts.common.deploy import Resource
from scripts.common.errors import ScriptError
from scripts.common.leftovers import Made
from tests.unit.scripts.fakes import DATASET, Ran

Run = Callable[..., Ran]
STATE = [
    Resource("pulumi:pulumi:Stack", "urn", ""),
    Resource("gcp:healthcare/dataset:Dataset", "urn:d", DATASET),
]


class World:
    """A stack, its services and its place."""

    def __init__(self) -> None:
        self.state = list(STATE)
        self.left: list[Made] = []
        self.destroyed = 0
        self.stopped: list[str] = []
        self.destroy_error: ScriptError | None = None
        self.list_error: ScriptError | None = None

    def destroy(self, name: str, environment: Any, *, report: Any, color: bool) -> None:
        self.destroyed += 1
        report("Destroying (local)")
        if self.destroy_error:
            raise self.destroy_error
        self.state = []

    def still_there(self, made: list[Made]) -> list[Made]:
        if self.list_error:
            raise self.list_error
        return [thing for thing in made if thing in self.left]


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> World:
    world = World()
    monkeypatch.setenv("LAB_DIR", str(tmp_path))
    monkeypatch.setattr(stack, "enter", lambda name, report: SimpleNamespace(environment={}))
    monkeypatch.setattr(deploy, "resources", lambda name, environment: world.state)
    monkeypatch.setattr(deploy, "destroy", world.destroy)
    monkeypatch.setattr(leftovers, "still_there", world.still_there)
    monkeypatch.setattr("engine.places.leave", world.stopped.append, raising=False)
    return world


def test_destroyed_proved_and_stopped(world: World, run: Run, tmp_path: Path) -> None:
    ran = run(teardown.app)
    assert ran.code == 0
    assert "Destroying (local)" in ran.out
    assert "gone" in ran.out
    assert DATASET in ran.out
    assert "Nothing of the stack is left." in ran.out
    assert world.stopped == ["local"]
    assert list(tmp_path.iterdir()) == []


def test_a_second_time_there_is_nothing(world: World, run: Run) -> None:
    assert run(teardown.app).code == 0
    ran = run(teardown.app)
    assert ran.code == 0
    assert "nothing to tear down" in ran.out
    assert world.destroyed == 1


def test_what_is_still_there_is_named_and_fails(world: World, run: Run) -> None:
    world.left = leftovers.made_by(STATE)
    ran = run(teardown.app)
    assert ran.code == 1
    assert "still there" in ran.out
    assert f"1 of 1 are still there: Healthcare dataset {DATASET}." in ran.err
    assert world.stopped == []
    # The names outlive the state: the next run still looks for them, and proves it at last.
    again = run(teardown.app)
    assert again.code == 1
    world.left = []
    assert run(teardown.app).code == 0
    assert world.destroyed == 1


def test_an_interrupted_proof_is_made_up_for(world: World, run: Run) -> None:
    world.list_error = ScriptError("no connection")
    assert run(teardown.app).code == 1
    world.list_error = None
    ran = run(teardown.app)
    assert ran.code == 0
    assert DATASET in ran.out


def test_a_failed_destroy_is_told_and_nothing_is_stopped(world: World, run: Run) -> None:
    world.destroy_error = ScriptError("Destroying stack 'local' failed.", "cure")
    ran = run(teardown.app)
    assert ran.code == 1
    assert "error: Destroying stack 'local' failed.\ncure" in ran.err
    assert world.stopped == []


def test_what_the_program_keeps_is_no_failure(world: World, run: Run) -> None:
    world.state[1] = Resource(STATE[1].type, "urn:d", DATASET, retained=True)
    world.left = leftovers.made_by(world.state)
    ran = run(teardown.app)
    assert ran.code == 0
    assert "kept, as the program says" in ran.out


def test_keep_running(world: World, run: Run) -> None:
    assert run(teardown.app, "--keep-running").code == 0
    assert world.stopped == []


def test_json(world: World, run: Run) -> None:
    ran = run(teardown.app, "--json")
    shape = ran.json
    assert shape["stack"] == "local"
    assert [(thing["kind"], thing["name"]) for thing in shape["gone"]] == [
        ("Healthcare dataset", DATASET)
    ]
