"""New identities that can't be led back: the same for the same key and value, in every process."""

import base64
import hashlib
import hmac
import uuid

MOST_DAYS = 365
"""How far a date is shifted, at most."""


def _digest(key: bytes, purpose: str, value: str) -> bytes:
    return hmac.digest(key, f"{purpose}\0{value}".encode(), hashlib.sha256)


def new_uid(key: bytes, uid: str) -> str:
    """Give the UID (PS3.5 B.2, from a UUID) that takes the place of another."""
    return f"2.25.{uuid.UUID(bytes=_digest(key, 'uid', uid)[:16], version=4).int}"


def surrogate(key: bytes, value: str) -> str:
    """Give a hash that takes the place of a text, as base64."""
    return base64.b64encode(_digest(key, "text", value)).decode()


def days(key: bytes, patient: str) -> int:
    """Give the days by which all dates of a patient are shifted: never none."""
    number = int.from_bytes(_digest(key, "days", patient)[:8])
    shift = number % MOST_DAYS + 1
    return shift if number >> 63 else -shift
