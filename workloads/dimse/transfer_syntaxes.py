"""Transfer syntaxes that the store takes and returns.

Documented: https://cloud.google.com/healthcare-api/docs/dicom#retrieve_transaction. Explicit VR Big
Endian is stored too, but no retrieval can ask for it.
"""

from collections.abc import Collection

from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

STORED = "*"
"""Asks a retrieval for the bytes as they are stored."""
UNCOMPRESSED = (str(ExplicitVRLittleEndian), str(ImplicitVRLittleEndian))
_COMPRESSED = (
    *("4.50", "4.51", "4.57", "4.70", "4.80", "4.81", "4.90", "4.91"),
    *("4.201", "4.202", "4.203", "4.110", "4.111", "4.112", "5", "8.1"),
)
COMPRESSED = tuple(f"1.2.840.10008.1.2.{last}" for last in _COMPRESSED)
DEFLATED, BIG_ENDIAN = "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2"
STORABLE = (*UNCOMPRESSED, *COMPRESSED, DEFLATED, BIG_ENDIAN)
"""Accepted from peers that store."""
RETRIEVABLE = (*UNCOMPRESSED, *COMPRESSED, DEFLATED)
"""Proposed to peers that get instances."""


def can_send(stored: str, accepted: Collection[str]) -> bool:
    """Whether an instance in one transfer syntax can be sent to a peer that accepts these.

    pynetdicom converts between the two uncompressed ones.
    """
    return stored in accepted or (
        stored in UNCOMPRESSED and not set(UNCOMPRESSED).isdisjoint(accepted)
    )


def first_choice(accepted: Collection[str]) -> str:
    """Return what to ask the store for: as it is stored, unless the peer takes no compression."""
    compressed = set(COMPRESSED).intersection(accepted)
    return STORED if compressed else fallback(accepted)


def fallback(accepted: Collection[str]) -> str:
    """Return the transfer syntax that the store has to transcode to."""
    return next((one for one in (*UNCOMPRESSED, *RETRIEVABLE) if one in accepted), UNCOMPRESSED[0])
