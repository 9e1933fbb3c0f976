"""Fill the local copy of the public bucket, with what is missing in it and nothing else."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from os import cpu_count
from pathlib import Path

from emulator.seed import dicom_file, records
from emulator.seed.records import ImageRecord
from emulator.storage import objects

BUCKET = "gcs-public-data--healthcare-nih-chest-xray"
CONTENT_TYPE = "application/dicom"
MOST_WORKERS = 8
FEW = 16
"""So few files are made here, without the half second that worker processes take to start."""

Progress = Callable[[int, int], None]


class SeedError(Exception):
    """The public bucket could not be filled; the message says by what."""


def ensure_public_bucket(storage: Path, progress: Progress | None = None) -> int:
    """Make the bucket hold the 405 files; does nothing where it does.

    Each object appears whole or not at all, so after a crash the next call adds the rest. The
    storage server may run meanwhile.

    Args:
        storage: fake-gcs-server's `-filesystem-root`.
        progress: told the files in place and their total, as they come.

    Returns:
        How many files were added.

    Raises:
        SeedError: the folder can't be written.
    """
    shutil.rmtree(_drafts(storage), ignore_errors=True)  # of a run that was killed
    everything = records.load()
    missing = [one for one in everything if not _is_there(storage, one)]
    if not missing:
        return 0
    done = len(everything) - len(missing)
    try:
        for _ in _fill(storage, missing):
            done += 1
            if progress:
                progress(done, len(everything))
    except OSError as error:
        raise SeedError(
            f"The bucket {BUCKET} can't be filled under {storage}: {error}. "
            "The disk needs 30 MB of room, and a file system with extended attributes."
        ) from error
    return len(missing)


def _path(storage: Path, record: ImageRecord) -> Path:
    return storage / BUCKET / record.object_name


def _drafts(storage: Path) -> Path:
    return storage.with_name(f"{storage.name}-drafts")


def _is_there(storage: Path, record: ImageRecord) -> bool:
    metadata = objects.metadata_of(_path(storage, record))
    return metadata.get("generator") == dicom_file.GENERATOR


def place(storage: Path, record: ImageRecord) -> None:
    """Make a record's file and put it into the bucket.

    Raises:
        OSError: the folder can't be written.
    """
    objects.put(
        _path(storage, record),
        _drafts(storage),
        dicom_file.build(record),
        CONTENT_TYPE,
        {"generator": dicom_file.GENERATOR, "pixels": "synthetic"},
    )


def _fill(storage: Path, missing: Sequence[ImageRecord]) -> Iterator[str]:
    """Add files, giving the name of each as soon as it is there."""
    if len(missing) <= FEW:
        for record in missing:
            place(storage, record)
            yield record.image
        return
    count = min(MOST_WORKERS, cpu_count() or 1)
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
            raise SeedError(f"A worker that fills {BUCKET} failed; its reason is above.")
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()


def _line(worker: "subprocess.Popen[str]") -> str:
    """Give a worker's next line, nothing once it has ended. The workers' shares are equal."""
    assert worker.stdout
    return worker.stdout.readline()
