"""The disk: how it comes to hold what is acknowledged, and what it means if it refuses.

Where it is full, read-only or broken, nothing is half written: files get their names when they are
whole, and a transaction that can't be committed is undone. So the answer only has to say what is
wrong and where.
"""

import errno
import os
import sqlite3
from pathlib import Path

from emulator.core.errors import ApiError, insufficient_storage, unavailable

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
REFUSED = frozenset({errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO})
_SQLITE_PRIMARY = 0xFF
"""The bits of SQLite's extended codes with the primary code (https://www.sqlite.org/rescode.html)."""
_SQLITE_REFUSED = frozenset(
    {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM}
)
DISK_ERRORS = (OSError, sqlite3.Error)
"""Exceptions that a disk error can cause. They have other causes too: see `disk_error`."""


def fsync(path: Path) -> None:
    """Have the disk hold a file's content, or a folder's names, before anything refers to it."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_and_fsync(path: Path, content: bytes) -> None:
    """Write a new file, and have the disk hold it."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        left = memoryview(content)
        while left:
            left = left[os.write(descriptor, left) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def disk_error(error: BaseException, folder: Path) -> ApiError | None:
    """Return the response to a request that failed because of the disk; None for another cause.

    Args:
        error: what was raised.
        folder: the state folder.
    """
    if _is_full(error):
        return insufficient_storage(
            f"No space is left for the state folder {folder}: free some, or set LAB_DIR to a "
            "folder with more. Nothing that was acknowledged is lost."
        )
    if _is_refused(error):
        return unavailable(
            f"The state folder {folder} can't be written ({_system_message(error)}): make "
            "it writable, or set LAB_DIR to another folder. Nothing that was acknowledged is lost."
        )
    return None


def _is_full(error: BaseException) -> bool:
    if isinstance(error, OSError):
        return error.errno in FULL
    return _sqlite_code(error) == sqlite3.SQLITE_FULL


def _is_refused(error: BaseException) -> bool:
    if isinstance(error, OSError):
        return error.errno in REFUSED
    return _sqlite_code(error) in _SQLITE_REFUSED


def _sqlite_code(error: BaseException) -> int | None:
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & _SQLITE_PRIMARY


def _system_message(error: BaseException) -> str:
    """Return the system's words without the file's path, which may hold patient data."""
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
