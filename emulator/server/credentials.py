"""A service-account key for the local Google Cloud, so that application default credentials work.

The key is made on this machine and opens nothing but the emulator on this machine.
https://cloud.google.com/docs/authentication/application-default-credentials
"""

import json
import os
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa


def ensure_key(path: Path, project: str, root_url: str) -> None:
    """Write the key, or point the one that is there to the emulator's present address."""
    key = json.loads(path.read_text()) if path.exists() else _new_key(project)
    key["token_uri"] = f"{root_url}/token"
    draft = path.with_suffix(".new")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(key, indent=2))
    draft.replace(path)


def ensure_token_file(path: Path) -> None:
    """Write the access token that gcloud reads from a file."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write("local")


def _new_key(project: str) -> dict[str, str]:
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return {
        "type": "service_account",
        "project_id": project,
        "private_key_id": "local",
        "private_key": pem.decode(),
        "client_email": f"you@{project}.iam.gserviceaccount.com",
        "client_id": "0",
    }
