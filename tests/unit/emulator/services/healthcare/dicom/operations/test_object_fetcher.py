"""Fetching where the disk refuses, and where the objects are on this machine."""

from hashlib import sha256
from pathlib import Path

import pytest

from emulator.services.healthcare.dicom.instances import staged_file
from emulator.services.healthcare.dicom.operations import object_fetcher
from emulator.services.healthcare.dicom.operations.object_fetcher import FetchTask
from emulator.services.storage import object_files
from tests.support.dicom_files import make_dicom


def test_a_task_that_finds_no_room_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fetch(_connection: object, _bucket: str, name: str, path: Path) -> str:
        path.write_bytes(make_dicom())
        if name == "last":
            raise OSError(28, "No space left on device")
        return "0" * 64

    monkeypatch.setattr(object_fetcher, "_fetch", fetch)

    with pytest.raises(OSError, match="No space"):
        object_fetcher.fetch_and_parse(
            FetchTask("http://127.0.0.1:1", "b", ["first", "last"], tmp_path)
        )

    assert list(tmp_path.iterdir()) == []


def test_objects_on_this_machine_are_linked_and_only_others_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, asked = make_dicom(), list[str]()

    def fetch(_connection: object, _bucket: str, name: str, path: Path) -> str:
        asked.append(name)
        path.write_bytes(file)
        return "0" * 64

    monkeypatch.setattr(object_fetcher, "_fetch", fetch)
    kept = tmp_path / "objects"
    (tmp_path / "incoming").mkdir()
    for name, content in {"good.dcm": file, "bad.dcm": b"no image"}.items():
        object_files.write_object(
            kept / "b" / name, tmp_path / "drafts", content, "application/dicom", {}
        )

    names = ["good.dcm", "bad.dcm", "odd name.dcm"]
    task = FetchTask("http://127.0.0.1:1", "b", names, tmp_path / "incoming", kept)
    found = {one.name: one for one in object_fetcher.fetch_and_parse(task)}

    assert asked == ["odd name.dcm"]
    good, bad = found["good.dcm"].staged, found["bad.dcm"]
    assert good
    assert good.record.sha256 == sha256(file).hexdigest()
    assert good.path.samefile(kept / "b" / "good.dcm")
    assert (bad.staged, bad.error) == (None, "Not a DICOM file: the DICM prefix is missing.")
    assert (kept / "b" / "bad.dcm").read_bytes() == b"no image"
    staged_file.discard(list(found.values()))
    assert list((tmp_path / "incoming").iterdir()) == []
    assert (kept / "b" / "good.dcm").read_bytes() == file
