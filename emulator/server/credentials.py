"""A service-account key for the local Google Cloud, so that application default credentials work.

The key is generated on this machine and is valid for the emulator alone.
https://cloud.google.com/docs/authentication/application-default-credentials
"""

import json
import os
from pathlib import Path

from emulator.services.iam import key_file


def ensure_key(path: Path, project: str, root_url: str) -> None:
    """Write the key, or update the emulator's address in an existing one."""
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
    email = f"you@{project}.iam.gserviceaccount.com"
    private = key_file.new_private_key()
    return key_file.key_file(private, email=email, project=project, key_id="local", client_id="0")
