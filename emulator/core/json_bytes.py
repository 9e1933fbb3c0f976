"""Bytes in the JSON of Protocol Buffers (https://protobuf.dev/programming-guides/json/)."""

import base64


def decode_bytes(text: str) -> bytes:
    """Return the bytes of a base64 text: of either alphabet, with or without padding.

    Raises:
        ValueError: the text is not valid base64
    """
    plain = text.translate(str.maketrans("-_", "+/")).rstrip("=")
    return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)


def encode_bytes(content: bytes) -> str:
    """Return bytes as base64 text, of the standard alphabet with padding."""
    return base64.b64encode(content).decode()
