"""What pydicom raises on files that are not what they claim to be, listed once for all readers."""

import struct
import zlib

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
