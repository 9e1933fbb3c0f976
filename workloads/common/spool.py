"""A spool: items that a workload has accepted, and has not delivered yet, as files.

    FOLDER/pending/KEY    a line of JSON with the attributes, then the bytes of the item
    FOLDER/dead/KEY       the bytes of an item that was refused permanently
    FOLDER/dead/KEY.json  its attributes, the reason, and the time of the refusal
    FOLDER/lock           locked by the process that uses the spool

Keys are in the order of acceptance. An item is on disk, fsynced with its folder, when `put`
returns; a crash at any moment loses none, and delivers an item again at worst.
"""

import fcntl
import json
import os
import queue
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

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
        self._pending, self._dead = folder / "pending", folder / "dead"
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
        self._recover()

    def put(self, data: bytes, **attributes: str) -> Item:
        """Keep an item; it is durable when this returns.

        Raises:
            OSError: the disk is full or fails; the item was not accepted
        """
        key = self._new_key()
        item = Item(key, attributes, self._pending / key)
        _write(item.path, json.dumps(attributes).encode() + b"\n" + data)
        self._queue.put(item)
        return item

    def next(self) -> Item | None:
        """Wait for the next item to deliver; return None once the spool is closed."""
        item = self._queue.get()
        if item is None:
            self._queue.put(None)  # for the other threads
        return item

    def remove(self, item: Item) -> None:
        """Forget an item that was delivered."""
        item.path.unlink(missing_ok=True)

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
        self._write_dead(self._new_key(), data, reason, attributes)

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
            return _KEY.format(self._last)

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
        for path in sorted(self._pending.iterdir()):
            with path.open("rb") as file:
                attributes = json.loads(file.readline())
            self._queue.put(Item(path.name, attributes, path))
            self._last = int(path.name)


def _write(path: Path, data: bytes) -> None:
    """Write a file that is complete or not there, whatever happens."""
    partial = path.with_name(path.name + _PARTIAL)
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
