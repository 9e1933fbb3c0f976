"""Keys of service accounts, as the JSON files that Google's libraries read.

https://cloud.google.com/iam/docs/keys-create-delete
"""

from typing import Any

_BITS = 2048


def new_private_key() -> Any:
    """Return a new RSA key, an `RSAPrivateKey` of cryptography."""
    # A start of the emulator imports it for its first key only.
    from cryptography.hazmat.primitives.asymmetric import rsa

    return rsa.generate_private_key(public_exponent=65537, key_size=_BITS)


def key_file(
    private: Any, *, email: str, project: str, key_id: str, client_id: str
) -> dict[str, str]:
    """Return the contents of a key file but for `token_uri`.

    Args:
        private: the key
        email: the address of the account
        project: the id of its project
        key_id: the id of the key
        client_id: the unique id of the account
    """
    from cryptography.hazmat.primitives import serialization

    pem = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return {
        "type": "service_account",
        "project_id": project,
        "private_key_id": key_id,
        "private_key": pem.decode(),
        "client_email": email,
        "client_id": client_id,
    }
