"""The order of a start: seeding waits until the server's packages are imported."""

import threading
from pathlib import Path

import pytest

from emulator import children, server
from emulator.layout import Ports, Running


@pytest.fixture
def neighbours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> server.Neighbours:
    monkeypatch.setattr(children, "ensure_spatial_extension", lambda: None)
    monkeypatch.setattr(children.Children, "start", lambda _self: None)
    monkeypatch.setattr(children.Children, "ready", lambda _self: True)
    return server.Neighbours(Running(1, 0.0, Ports(1, 2, 3), tmp_path, False))


def test_seeding_waits_for_the_imports(
    neighbours: server.Neighbours, monkeypatch: pytest.MonkeyPatch
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
    neighbours: server.Neighbours, monkeypatch: pytest.MonkeyPatch
) -> None:
    seeded = threading.Event()
    monkeypatch.setattr(neighbours, "seed", seeded.set)

    neighbours.start()
    neighbours.stop()

    assert not seeded.is_set()
    assert not neighbours.ready()
