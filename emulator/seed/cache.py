"""This user's cache of the public bucket's files, so that only the first start builds them.

A bucket takes its files from here as hard links where both are on one file system, else as copies.
A shared file is safe: fake-gcs-server writes an object into a new file that replaces the old one,
and the files of the cache are read-only.
"""

import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from uuid import uuid4

import platformdirs

from emulator.core import disk
from emulator.services.storage import object_files, xattrs

_PACKAGE = Path(__file__).parent
_READ_ONLY = 0o444
_UNUSED_SECONDS = 30 * 24 * 3600
"""Files of another version of the code are deleted after so long without use."""
_ABANDONED_SECONDS = 3600


def cache_dir() -> Path:
    """Return the folder of the cache, which holds one folder for each version of the files."""
    return platformdirs.user_cache_path("gcp-healthcare-dicom") / "seed"


@cache
def version() -> str:
    """Return a hash of the code and data that the files depend on."""
    digest = hashlib.sha256()
    sources = [*_PACKAGE.glob("*.py"), *_PACKAGE.glob("*.csv"), Path(object_files.__file__)]
    for source in sorted(sources, key=lambda source: source.name):
        digest.update(source.name.encode() + b"\0" + source.read_bytes())
    return digest.hexdigest()[:16]


def find(folder: Path) -> Path | None:
    """Return the root of the cached buckets of this version, None if there is none.

    Args:
        folder: The folder of the cache.
    """
    root = folder / version()
    try:
        os.utime(root)  # in use: see `_delete_unused`
    except FileNotFoundError:
        return None
    except OSError:
        pass  # a cache that is shared read-only
    return root


@contextmanager
def create(folder: Path) -> Iterator[Path]:
    """Yield an empty folder for the buckets; publish it under this version's name if all goes well.

    Several processes may do so concurrently: the first one's folder stays.

    Raises:
        OSError: The cache can't be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _delete_unused(folder)
    with tempfile.TemporaryDirectory(prefix="new-", dir=folder) as temporary:
        root = Path(temporary) / "buckets"
        root.mkdir()
        yield root
        for path in sorted(root.rglob("*")):
            if path.is_dir():
                disk.fsync(path)
            else:
                path.chmod(_READ_ONLY)
        try:
            root.rename(folder / version())
        except OSError:
            if not (folder / version()).is_dir():
                raise


def link_or_copy(source: Path, path: Path, staging: Path) -> None:
    """Put a cached file into a bucket: whole or not at all, in the place of any other.

    Args:
        source: The file in the cache.
        path: The object's file, under the bucket's folder.
        staging: A folder of the bucket's file system, outside of all buckets.

    Raises:
        OSError: The cache does not hold the file, or the bucket can't be written.
    """
    staging.mkdir(parents=True, exist_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    file = staging / uuid4().hex
    try:
        try:
            file.hardlink_to(source)
        except OSError:
            _copy(source, file)
        file.replace(path)
    finally:
        file.unlink(missing_ok=True)  # also where `path` was the same file already


def _copy(source: Path, file: Path) -> None:
    shutil.copyfile(source, file)
    disk.fsync(file)
    attributes = xattrs.read(source, object_files.ATTRIBUTE)
    if attributes is None:
        raise FileNotFoundError(f"The cached file {source} has no metadata.")
    xattrs.write(file, object_files.ATTRIBUTE, attributes)


def _delete_unused(folder: Path) -> None:
    """Delete the files of other versions, and those of processes that were killed."""
    now = time.time()
    for path in folder.iterdir():
        limit = _ABANDONED_SECONDS if path.name.startswith("new-") else _UNUSED_SECONDS
        try:
            unused = now - path.stat().st_mtime > limit
        except FileNotFoundError:
            continue  # another process has deleted it
        if unused and path.name != version():
            shutil.rmtree(path, ignore_errors=True)
