"""New keys of service accounts."""

import base64
import secrets
from typing import Any

from emulator.core import timestamps
from emulator.services.iam import key_file
from emulator.services.iam.accounts import Account, Accounts, Key

USER_MANAGED, SYSTEM_MANAGED = "USER_MANAGED", "SYSTEM_MANAGED"
_NEVER = "9999-12-31T23:59:59Z"


def add_key(
    accounts: Accounts, account: Account, root_url: str, key_type: str = USER_MANAGED
) -> tuple[Key, dict[str, Any]]:
    """Add a key to an account.

    Args:
        accounts: those of all projects
        account: gets the key
        root_url: of the emulator, where the key gets its tokens
        key_type: who keeps the private part

    Returns:
        The key with its public part, and the contents of its file, with the private part.
    """
    from cryptography.hazmat.primitives import serialization

    private = key_file.new_private_key()
    public = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    key_id = secrets.token_hex(20)
    key = {
        "name": f"{account['name']}/keys/{key_id}",
        "keyAlgorithm": "KEY_ALG_RSA_2048",
        "keyOrigin": "GOOGLE_PROVIDED",
        "keyType": key_type,
        "validAfterTime": timestamps.now("seconds"),
        "validBeforeTime": _NEVER,
        "publicKeyData": base64.b64encode(public).decode(),
    }
    accounts.add_key(account["email"], key_id, key)
    file = key_file.key_file(
        private,
        email=account["email"],
        project=account["projectId"],
        key_id=key_id,
        client_id=account["uniqueId"],
    )
    return key, {**file, "token_uri": f"{root_url}/token"}
