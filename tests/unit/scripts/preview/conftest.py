"""The recorded previews, read."""

from collections.abc import Callable
from pathlib import Path

import pytest

from scripts.preview.model import Preview
from scripts.preview.parse import parse

RECORDED = Path(__file__).resolve().parents[3] / "data" / "previews"


@pytest.fixture
def recorded() -> Callable[[str], Path]:
    """Return the path of a recording: `rename`, or `rename.events` for the stream."""

    def path(name: str) -> Path:
        return RECORDED / f"{name}{'.jsonl' if name.endswith('.events') else '.json'}"

    return path


@pytest.fixture
def read(recorded: Callable[[str], Path]) -> Callable[[str], Preview]:
    """Read a recording."""
    return lambda name: parse(recorded(name).read_text(encoding="utf-8"))
