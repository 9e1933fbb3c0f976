"""Irreversible surrogates of identities: equal for equal keys and values, in every process."""

import base64
import hashlib
import hmac
import uuid

MAX_DAYS = 365
"""Maximum number of days by which a date is shifted."""


def _digest(key: bytes, purpose: str, value: str) -> bytes:
    return hmac.digest(key, f"{purpose}\0{value}".encode(), hashlib.sha256)


def new_uid(key: bytes, uid: str) -> str:
    """Return the UID (PS3.5 B.2, from a UUID) that replaces another."""
    return f"2.25.{uuid.UUID(bytes=_digest(key, 'uid', uid)[:16], version=4).int}"


def surrogate(key: bytes, value: str) -> str:
    """Return the hash that replaces a text, as base64."""
    return base64.b64encode(_digest(key, "text", value)).decode()


def hexadecimal(key: bytes, value: str) -> str:
    """Return the hash that replaces an id: 64 digits, which every id may hold."""
    return _digest(key, "text", value).hex()


def days(key: bytes, patient: str) -> int:
    """Return the days by which all dates of a patient are shifted; never 0."""
    number = int.from_bytes(_digest(key, "days", patient)[:8])
    shift = number % MAX_DAYS + 1
    return shift if number >> 63 else -shift
