"""Fetch and parse objects, in the worker processes of imports.

A worker handles a few objects at a time from end to end, so that neither a file's bytes nor
pydicom's work pass through the server's process.
"""

import hashlib
import http.client
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from urllib.parse import quote, urlsplit
from uuid import uuid4

from emulator.core import disk
from emulator.core.backoff import delays
from emulator.services.healthcare.dicom.instances.staged_file import FetchResult, StagedFile
from emulator.services.healthcare.dicom.parsing.parser import ParseError, parse
from emulator.services.storage import object_files

CHUNK_BYTES = 1 << 20
MAX_CONCURRENT = 3
"""Objects that a worker fetches at the same time."""
TIMEOUT_SECONDS = 60.0
TRIES = 6
INITIAL_DELAY_SECONDS = 0.1
MAX_DELAY_SECONDS = 2.0


class FetchError(Exception):
    """An object can't be read; the message says why."""


class StorageUnavailableError(Exception):
    """Cloud Storage does not answer, after several tries."""


@dataclass(frozen=True, slots=True)
class FetchTask:
    """Objects of one bucket to fetch.

    Attributes:
        storage_url: root of the Cloud Storage service
        bucket: the bucket
        names: the objects
        folder: staging folder of the files, each under a new name
        objects: the service's own folder, if it is on this machine: most files are hard links into
            it
    """

    storage_url: str
    bucket: str
    names: Sequence[str]
    folder: Path
    objects: Path | None = None


def fetch_and_parse(task: FetchTask) -> list[FetchResult]:
    """Fetch and parse the objects of a task.

    Raises:
        StorageUnavailableError: the service does not answer
        OSError: a disk error
    """
    path_of = {name: task.folder / uuid4().hex for name in task.names}
    try:
        linked = {name: path for name, path in path_of.items() if _link(task, name, path)}
        done = [_parsed(name, path) for name, path in linked.items()]
        others = {name: path for name, path in path_of.items() if name not in linked}
        return done + _fetch_all(task, others) if others else done
    except BaseException:
        for path in path_of.values():
            path.unlink(missing_ok=True)
        raise


def _link(task: FetchTask, name: str, path: Path) -> bool:
    """Hard link the file of an object from the service's folder; return whether that works.

    Its content is durable: the service fsyncs it before it names it.
    """
    return task.objects is not None and object_files.hard_link(
        task.objects, task.bucket, name, path
    )


def _fetch_all(task: FetchTask, path_of: Mapping[str, Path]) -> list[FetchResult]:
    connections = _Connections(task.storage_url)
    try:
        # While one file is parsed, the network and the disk are busy with the next ones.
        with ThreadPoolExecutor(MAX_CONCURRENT) as fetches:
            fetched = fetches.map(
                lambda name: _fetched(connections, task, name, path_of[name]), path_of
            )
            return [_parsed(name, path_of[name], *found) for name, found in fetched]
    finally:
        connections.close()


class _Connections:
    """Connections to one address, each used by one thread at a time."""

    def __init__(self, url: str) -> None:
        address = urlsplit(url)
        self._free: SimpleQueue[http.client.HTTPConnection] = SimpleQueue()
        self._all = [
            http.client.HTTPConnection(address.netloc, timeout=TIMEOUT_SECONDS)
            for _ in range(MAX_CONCURRENT)
        ]
        for connection in self._all:
            self._free.put(connection)

    @contextmanager
    def one(self) -> Iterator[http.client.HTTPConnection]:
        """Lend a connection."""
        connection = self._free.get()
        try:
            yield connection
        finally:
            self._free.put(connection)

    def close(self) -> None:
        """Close all of them."""
        for connection in self._all:
            connection.close()


def _fetched(
    connections: _Connections, task: FetchTask, name: str, path: Path
) -> tuple[str, tuple[str | None, str]]:
    """Fetch an object into a file; return its name, its checksum and the error, if any."""
    with connections.one() as connection:
        try:
            return name, (_fetch(connection, task.bucket, name, path), "")
        except FetchError as error:
            return name, (None, str(error))


def _parsed(name: str, path: Path, sha256: str | None = None, error: str = "") -> FetchResult:
    if error:
        return FetchResult(name, None, error)
    try:
        return FetchResult(name, StagedFile(parse(path, sha256), path))
    except ParseError as refusal:
        path.unlink(missing_ok=True)
        return FetchResult(name, None, str(refusal))


def _fetch(connection: http.client.HTTPConnection, bucket: str, name: str, path: Path) -> str:
    """Fetch an object into a file and fsync it; return its SHA-256."""
    target = f"/storage/v1/b/{quote(bucket)}/o/{quote(name, safe='')}?alt=media"
    pauses = delays(INITIAL_DELAY_SECONDS, MAX_DELAY_SECONDS)
    for attempt in range(TRIES):
        try:
            connection.request("GET", target)
            answer = connection.getresponse()
            if answer.status < http.client.INTERNAL_SERVER_ERROR:
                return _receive(answer, path)
            answer.read()
        except (OSError, http.client.HTTPException) as error:
            if isinstance(error, OSError) and not isinstance(error, ConnectionError | TimeoutError):
                raise
        connection.close()
        if attempt < TRIES - 1:
            time.sleep(next(pauses))
    raise StorageUnavailableError(f"Cloud Storage did not answer in {TRIES} tries.")


def _receive(answer: http.client.HTTPResponse, path: Path) -> str:
    if answer.status != http.client.OK:
        answer.read()
        gone = answer.status == http.client.NOT_FOUND
        raise FetchError(
            "The object no longer exists."
            if gone
            else f"Cloud Storage answered {answer.status} for the object."
        )
    checksum = hashlib.sha256()
    with path.open("wb") as file:
        while content := answer.read(CHUNK_BYTES):
            checksum.update(content)
            file.write(content)
    disk.fsync(path)
    return checksum.hexdigest()
