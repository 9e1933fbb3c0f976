"""A spool: items that a workload has accepted, and has not delivered yet, as files.

    FOLDER/pending/KEY    a line of JSON with the attributes, then the bytes of the item
    FOLDER/dead/KEY       the bytes of an item that was refused permanently
    FOLDER/dead/KEY.json  its attributes, the reason, and the time of the refusal
    FOLDER/lock           locked by the process that uses the spool

Keys are in the order of acceptance. An item is on disk, fsynced with its folder, when `put`
returns; a crash at any moment loses none, and delivers an item again at worst. Another process may
add items (`write_pending`): `dead_letters.py` puts dead letters back.
"""

import fcntl
import json
import os
import queue
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

PENDING, DEAD = "pending", "dead"
LOOK_SECONDS = 2.0
"""Between two looks for items that another process has added."""
_KEY = "{:020d}"
_PARTIAL = ".partial"


class SpoolError(Exception):
    """A folder that can't be a spool, in a sentence for people."""


@dataclass(frozen=True)
class Item:
    """An item of a spool.

    Attributes:
        key: its file's name
        attributes: what the workload needs for its delivery; no patient data
        path: its file
    """

    key: str
    attributes: dict[str, str]
    path: Path

    def read(self) -> bytes:
        """Return the bytes of the item."""
        with self.path.open("rb") as file:
            file.readline()
            return file.read()


class Spool:
    """The spool in a folder, for all threads of one process.

    Args:
        folder: created if it does not exist, readable by this user alone

    Raises:
        SpoolError: the folder can't be written, or another process uses it
    """

    def __init__(self, folder: Path) -> None:
        self._pending, self._dead = folder / PENDING, folder / DEAD
        try:
            for each in (folder, self._pending, self._dead):
                each.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock_file = _lock(folder / "lock")
        except OSError as error:
            raise SpoolError(
                f"{folder} can't be used as a spool: {error.strerror}. Choose a folder that this"
                " user can write."
            ) from error
        _sync_folder(folder)
        self._lock = threading.Lock()
        self._queue: queue.SimpleQueue[Item | None] = queue.SimpleQueue()
        self._last = 0
        self._known: set[str] = set()
        self._next_look = 0.0
        self._recover()

    def put(self, data: bytes, **attributes: str) -> Item:
        """Keep an item; it is durable when this returns.

        Raises:
            OSError: the disk is full or fails; the item was not accepted
        """
        key = self._new_key()
        item = Item(key, attributes, self._pending / key)
        try:
            _write(item.path, _encode(data, attributes))
        except OSError:
            self._forget(key)
            raise
        self._queue.put(item)
        return item

    def next(self) -> Item | None:
        """Wait for the next item to deliver; return None once the spool is closed."""
        while True:
            self._look()
            with suppress(queue.Empty):
                item = self._queue.get(timeout=LOOK_SECONDS)
                if item is None:
                    self._queue.put(None)  # for the other threads
                return item

    def poll(self) -> Item | None:
        """Return the next item to deliver; None if there is none now."""
        self._look()
        with suppress(queue.Empty):
            return self._queue.get_nowait()
        return None

    def remove(self, item: Item) -> None:
        """Forget an item that was delivered."""
        item.path.unlink(missing_ok=True)
        self._forget(item.key)

    def refuse(self, item: Item, reason: str) -> None:
        """Move an item to the dead letters.

        Args:
            item: a pending item
            reason: the error of the service; it may hold patient data, as the item does
        """
        self._write_dead(item.key, item.read(), reason, item.attributes)
        self.remove(item)

    def bury(self, data: bytes, reason: str, **attributes: str) -> None:
        """Write a dead letter of an item that was never pending."""
        key = self._new_key()
        self._write_dead(key, data, reason, attributes)
        self._forget(key)

    def pending(self) -> int:
        """Return the number of items that wait for delivery."""
        return sum(1 for path in self._pending.iterdir() if path.suffix != _PARTIAL)

    def dead(self) -> int:
        """Return the number of dead letters."""
        return sum(1 for path in self._dead.iterdir() if path.suffix == ".json")

    def close(self) -> None:
        """End `next` in all threads, once they have got what is queued."""
        self._queue.put(None)

    def release(self) -> None:
        """Let another process use the folder."""
        self._lock_file.close()

    def _new_key(self) -> str:
        with self._lock:
            # Keys stay in order when the clock is set back.
            self._last = max(time.time_ns(), self._last + 1)
            key = _KEY.format(self._last)
            self._known.add(key)
            return key

    def _forget(self, key: str) -> None:
        with self._lock:
            self._known.discard(key)

    def _write_dead(self, key: str, data: bytes, reason: str, attributes: dict[str, str]) -> None:
        report = {
            "attributes": attributes,
            "reason": reason,
            "refused": datetime.now(UTC).isoformat(),
        }
        _write(self._dead / key, data)
        _write(self._dead / f"{key}.json", json.dumps(report, indent=2).encode() + b"\n")

    def _recover(self) -> None:
        """Queue the items of an earlier process; remove what it had not accepted yet."""
        for folder in (self._pending, self._dead):
            for path in folder.glob(f"*{_PARTIAL}"):
                path.unlink()
        self._look()
        self._last = max(map(int, self._known), default=0)

    def _look(self) -> None:
        """Queue the items that are not known: of an earlier process, or of another one."""
        now = time.monotonic()
        with self._lock:
            if now < self._next_look:
                return
            self._next_look = now + LOOK_SECONDS
            names = {path.name for path in self._pending.iterdir() if path.suffix != _PARTIAL}
            for name in sorted(names - self._known):
                with suppress(FileNotFoundError):  # delivered since the folder was listed
                    self._queue.put(_read(self._pending / name))
                    self._known.add(name)


def write_pending(folder: Path, key: int, data: bytes, attributes: dict[str, str]) -> None:
    """Add an item to a spool that another process may use; it is durable when this returns.

    Args:
        folder: of the spool
        key: the time, in nanoseconds
        data: the bytes of the item
        attributes: of the item
    """
    path = folder / PENDING / _KEY.format(key)
    # Not in the folder itself: a process that starts removes partial files there.
    _write(path, _encode(data, attributes), folder / (path.name + _PARTIAL))


def _encode(data: bytes, attributes: dict[str, str]) -> bytes:
    return json.dumps(attributes).encode() + b"\n" + data


def _read(path: Path) -> Item:
    with path.open("rb") as file:
        return Item(path.name, json.loads(file.readline()), path)


def _write(path: Path, data: bytes, partial: Path | None = None) -> None:
    """Write a file that is complete or not there, whatever happens."""
    partial = partial or path.with_name(path.name + _PARTIAL)
    with open(partial, "wb", opener=_private) as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    partial.rename(path)
    _sync_folder(path.parent)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _lock(path: Path) -> BinaryIO:
    file = path.open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.close()
        raise SpoolError(
            f"{path.parent} is in use by another process. Choose another folder for the spool."
        ) from error
    return file
