"""Extended attributes of files, in which fake-gcs-server keeps its objects' metadata."""

import ctypes
import ctypes.util
import os
import sys
from pathlib import Path

if sys.platform == "linux":

    def read(path: Path, name: str) -> bytes | None:
        """Give an attribute's value, None where the file or the attribute is not there."""
        try:
            return os.getxattr(path, name)
        except OSError:
            return None

    def write(path: Path, name: str, value: bytes) -> None:
        """Set an attribute.

        Raises:
            OSError: the file system has none.
        """
        os.setxattr(path, name, value)

else:
    # macOS has the calls (getxattr(2), setxattr(2)), Python gives no names to them there.

    def _library() -> ctypes.CDLL:
        return ctypes.CDLL(ctypes.util.find_library("c"), use_errno=True)

    def read(path: Path, name: str) -> bytes | None:
        """Give an attribute's value, None where the file or the attribute is not there."""
        buffer = ctypes.create_string_buffer(1 << 16)
        length = _library().getxattr(
            os.fsencode(path), name.encode(), buffer, ctypes.c_size_t(len(buffer)), 0, 0
        )
        return None if length < 0 else buffer.raw[:length]

    def write(path: Path, name: str, value: bytes) -> None:
        """Set an attribute.

        Raises:
            OSError: the file system has none.
        """
        failed = _library().setxattr(
            os.fsencode(path), name.encode(), value, ctypes.c_size_t(len(value)), 0, 0
        )
        if failed:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), str(path))
