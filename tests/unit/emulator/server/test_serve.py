"""The start: its order, and what it needs."""

import threading
from pathlib import Path

import pytest
from typer.testing import CliRunner

from emulator.__main__ import app
from emulator.core.processes import supervisor
from emulator.server import backends
from emulator.server.errors import EmulatorError
from emulator.server.server_file import Ports, ServerInfo


@pytest.fixture
def neighbours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> backends.Backends:
    monkeypatch.setattr(supervisor.Supervisor, "start", lambda _self: None)
    monkeypatch.setattr(supervisor.Supervisor, "ready", lambda _self: True)
    return backends.Backends(ServerInfo(1, 0.0, Ports(1, 2, 3), tmp_path, False))


def test_seeding_waits_for_the_imports(
    neighbours: backends.Backends, monkeypatch: pytest.MonkeyPatch
) -> None:
    seeded = threading.Event()
    monkeypatch.setattr(neighbours, "seed", seeded.set)

    neighbours.start()
    assert not seeded.wait(0.1)
    neighbours.allow_seed()

    assert seeded.wait(10)
    neighbours.stop()
    assert neighbours.ready()


def test_a_server_that_never_came_up_seeds_nothing(
    neighbours: backends.Backends, monkeypatch: pytest.MonkeyPatch
) -> None:
    seeded = threading.Event()
    monkeypatch.setattr(neighbours, "seed", seeded.set)

    neighbours.start()
    neighbours.stop()

    assert not seeded.is_set()
    assert not neighbours.ready()


@pytest.mark.parametrize("options", [[], ["--foreground"]])
def test_a_folder_that_cant_be_written_is_an_error_of_one_line(
    options: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = tmp_path / "a-file"
    lab.touch()
    monkeypatch.setenv("LAB_DIR", str(lab))
    result = CliRunner().invoke(app, ["start", *options])
    assert isinstance(result.exception, EmulatorError)
    assert str(result.exception).startswith(f"The state folder {lab / 'emulator'} is not writable")
    assert "set LAB_DIR to another folder" in str(result.exception)
