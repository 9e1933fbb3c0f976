"""The exceptions that pydicom raises on invalid files."""

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from pydicom.errors import BytesLengthException

PARSE_ERRORS = (
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
"""Raised for data sets and their elements."""
DECODE_ERRORS = (RuntimeError, *PARSE_ERRORS)
"""Raised for pixels: decoders raise more kinds of exceptions."""


@contextmanager
def translate_errors() -> Iterator[None]:
    """Distinguish errors of a file's content from errors of the disk.

    Both are an OSError; pydicom's has a text alone, and becomes one of `PARSE_ERRORS`.
    """
    try:
        yield
    except OSError as error:
        if error.errno is not None:
            raise
        raise EOFError("the file ends early, or has excess data") from error
