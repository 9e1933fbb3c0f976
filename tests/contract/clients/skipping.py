"""Skips of tests whose clients or data can not be fetched or built here."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.contract.clients import installing


def installed(folder: Callable[[], Path]) -> Path:
    """Return a folder of `installing`, or skip the test."""
    try:
        return folder()
    except installing.MissingError as error:
        pytest.skip(str(error))
