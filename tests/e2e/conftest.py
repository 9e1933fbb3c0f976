"""Places to run the real engine in: a local Google Cloud, new stacks on it.

All tests of a worker share `lab`. Each stack gets a Google Cloud project of its own, so that tests
do not see each other.
"""

import itertools
from collections.abc import Callable, Iterator

import pytest

from tests.support.labs import Lab, Stack
from tests.support.program_host import ProgramHost

_NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def host() -> Iterator[ProgramHost]:
    """Runs the programs of stacks in this process."""
    host = ProgramHost()
    yield host
    host.close()


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory, host: ProgramHost) -> Iterator[Lab]:
    """A started local Google Cloud with its own state folder, and an engine to use on it."""
    shared = Lab(tmp_path_factory.mktemp("lab"), host)
    try:
        shared.start()
        yield shared
    finally:
        shared.stop()


@pytest.fixture(scope="module")
def enforcing_lab(tmp_path_factory: pytest.TempPathFactory, host: ProgramHost) -> Iterator[Lab]:
    """A local Google Cloud of a module, which decides each call by the roles of its caller."""
    own = Lab(tmp_path_factory.mktemp("enforced"), host)
    try:
        own.start("--enforce-iam")
        yield own
    finally:
        own.stop()


@pytest.fixture(scope="session")
def new_stack(lab: Lab) -> Callable[[], Stack]:
    """Make a stack on the shared lab, in a project of its own, not brought up yet."""
    return lambda: lab.stack(f"local-test{next(_NUMBERS)}")


@pytest.fixture
def stack(new_stack: Callable[[], Stack]) -> Stack:
    """A new stack of this test alone."""
    return new_stack()
