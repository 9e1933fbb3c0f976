"""Fill the local copy of the public bucket, with what is missing in it and nothing else."""

import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from os import cpu_count

import httpx

from emulator.seed import dicom_file, records
from emulator.seed.records import ImageRecord

BUCKET = "gcs-public-data--healthcare-nih-chest-xray"
CONTENT_TYPE = "application/dicom"
TIMEOUT_SECONDS = 60.0
MOST_WORKERS = 4
FEW = 16
"""So few files are made here, without the half second that worker processes take to start."""

Progress = Callable[[int, int], None]


class SeedError(Exception):
    """The public bucket could not be filled; the message says by what."""


def ensure_public_bucket(storage_url: str, progress: Progress | None = None) -> int:
    """Make the bucket hold the 405 files; does nothing where it does.

    Each object appears whole or not at all, so after a crash the next call adds the rest.

    Args:
        storage_url: root of a running Cloud Storage emulator, e.g. http://127.0.0.1:4443.
        progress: told the files in place and their total, from time to time.

    Returns:
        How many files were added.

    Raises:
        SeedError: the storage emulator refused, or a worker died.
    """
    report = progress or (lambda _done, _total: None)
    everything = records.load()
    try:
        with httpx.Client(base_url=storage_url, timeout=TIMEOUT_SECONDS) as client:
            _ensure_bucket(client)
            present = _present(client)
            missing = [one for one in everything if one.object_name not in present]
            done = len(everything) - len(missing)
            report(done, len(everything))
            for _ in _fill(client, storage_url, missing):
                done += 1
                report(done, len(everything))
    except httpx.HTTPError as error:
        message = f"Filling the bucket {BUCKET} at {storage_url} failed: {error}."
        raise SeedError(f"{message} See the storage emulator's log.") from error
    return len(missing)


def _ensure_bucket(client: httpx.Client) -> None:
    if client.get(f"/storage/v1/b/{BUCKET}").status_code == httpx.codes.NOT_FOUND:
        made = client.post("/storage/v1/b", params={"project": "public"}, json={"name": BUCKET})
        if made.status_code != httpx.codes.CONFLICT:
            made.raise_for_status()


def _present(client: httpx.Client) -> set[str]:
    """List the objects that this generation of the generator made."""
    names: set[str] = set()
    page: dict[str, str] = {"prefix": "dicom/"}
    while True:
        answer = client.get(f"/storage/v1/b/{BUCKET}/o", params=page)
        answer.raise_for_status()
        listed = answer.json()
        names |= {
            item["name"]
            for item in listed.get("items", [])
            if item.get("metadata", {}).get("generator") == dicom_file.GENERATOR
        }
        if not listed.get("nextPageToken"):
            return names
        page["pageToken"] = listed["nextPageToken"]


def upload(client: httpx.Client, record: ImageRecord) -> None:
    """Make a record's file and put it into the bucket.

    Raises:
        httpx.HTTPError: the storage emulator refused or can't be reached.
    """
    resource = {
        "name": record.object_name,
        "contentType": CONTENT_TYPE,
        "metadata": {"generator": dicom_file.GENERATOR, "pixels": "synthetic"},
    }
    # A multipart upload (RFC 2387), by hand: httpx makes form data only.
    boundary = "seed-part"
    body = b"".join(
        (
            f"--{boundary}\r\nContent-Type: application/json\r\n\r\n".encode(),
            httpx.Request("POST", "http://seed", json=resource).content,
            f"\r\n--{boundary}\r\nContent-Type: {CONTENT_TYPE}\r\n\r\n".encode(),
            dicom_file.build(record),
            f"\r\n--{boundary}--\r\n".encode(),
        )
    )
    client.post(
        f"/upload/storage/v1/b/{BUCKET}/o",
        params={"uploadType": "multipart"},
        headers={"Content-Type": f"multipart/related; boundary={boundary}"},
        content=body,
    ).raise_for_status()


def _fill(client: httpx.Client, storage_url: str, missing: Sequence[ImageRecord]) -> Iterable[str]:
    """Add files, giving the name of each as soon as it is there."""
    if len(missing) <= FEW:
        for record in missing:
            upload(client, record)
            yield record.image
        return
    count = min(MOST_WORKERS, cpu_count() or 1)
    workers = [
        subprocess.Popen(
            [sys.executable, "-m", "emulator.seed", storage_url],
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
            # One queue of lines would be finer; the files of two workers come in step anyway.
            for batch in _lines(workers, readers):
                yield from batch
        if any(worker.wait() for worker in workers):
            raise SeedError(f"A worker that fills {BUCKET} ended early; its reason is above.")
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()


def _lines(
    workers: Sequence["subprocess.Popen[str]"], readers: ThreadPoolExecutor
) -> Iterable[list[str]]:
    """Give the lines of all workers, one round after the other, until all have ended."""

    def line(worker: "subprocess.Popen[str]") -> str:
        assert worker.stdout
        return worker.stdout.readline()

    while lines := [text for text in readers.map(line, workers) if text]:
        yield lines
