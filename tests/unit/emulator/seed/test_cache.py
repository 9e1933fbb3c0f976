"""The cache of the public bucket: built once, taken as links or copies, never written through."""

import errno
import hashlib
import os
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from emulator.seed import bucket, cache, records
from emulator.services.storage import object_files, xattrs
from emulator.services.storage.public_bucket import BUCKET

FEW_RECORDS = 20


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of this test alone, for a bucket of few files."""
    folder = tmp_path / "cache" / "seed"
    monkeypatch.setattr(cache, "cache_dir", lambda: folder)
    some = records.load()[:FEW_RECORDS]
    monkeypatch.setattr(records, "load", lambda: some)
    return folder


@pytest.fixture
def builds(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many files each call builds; without worker processes, which would load all records."""
    counts: list[int] = []

    def fill(storage: Path, missing: Sequence[records.ImageRecord]) -> list[str]:
        counts.append(len(missing))
        for record in missing:
            bucket.add_object(storage, record)
        return [record.image for record in missing]

    monkeypatch.setattr(bucket, "_fill", fill)
    return counts


def files(storage: Path) -> list[Path]:
    return sorted((storage / BUCKET).rglob("*.dcm"))


def digests(storage: Path) -> list[tuple[str, str, bytes | None]]:
    return [
        (
            path.name,
            hashlib.sha256(path.read_bytes()).hexdigest(),
            xattrs.read(path, object_files.ATTRIBUTE),
        )
        for path in files(storage)
    ]


def test_the_second_bucket_builds_nothing(folder: Path, builds: list[int], tmp_path: Path) -> None:
    assert bucket.ensure_public_bucket(tmp_path / "one") == FEW_RECORDS
    progress: list[tuple[int, int]] = []
    assert (
        bucket.ensure_public_bucket(
            tmp_path / "two", lambda done, total: progress.append((done, total))
        )
        == FEW_RECORDS
    )
    assert [count for count in builds if count] == [FEW_RECORDS]
    assert progress == [(FEW_RECORDS, FEW_RECORDS)]
    assert digests(tmp_path / "one") == digests(tmp_path / "two")
    assert len(files(tmp_path / "two")) == FEW_RECORDS
    cached = cache.find(folder)
    assert cached
    assert all(
        mine.samefile(theirs)
        for mine, theirs in zip(files(tmp_path / "two"), files(cached), strict=True)
    )
    assert [path.name for path in folder.iterdir()] == [cache.version()]
    assert not list((tmp_path / "two-drafts").iterdir())


def test_files_are_copied_where_they_cant_be_linked(
    folder: Path, builds: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Path, target: Path) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link", str(self))

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    bucket.ensure_public_bucket(tmp_path / "one")
    cached = cache.find(folder)
    assert cached
    assert digests(tmp_path / "one") == digests(cached)
    one = files(tmp_path / "one")[0]
    assert not one.samefile(files(cached)[0])
    assert one.stat().st_nlink == 1


def test_what_replaces_an_object_leaves_the_cache_as_it_is(
    folder: Path, builds: list[int], tmp_path: Path
) -> None:
    bucket.ensure_public_bucket(tmp_path / "one")
    cached = cache.find(folder)
    assert cached
    before = digests(cached)
    path = files(tmp_path / "one")[3]
    object_files.write_object(path, tmp_path / "drafts", b"other", "text/plain", {})
    assert digests(cached) == before
    assert bucket.ensure_public_bucket(tmp_path / "one") == 1
    assert digests(tmp_path / "one") == before
    assert all(path.stat().st_mode & 0o222 == 0 for path in files(cached))


def test_a_file_that_the_cache_has_lost_is_built(
    folder: Path, builds: list[int], tmp_path: Path
) -> None:
    bucket.ensure_public_bucket(tmp_path / "one")
    cached = cache.find(folder)
    assert cached
    files(cached)[5].unlink()
    assert bucket.ensure_public_bucket(tmp_path / "two") == FEW_RECORDS
    assert len(files(tmp_path / "two")) == FEW_RECORDS
    assert [count for count in builds if count] == [FEW_RECORDS, 1]


def test_a_cache_that_cant_be_written_is_done_without(
    folder: Path, builds: list[int], tmp_path: Path
) -> None:
    folder.parent.write_text("a file where the folder should be")
    assert bucket.ensure_public_bucket(tmp_path / "one") == FEW_RECORDS
    assert len(files(tmp_path / "one")) == FEW_RECORDS


def test_of_two_makers_at_once_the_first_one_stays(folder: Path, builds: list[int]) -> None:
    with cache.create(folder) as slow:
        (slow / "who").write_text("slow")
        with cache.create(folder) as quick:
            (quick / "who").write_text("quick")
    root = cache.find(folder)
    assert root
    assert (root / "who").read_text() == "quick"
    assert list(folder.iterdir()) == [root]


def test_a_maker_that_fails_publishes_nothing(folder: Path) -> None:
    def make_and_fail() -> None:
        with cache.create(folder) as new:
            (new / "half").write_text("")
            raise OSError("full")

    with pytest.raises(OSError, match="full"):
        make_and_fail()
    assert cache.find(folder) is None
    assert not list(folder.iterdir())


def test_other_versions_are_deleted_once_unused(folder: Path) -> None:
    for name, days in (("recent", 29), ("old", 31), ("new-running", 0), ("new-killed", 1)):
        (folder / name).mkdir(parents=True)
        moment = time.time() - days * 24 * 3600
        os.utime(folder / name, (moment, moment))
    with cache.create(folder):
        pass
    names = {path.name for path in folder.iterdir()}
    assert names == {"recent", "new-running", cache.version()}


def test_the_version_changes_with_code_and_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "seed"
    package.mkdir()
    monkeypatch.setattr(cache, "_PACKAGE", package)
    versions = []
    for name, content in (("a.py", "1"), ("a.py", "2"), ("table.csv", "x"), ("table.csv", "y")):
        (package / name).write_text(content)
        cache.version.cache_clear()
        versions.append(cache.version())
    cache.version.cache_clear()
    assert len(set(versions)) == 4
