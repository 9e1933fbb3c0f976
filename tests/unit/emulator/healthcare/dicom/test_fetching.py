"""Fetching where the disk refuses."""

from pathlib import Path

import pytest

from emulator.healthcare.dicom import fetching
from emulator.healthcare.dicom.fetching import Task
from tests.unit.emulator.healthcare.dicom.conftest import make_dicom


def test_a_task_that_finds_no_room_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fetch(_connection: object, _bucket: str, name: str, path: Path) -> str:
        path.write_bytes(make_dicom())
        if name == "last":
            raise OSError(28, "No space left on device")
        return "0" * 64

    monkeypatch.setattr(fetching, "_fetch", fetch)

    with pytest.raises(OSError, match="No space"):
        fetching.run(Task("http://127.0.0.1:1", "b", ["first", "last"], tmp_path))

    assert list(tmp_path.iterdir()) == []
