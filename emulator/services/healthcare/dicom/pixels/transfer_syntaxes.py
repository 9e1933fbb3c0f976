"""The transfer syntaxes that can be asked for, by media type.

https://cloud.google.com/healthcare-api/docs/dicom#retrieve_transaction. Whether an instance can be
given so is another question: there is not an encoder for each here.
"""

from collections.abc import Mapping

from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

ANY = "*"
"""As it is stored."""
DEFAULT = str(ExplicitVRLittleEndian)
OCTETS = "application/octet-stream"
_ROOT = "1.2.840.10008.1.2"

ENCODED: Mapping[str, tuple[str, ...]] = {
    kind: tuple(f"{_ROOT}.{last}" for last in lasts)
    for kind, lasts in {
        "image/jpeg": ("4.50", "4.51", "4.57", "4.70"),
        "image/jls": ("4.80", "4.81"),
        "image/jp2": ("4.90", "4.91"),
        "image/jphc": ("4.201", "4.202", "4.203"),
        "image/jxl": ("4.110", "4.111", "4.112"),
        "image/dicom-rle": ("5",),
        "application/x-deflate": ("8.1",),
    }.items()
}
"""Media type of an encoded frame -> its transfer syntaxes; the first is the default."""

DICOM = frozenset(
    {
        ANY,
        str(ImplicitVRLittleEndian),
        DEFAULT,
        str(DeflatedExplicitVRLittleEndian),
        *(syntax for syntaxes in ENCODED.values() for syntax in syntaxes),
    }
)
"""Of whole files."""


def kind_of(syntax: str) -> str:
    """Give the media type of a frame in a transfer syntax."""
    kinds = (kind for kind, syntaxes in ENCODED.items() if syntax in syntaxes)
    return next(kinds, OCTETS)
