"""Encrypting and decrypting with a key's versions, whose secrets are kept in the database.

Ciphertexts are opaque to clients: here AES-256-GCM, behind the number of the version that made it.
The key's name is authenticated with it, so that no other key of this cloud opens it.
https://cloud.google.com/kms/docs/reference/rest/v1/projects.locations.keyRings.cryptoKeys/decrypt
"""

import secrets
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from emulator.core.database import Database
from emulator.core.errors import failed_precondition, invalid_argument
from emulator.core.resource_name import ResourceName
from emulator.services.kms.models import ENABLED, ENCRYPT_DECRYPT, Keys, Resource

SCHEMA = """
CREATE TABLE IF NOT EXISTS kms_secrets (
    version TEXT PRIMARY KEY,
    secret BLOB NOT NULL
);
"""
_FORMAT = b"\x01"
_NUMBER_BYTES, _NONCE_BYTES, _TAG_BYTES, _SECRET_BYTES = 4, 12, 16, 32
_HEAD_BYTES = len(_FORMAT) + _NUMBER_BYTES + _NONCE_BYTES
_VERSIONS = "/cryptoKeyVersions/"


@dataclass(frozen=True)
class Used:
    """The result of an encryption or decryption, and the key version that was used."""

    content: bytes
    version: Resource
    is_primary: bool


class Ciphertexts:
    """Encrypts and decrypts.

    Args:
        database: where the versions' secrets are kept.
        keys: the keys.
    """

    def __init__(self, database: Database, keys: Keys) -> None:
        self._database = database
        self._keys = keys

    def encrypt(self, name: str, plaintext: bytes, context: bytes) -> Used:
        """Encrypt with a version, or with the primary one of a key.

        Args:
            name: of a key or of a version.
            plaintext: what to encrypt.
            context: data that must be given again to decrypt.

        Raises:
            ApiError: 404, or 400 for a key that does not encrypt or a version that is not enabled.
        """
        key = self._keys.get(name.partition(_VERSIONS)[0])
        _require_purpose(key)
        if _VERSIONS not in name and "primary" not in key:
            raise failed_precondition(f"{name} has no primary version: it can't encrypt.")
        version = self._keys.get(name) if _VERSIONS in name else key["primary"]
        _require_enabled(version)
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = self._cipher(version).encrypt(nonce, plaintext, _bound(key, context))
        number = int(ResourceName.parse(version["name"]).id).to_bytes(_NUMBER_BYTES, "big")
        return Used(_FORMAT + number + nonce + sealed, version, _is_primary(key, version))

    def decrypt(self, name: str, ciphertext: bytes, context: bytes) -> Used:
        """Decrypt with the version of a key that encrypted.

        Raises:
            ApiError: 404, or 400 for another key's ciphertext or a version that is not enabled.
        """
        key = self._keys.get(name)
        _require_purpose(key)
        if len(ciphertext) < _HEAD_BYTES + _TAG_BYTES or not ciphertext.startswith(_FORMAT):
            raise invalid_argument("Decryption failed: the ciphertext is invalid.")
        start = len(_FORMAT)
        number = int.from_bytes(ciphertext[start : start + _NUMBER_BYTES], "big")
        version_name = f"{name}{_VERSIONS}{number}"
        wrong = invalid_argument(
            "Decryption failed: verify that 'name' refers to the correct CryptoKey, and that the "
            "ciphertext and the additional authenticated data are those of its encryption."
        )
        if not self._keys.exists(version_name):
            raise wrong
        version = self._keys.get(version_name)
        _require_enabled(version)
        nonce = ciphertext[_HEAD_BYTES - _NONCE_BYTES : _HEAD_BYTES]
        sealed = ciphertext[_HEAD_BYTES:]
        try:
            content = self._cipher(version).decrypt(nonce, sealed, _bound(key, context))
        except InvalidTag:
            raise wrong from None
        return Used(content, version, _is_primary(key, version))

    def _cipher(self, version: Resource) -> AESGCM:
        """Return a version's cipher; its secret is made when it is first needed."""
        values = (version["name"], secrets.token_bytes(_SECRET_BYTES))
        with self._database.write() as connection:
            connection.execute("INSERT OR IGNORE INTO kms_secrets VALUES (?, ?)", values)
            query = "SELECT secret FROM kms_secrets WHERE version = ?"
            return AESGCM(connection.execute(query, values[:1]).fetchone()["secret"])


def _bound(key: Resource, context: bytes) -> bytes:
    return f"{key['name']}\0".encode() + context


def _is_primary(key: Resource, version: Resource) -> bool:
    return bool(key.get("primary", {}).get("name") == version["name"])


def _require_purpose(key: Resource) -> None:
    if key.get("purpose", ENCRYPT_DECRYPT) != ENCRYPT_DECRYPT:
        raise failed_precondition(
            f"{key['name']} has the purpose {key['purpose']}: only keys of the purpose "
            f"{ENCRYPT_DECRYPT} encrypt and decrypt."
        )


def _require_enabled(version: Resource) -> None:
    if version["state"] != ENABLED:
        raise failed_precondition(
            f"{version['name']} is not enabled, current state is: {version['state']}."
        )
