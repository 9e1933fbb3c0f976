"""What pydicom raises on files that are not what they claim to be, listed once for all readers."""

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from pydicom.errors import BytesLengthException

UNREADABLE = (
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    NotImplementedError,
    EOFError,
    RecursionError,
    ArithmeticError,
    MemoryError,
    struct.error,
    zlib.error,
    BytesLengthException,
)
"""On data sets and their elements."""
UNDECODABLE = (RuntimeError, *UNREADABLE)
"""On pixels: the decoders that pydicom calls end in errors of more kinds."""


@contextmanager
def reading() -> Iterator[None]:
    """Tell what pydicom says of a file's content from what the disk says.

    Both are an OSError; pydicom's has a text alone, and becomes one of `UNREADABLE`.
    """
    try:
        yield
    except OSError as error:
        if error.errno is not None:
            raise
        raise EOFError("the file ends, or goes on, where it must not") from error
