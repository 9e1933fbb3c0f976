"""The buckets of a fake-gcs-server that was killed in the middle of an upload."""

import json
from pathlib import Path

import pytest

from emulator.services.storage import crash_recovery, object_files, xattrs


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder of buckets, as a kill left it: one object is whole, of one only the bytes."""
    root = tmp_path / "storage"
    object_files.write_object(
        root / "b" / "whole.txt", tmp_path / "d", b"whole", "text/plain", {"a": "b"}
    )
    (root / "b" / "deep").mkdir()
    (root / "b" / "deep" / "image.dcm").write_bytes(b"bytes")
    (root / "b" / "deep" / ".image.dcm3796310844").touch()
    (root / ".b.bucketMetadata2712930781").touch()
    return root


def attributes(path: Path) -> dict[str, object]:
    raw = xattrs.read(path, object_files.ATTRIBUTE)
    assert raw, f"{path} has no metadata"
    found: dict[str, object] = json.loads(raw)
    return found


def test_bytes_without_metadata_become_an_object(root: Path, tmp_path: Path) -> None:
    before = attributes(root / "b" / "whole.txt")

    crash_recovery.recover(root, tmp_path / "uploads")

    mended = attributes(root / "b" / "deep" / "image.dcm")
    assert mended["ContentType"] == "application/dicom"
    assert mended["Md5Hash"] == "SzpiGLs+OnMD6KFxpg/Pkg=="
    assert (root / "b" / "deep" / "image.dcm").read_bytes() == b"bytes"
    assert attributes(root / "b" / "whole.txt") == before


def test_what_was_only_tried_goes(root: Path, tmp_path: Path) -> None:
    uploads = tmp_path / "uploads"
    uploads.mkdir()
    (uploads / ".half.dcm123").write_bytes(b"half")

    crash_recovery.recover(root, uploads)

    assert sorted(path.name for path in root.rglob("*")) == ["b", "deep", "image.dcm", "whole.txt"]
    assert list(uploads.iterdir()) == []
