"""Unit tests work nowhere: no variable leads them to a Google Cloud, real or local."""

import os

import pytest


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take out the variables of a place, which a contract test may have set for its session."""
    for name in list(os.environ):
        if name.startswith(("GOOGLE_", "CLOUDSDK_")) or name.endswith("_EMULATOR_HOST"):
            monkeypatch.delenv(name)
