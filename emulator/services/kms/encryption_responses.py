"""Requests and answers of encrypting and decrypting, with their checksums."""

import base64
import binascii
from typing import Any

import google_crc32c

from emulator.discovery import api, snake_case
from emulator.errors import bad_field
from emulator.http import Call
from emulator.kms.responses import key, version

MOST_BYTES = 64 * 1024
"""Of what a key of the protection level SOFTWARE encrypts, and of what is given beside it."""
_CONTEXT = "additionalAuthenticatedData"


def encrypt(call: Call) -> dict[str, Any]:
    """Encrypt with a version, or with a key's primary one."""
    api("cloudkms", "v1").check("EncryptRequest", call.body)
    plaintext, is_verified = _field(call.body, "plaintext", MOST_BYTES)
    context, is_context_verified = _field(call.body, _CONTEXT, MOST_BYTES)
    name = version(call) if "version" in call.path else key(call)
    used = call.cloud.ciphertexts.encrypt(name, plaintext, context)
    answer = {
        "name": used.version["name"],
        "ciphertext": base64.b64encode(used.content).decode(),
        "ciphertextCrc32c": _checksum(used.content),
        "verifiedPlaintextCrc32c": is_verified,
        "verifiedAdditionalAuthenticatedDataCrc32c": is_context_verified,
        "protectionLevel": used.version["protectionLevel"],
    }
    return {field: value for field, value in answer.items() if value is not False}


def decrypt(call: Call) -> dict[str, Any]:
    """Decrypt with the version of a key that encrypted."""
    api("cloudkms", "v1").check("DecryptRequest", call.body)
    # What encryption adds makes a ciphertext longer than the most that is encrypted.
    ciphertext, _ = _field(call.body, "ciphertext", 2 * MOST_BYTES)
    context, _ = _field(call.body, _CONTEXT, MOST_BYTES)
    used = call.cloud.ciphertexts.decrypt(key(call), ciphertext, context)
    answer = {
        "plaintext": base64.b64encode(used.content).decode(),
        "plaintextCrc32c": _checksum(used.content),
        "usedPrimary": used.is_primary,
        "protectionLevel": used.version["protectionLevel"],
    }
    return {field: value for field, value in answer.items() if value not in (False, "")}


def _field(body: dict[str, Any], name: str, most: int) -> tuple[bytes, bool]:
    """Read a field of bytes; and whether its checksum was given, and is right.

    Raises:
        ApiError: 400, naming the field.
    """
    field = snake_case(name)
    try:
        # Base64 of either alphabet is taken (https://protobuf.dev/programming-guides/json/).
        text = body.get(name, "").replace("-", "+").replace("_", "/").rstrip("=")
        content = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise bad_field(
            field, f"Invalid value at '{field}' (TYPE_BYTES), Base64 decoding failed"
        ) from None
    if len(content) > most:
        raise bad_field(field, f"{field} is {len(content)} bytes long: at most {most}")
    if f"{name}Crc32c" not in body:
        return content, False
    if int(body[f"{name}Crc32c"]) != google_crc32c.value(content):
        raise bad_field(
            f"{field}_crc32c",
            f"The checksum in field {field}_crc32c did not match the data in field {field}.",
        )
    return content, True


def _checksum(content: bytes) -> str:
    return str(google_crc32c.value(content))
