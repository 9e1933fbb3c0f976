"""Extended attributes of files, in which fake-gcs-server keeps the metadata of objects."""

from pathlib import Path

import xattr


def read(path: Path, name: str) -> bytes | None:
    """Return the value of an attribute; None if the file or the attribute does not exist."""
    try:
        value: bytes = xattr.getxattr(path, name)
    except OSError:
        return None
    return value


def write(path: Path, name: str, value: bytes) -> None:
    """Set an attribute.

    Raises:
        OSError: the file system does not support attributes
    """
    xattr.setxattr(path, name, value)
