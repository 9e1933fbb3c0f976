"""Tests that try to break the emulator: short in `make test`, long in `make soak`.

Each draws what it does from a seed, and reports at the end what it tried and what was lost.
"""

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.soak.crashing import KilledEmulator
from tests.soak.fuzzing import Target, target
from tests.support.soak_report import LINES


@pytest.fixture(scope="session")
def soak(request: pytest.FixtureRequest) -> bool:
    """Whether this is the long form."""
    return bool(request.config.getoption("--soak"))


@pytest.fixture(scope="session")
def victim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """An emulator for the files of tests that leave its projects and policies alone."""
    with target(tmp_path_factory.mktemp("victim")) as running:
        yield running


@pytest.fixture
def killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[KilledEmulator]:
    """A running emulator to kill, whose temporary files can be told from others'."""
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    emulator = KilledEmulator(tmp_path / "emulator")
    emulator.start()
    yield emulator
    emulator.stop()


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """The seed of the run: `--soak-seed` repeats a run that failed."""
    return int(request.config.getoption("--soak-seed"))


@pytest.fixture
def draw(seed: int, request: pytest.FixtureRequest) -> random.Random:
    """A source of chance of this test alone."""
    return random.Random(f"{seed} {request.node.name}")


@pytest.fixture
def report(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Keep a line for the end of the run: `report("kills", tried=50, lost=0)`."""

    def report(work: str, **figures: int) -> None:
        text = ", ".join(f"{name} {figure}" for name, figure in figures.items())
        request.config.stash[LINES].append(f"{work}: {text}")

    return report
