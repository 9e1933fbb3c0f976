"""Places to run the real engine in: a local Google Cloud of one's own, fresh stacks on it.

`lab` is shared by all tests of a run; `new_lab` makes another one for a test that breaks it. Each
stack gets a Google Cloud project of its own, so tests on one lab do not see each other.
"""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.labs import Lab, Stack

_NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A started local Google Cloud with its own state folder, and an engine to use on it."""
    shared = Lab(tmp_path_factory.mktemp("lab"))
    try:
        shared.start()
        yield shared
    finally:
        shared.stop()


@pytest.fixture
def new_lab(tmp_path: Path) -> Iterator[Callable[[], Lab]]:
    """Makes started labs that only this test uses."""
    made: list[Lab] = []

    def make() -> Lab:
        made.append(Lab(tmp_path / f"lab{len(made) + 1}"))
        made[-1].start()
        return made[-1]

    yield make
    for each in made:
        each.stop()


@pytest.fixture
def stack(lab: Lab) -> Stack:
    """A fresh stack on the shared lab, in a project of its own, not brought up yet."""
    return lab.stack(f"local-test{next(_NUMBERS)}")
