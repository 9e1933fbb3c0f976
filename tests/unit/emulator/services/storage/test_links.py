"""Taking an object's file from fake-gcs-server's folder without a copy."""

from pathlib import Path

import pytest

from emulator.services.storage import object_files


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "storage"
    for name in ("a/b.dcm", "a b.dcm", ".hidden"):
        object_files.write_object(
            root / "bucket" / name, tmp_path / "d", name.encode(), "text/plain", {}
        )
    return root


def test_a_link_keeps_the_bytes_that_the_object_had(root: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    assert object_files.hard_link(root, "bucket", "a/b.dcm", link)
    object_files.write_object(
        root / "bucket" / "a" / "b.dcm", tmp_path / "d", b"newer", "text/plain", {}
    )
    assert link.read_bytes() == b"a/b.dcm"
    link.unlink()
    assert (root / "bucket" / "a" / "b.dcm").read_bytes() == b"newer"


@pytest.mark.parametrize(
    "name",
    [
        "a b.dcm",  # a character that the server might write another way
        ".hidden",
        "absent.dcm",
        "a",  # a folder
        "a//b.dcm",
        "a/./b.dcm",
        "../bucket/a/b.dcm",
        "a/../a/b.dcm",
        "/a/b.dcm",
        "a/b.dcm\n",
        "a/b.dcm\0",
        "",
    ],
)
def test_any_other_name_is_left_to_the_server(root: Path, tmp_path: Path, name: str) -> None:
    assert not object_files.hard_link(root, "bucket", name, tmp_path / "link")
    assert not (tmp_path / "link").exists()


@pytest.mark.parametrize("bucket", ["..", ".", "", "a/b", "no-such-bucket"])
def test_a_bucket_that_is_none(root: Path, tmp_path: Path, bucket: str) -> None:
    assert not object_files.hard_link(root, bucket, "a/b.dcm", tmp_path / "link")
