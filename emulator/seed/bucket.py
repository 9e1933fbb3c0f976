"""Fill the local copy of the public bucket: add missing objects, change nothing else."""

import logging
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from os import cpu_count
from pathlib import Path

from emulator.seed import cache, dicom_file, records
from emulator.seed.records import ImageRecord
from emulator.services.storage import object_files
from emulator.services.storage.public_bucket import BUCKET

LOG = logging.getLogger(__name__)
CONTENT_TYPE = "application/dicom"
MAX_WORKERS = 8
FEW = 16
"""Up to so many files are built here: starting worker processes takes half a second."""

Progress = Callable[[int, int], None]


class SeedError(Exception):
    """The public bucket could not be filled; the message says why."""


def ensure_public_bucket(storage: Path, progress: Progress | None = None) -> int:
    """Add the files that the bucket lacks of its 405.

    Each object appears whole or not at all, so after a crash the next call adds the rest. The
    storage server may run meanwhile. The files come from the user's cache, which the first call
    fills.

    Args:
        storage: fake-gcs-server's `-filesystem-root`.
        progress: Called with the number of files that are ready and their total.

    Returns:
        How many files were added.

    Raises:
        SeedError: The folder is not writable.
    """
    shutil.rmtree(_staging(storage), ignore_errors=True)  # of a run that was killed
    everything = records.load()
    missing = [one for one in everything if not _exists(storage, one)]
    if not missing:
        return 0
    report = progress or (lambda _done, _total: None)
    try:
        rest = _take_cached(storage, missing, report)
        done = len(everything) - len(rest)
        for _ in _fill(storage, rest):
            done += 1
            report(done, len(everything))
    except OSError as error:
        raise SeedError(
            f"Could not fill the bucket {BUCKET} under {storage}: {error}. "
            "It needs 30 MB on a file system with extended attributes."
        ) from error
    return len(missing)


def _take_cached(
    storage: Path, missing: Sequence[ImageRecord], report: Progress
) -> list[ImageRecord]:
    """Add the files that the cache holds; fill it first if many are missing.

    Returns:
        The records whose files are still missing.
    """
    root = _cached_buckets(report, may_create=len(missing) > FEW)
    if root is None:
        return list(missing)
    rest = []
    for record in missing:
        source = _path(root, record)
        if _exists(root, record):
            cache.link_or_copy(source, _path(storage, record), _staging(storage))
        else:
            rest.append(record)
    if not rest:
        report(len(records.load()), len(records.load()))
    return rest


def _cached_buckets(report: Progress, *, may_create: bool) -> Path | None:
    """Return the root of the cached buckets; None if there is no cache and none can be created."""
    folder = cache.cache_dir()
    root = cache.find(folder)
    if root is not None or not may_create:
        return root
    everything = records.load()
    try:
        with cache.create(folder) as new:
            for done, _ in enumerate(_fill(new, everything), start=1):
                report(done, len(everything))
    except (OSError, SeedError) as error:
        LOG.info("the public bucket is built without a cache: %s", error)
        return None
    return cache.find(folder)


def _path(storage: Path, record: ImageRecord) -> Path:
    return storage / BUCKET / record.object_name


def _staging(storage: Path) -> Path:
    return storage.with_name(f"{storage.name}-drafts")


def _exists(storage: Path, record: ImageRecord) -> bool:
    metadata = object_files.metadata_of(_path(storage, record))
    return metadata.get("generator") == dicom_file.GENERATOR


def add_object(storage: Path, record: ImageRecord) -> None:
    """Build the file of a record and add it to the bucket.

    Raises:
        OSError: The folder is not writable.
    """
    object_files.write_object(
        _path(storage, record),
        _staging(storage),
        dicom_file.build(record),
        CONTENT_TYPE,
        {"generator": dicom_file.GENERATOR, "pixels": "synthetic"},
    )


def _fill(storage: Path, missing: Sequence[ImageRecord]) -> Iterator[str]:
    """Add files, and yield the name of each as soon as it is in place."""
    if len(missing) <= FEW:
        for record in missing:
            add_object(storage, record)
            yield record.image
        return
    count = min(MAX_WORKERS, cpu_count() or 1)
    workers = [
        subprocess.Popen(
            [sys.executable, "-m", "emulator.seed", str(storage)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(count)
    ]
    try:
        for number, worker in enumerate(workers):
            assert worker.stdin
            worker.stdin.write("\n".join(record.image for record in missing[number::count]))
            worker.stdin.close()
        with ThreadPoolExecutor(count) as readers:
            while lines := [line for line in readers.map(_line, workers) if line]:
                yield from lines
        if any(worker.wait() for worker in workers):
            raise SeedError(f"A worker process that fills {BUCKET} failed; its error is above.")
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()


def _line(worker: "subprocess.Popen[str]") -> str:
    """Return the next line of a worker; an empty one after its end. All have equal shares."""
    assert worker.stdout
    return worker.stdout.readline()
