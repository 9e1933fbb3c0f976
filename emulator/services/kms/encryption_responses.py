"""Requests and answers of encrypting and decrypting, with their checksums."""

from typing import Any

import google_crc32c

from emulator.core.discovery import api, snake_case
from emulator.core.errors import bad_field
from emulator.core.json_bytes import decode_bytes, encode_bytes
from emulator.core.rest import Call
from emulator.services.kms.responses import key, version
from emulator.services.kms.service import Kms

MAX_PLAINTEXT_BYTES = 64 * 1024
"""Bytes of a plaintext, and of additional authenticated data, for a key of level SOFTWARE."""
_CONTEXT = "additionalAuthenticatedData"


def encrypt(call: Call[Kms]) -> dict[str, Any]:
    """Encrypt with a version, or with a key's primary one."""
    api("cloudkms", "v1").check("EncryptRequest", call.body)
    plaintext, is_verified = _field(call.body, "plaintext", MAX_PLAINTEXT_BYTES)
    context, is_context_verified = _field(call.body, _CONTEXT, MAX_PLAINTEXT_BYTES)
    name = version(call) if "version" in call.path else key(call)
    used = call.service.ciphertexts.encrypt(name, plaintext, context)
    answer = {
        "name": used.version["name"],
        "ciphertext": encode_bytes(used.content),
        "ciphertextCrc32c": _checksum(used.content),
        "verifiedPlaintextCrc32c": is_verified,
        "verifiedAdditionalAuthenticatedDataCrc32c": is_context_verified,
        "protectionLevel": used.version["protectionLevel"],
    }
    return {field: value for field, value in answer.items() if value is not False}


def decrypt(call: Call[Kms]) -> dict[str, Any]:
    """Decrypt with the version of a key that encrypted."""
    api("cloudkms", "v1").check("DecryptRequest", call.body)
    # A ciphertext is longer than its plaintext, and so is its limit.
    ciphertext, _ = _field(call.body, "ciphertext", 2 * MAX_PLAINTEXT_BYTES)
    context, _ = _field(call.body, _CONTEXT, MAX_PLAINTEXT_BYTES)
    used = call.service.ciphertexts.decrypt(key(call), ciphertext, context)
    answer = {
        "plaintext": encode_bytes(used.content),
        "plaintextCrc32c": _checksum(used.content),
        "usedPrimary": used.is_primary,
        "protectionLevel": used.version["protectionLevel"],
    }
    return {field: value for field, value in answer.items() if value not in (False, "")}


def _field(body: dict[str, Any], name: str, max_bytes: int) -> tuple[bytes, bool]:
    """Read a field of bytes; and whether its checksum was given, and is right.

    Raises:
        ApiError: 400, naming the field.
    """
    field = snake_case(name)
    try:
        content = decode_bytes(body.get(name, ""))
    except ValueError:
        raise bad_field(
            field, f"Invalid value at '{field}' (TYPE_BYTES), Base64 decoding failed"
        ) from None
    if len(content) > max_bytes:
        raise bad_field(field, f"{field} is {len(content)} bytes long: at most {max_bytes}")
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
