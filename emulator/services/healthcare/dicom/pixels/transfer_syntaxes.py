"""The transfer syntaxes that a client can ask for, by media type.

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
"""The stored transfer syntax."""
DEFAULT = str(ExplicitVRLittleEndian)
OCTET_STREAM = "application/octet-stream"
_ROOT = "1.2.840.10008.1.2"

COMPRESSED_MEDIA_TYPES: Mapping[str, tuple[str, ...]] = {
    media_type: tuple(f"{_ROOT}.{last}" for last in lasts)
    for media_type, lasts in {
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
        *(syntax for syntaxes in COMPRESSED_MEDIA_TYPES.values() for syntax in syntaxes),
    }
)
"""Transfer syntaxes of whole files."""


def media_type_of(syntax: str) -> str:
    """Return the media type of a frame in a transfer syntax."""
    media_types = (
        media_type for media_type, syntaxes in COMPRESSED_MEDIA_TYPES.items() if syntax in syntaxes
    )
    return next(media_types, OCTET_STREAM)
