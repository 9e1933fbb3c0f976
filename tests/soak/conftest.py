"""Tests that try to break the emulator: short in `make test`, long in `make soak`.

Each draws what it does from a seed, and tells at the end what it tried and what was lost.
"""

import random
from collections.abc import Callable

import pytest

_TOLD = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_TOLD] = []


@pytest.fixture(scope="session")
def soak(request: pytest.FixtureRequest) -> bool:
    """Whether this is the long form."""
    return bool(request.config.getoption("--soak"))


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """What the run draws from: `--soak-seed` repeats a run that failed."""
    return int(request.config.getoption("--soak-seed"))


@pytest.fixture
def draw(seed: int, request: pytest.FixtureRequest) -> random.Random:
    """A source of chance of this test alone."""
    return random.Random(f"{seed} {request.node.name}")


@pytest.fixture
def tell(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Keeps a line for the end of the run: `tell("kills", tried=50, lost=0)`."""

    def tell(work: str, **figures: int) -> None:
        said = ", ".join(f"{name} {figure}" for name, figure in figures.items())
        request.config.stash[_TOLD].append(f"{work}: {said}")

    return tell


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    if told := config.stash[_TOLD]:
        terminalreporter.section(f"soak, seed {config.getoption('--soak-seed')}")
        for line in told:
            terminalreporter.line(line)
