"""The ledger: entries are written in batches, by number and by age."""

from typing import Any, cast

import pytest

from pipelines.common import ledger
from pipelines.common.objects import Objects


class Kept:
    """Cloud Storage in memory."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def write(self, uri: str, content: bytes, media_type: str) -> None:
        self.files[uri] = content

    def read(self, uri: str) -> bytes:
        return self.files[uri]


@pytest.fixture
def objects() -> Any:
    return Kept()


def entries(objects: Any) -> list[str]:
    found = [ledger.read(cast(Objects, objects), uri) for uri in objects.files]
    return [entry["source"] for each in found for entry in each]


def test_entries_are_written_when_they_are_many(
    objects: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "MAX_ITEMS", 3)
    written = ledger.Ledger(objects, "gs://b/run/", lambda: 0.0)
    for number in range(7):
        written.add({"source": str(number)})
    assert entries(objects) == [*"012345"]
    written.flush()
    written.flush()
    assert entries(objects) == [*"0123456"]
    assert all(uri.startswith("gs://b/run/ledger/") for uri in objects.files)


def test_entries_are_written_when_the_first_is_old(objects: Any) -> None:
    now = [0.0]
    written = ledger.Ledger(objects, "gs://b/run/", lambda: now[0])
    written.add({"source": "a"})
    now[0] = ledger.MAX_SECONDS + 1
    written.add({"source": "b"})
    assert entries(objects) == ["a", "b"]
