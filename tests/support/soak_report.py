"""The soak tests' report at the end of a run, from all workers."""

import pytest

LINES = pytest.StashKey[list[str]]()
