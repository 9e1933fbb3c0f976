"""The log of the workloads, as the lines that a test has caused."""

import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from workloads.common import logs


@pytest.fixture
def logged() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """The lines of the log."""
    stream = io.StringIO()
    logs.configure(stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logging.getLogger("workloads").handlers.clear()
