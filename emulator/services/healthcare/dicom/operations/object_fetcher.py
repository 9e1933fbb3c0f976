"""Fetch objects and parse them: what an import's worker processes do.

A worker handles a few objects at a time from end to end, so that neither a file's bytes nor
pydicom's work pass through the server's process.
"""

import hashlib
import http.client
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from urllib.parse import quote, urlsplit
from uuid import uuid4

from emulator import disk
from emulator.healthcare.dicom.additions import Incoming
from emulator.healthcare.dicom.parsing import ParseError, parse
from emulator.storage import objects

CHUNK_BYTES = 1 << 20
AT_ONCE = 3
"""Objects that a worker fetches at the same time."""
TIMEOUT_SECONDS = 60.0
TRIES = 6
FIRST_PAUSE_SECONDS = 0.1


class FetchError(Exception):
    """An object can't be read; the message says why."""


class StorageDownError(Exception):
    """Cloud Storage does not answer, after several tries."""


@dataclass(frozen=True, slots=True)
class Task:
    """Objects of one bucket to fetch.

    Attributes:
        storage_url: root of the Cloud Storage service.
        bucket: the bucket.
        names: the objects.
        folder: where the files go, each under a new name.
        objects: the service's own folder, if it is on this machine: most files are taken from
            there without a copy.
    """

    storage_url: str
    bucket: str
    names: Sequence[str]
    folder: Path
    objects: Path | None = None


@dataclass(frozen=True, slots=True)
class Fetched:
    """An object that was fetched and parsed, or the reason why not."""

    name: str
    incoming: Incoming | None
    error: str = ""


def run(task: Task) -> list[Fetched]:
    """Fetch and parse the objects of a task.

    Raises:
        StorageDownError: the service does not answer.
        OSError: the disk refuses.
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


def _link(task: Task, name: str, path: Path) -> bool:
    """Take an object's file from the service's folder, without a copy.

    The disk holds its content: the service syncs it before it gives it a name.
    """
    return task.objects is not None and objects.link(task.objects, task.bucket, name, path)


def _fetch_all(task: Task, path_of: Mapping[str, Path]) -> list[Fetched]:
    connections = _Connections(task.storage_url)
    try:
        # While one file is parsed, the network and the disk are busy with the next ones.
        with ThreadPoolExecutor(AT_ONCE) as fetches:
            fetched = fetches.map(
                lambda name: _fetched(connections, task, name, path_of[name]), path_of
            )
            return [_parsed(name, path_of[name], *found) for name, found in fetched]
    finally:
        connections.close()


def discard(fetched: Sequence[Fetched]) -> None:
    """Remove the files of a task that nobody waits for any more."""
    for one in fetched:
        if one.incoming:
            one.incoming.path.unlink(missing_ok=True)


class _Connections:
    """Connections to one address, each used by one thread at a time."""

    def __init__(self, url: str) -> None:
        address = urlsplit(url)
        self._free: SimpleQueue[http.client.HTTPConnection] = SimpleQueue()
        self._all = [
            http.client.HTTPConnection(address.netloc, timeout=TIMEOUT_SECONDS)
            for _ in range(AT_ONCE)
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
    connections: _Connections, task: Task, name: str, path: Path
) -> tuple[str, tuple[str | None, str]]:
    """Fetch an object into a file; gives its name, its checksum, and what went wrong."""
    with connections.one() as connection:
        try:
            return name, (_fetch(connection, task.bucket, name, path), "")
        except FetchError as error:
            return name, (None, str(error))


def _parsed(name: str, path: Path, sha256: str | None = None, error: str = "") -> Fetched:
    if error:
        return Fetched(name, None, error)
    try:
        return Fetched(name, Incoming(parse(path, sha256), path))
    except ParseError as refusal:
        path.unlink(missing_ok=True)
        return Fetched(name, None, str(refusal))


def _fetch(connection: http.client.HTTPConnection, bucket: str, name: str, path: Path) -> str:
    """Fetch an object into a file, have the disk hold it, and give its SHA-256."""
    target = f"/storage/v1/b/{quote(bucket)}/o/{quote(name, safe='')}?alt=media"
    pause = FIRST_PAUSE_SECONDS
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
            time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - jitter, no secret
            pause *= 2
    raise StorageDownError(f"Cloud Storage did not answer in {TRIES} tries.")


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
    disk.settle(path)
    return checksum.hexdigest()
