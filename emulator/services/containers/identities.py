"""Credentials of containers: each acts as the service account of its resource, as on Google Cloud.

There, containers get tokens of a metadata server. Here, each account has a key file, which Google's
libraries find by GOOGLE_APPLICATION_CREDENTIALS; its key counts as managed by the system.
"""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from emulator.services.containers.models import CannotRunError
from emulator.services.iam_api import keys
from emulator.services.iam_api.default_account import default_address, ensure_default_account
from emulator.services.iam_api.service import IamApi


class UnknownAccountError(CannotRunError):
    """A service account that does not exist."""


class Identities:
    """The key files of service accounts.

    Args:
        iam_api: the accounts
        folder: where the files are
    """

    def __init__(self, iam_api: IamApi, folder: Path) -> None:
        self._iam_api = iam_api
        self._folder = folder

    def key_file(self, email: str, project: str) -> Path:
        """Return the file of an account's key; its key is made at the first use.

        Args:
            email: the address of the account
            project: whose default account exists from the first use on

        Raises:
            UnknownAccountError: the account does not exist
        """
        if email == default_address(self._iam_api.projects.number_of(project)):
            ensure_default_account(self._iam_api, project)
        account = self._iam_api.accounts.find(email)
        if account is None:
            raise UnknownAccountError(
                f"The service account {email} does not exist. Create it before the container that "
                "runs as it."
            )
        # An address may be longer than the name of a file.
        path = self._folder / f"{hashlib.sha256(email.encode()).hexdigest()}.json"
        content = self._present(path, email)
        if content is None:
            _, content = keys.add_key(
                self._iam_api.accounts, account, self._iam_api.root_url, keys.SYSTEM_MANAGED
            )
        # The address of the emulator may have changed since.
        _write(path, {**content, "token_uri": f"{self._iam_api.root_url}/token"})
        return path

    def _present(self, path: Path, email: str) -> dict[str, Any] | None:
        """Return the content of a file whose key is still one of the account."""
        try:
            content: dict[str, Any] = json.loads(path.read_text())
        except (FileNotFoundError, ValueError):
            return None
        ids = {key["name"].rpartition("/")[2] for key in self._iam_api.accounts.keys(email)}
        return content if content.get("private_key_id") in ids else None


def _write(path: Path, content: dict[str, Any]) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_suffix(".draft")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(content, file, indent=2)
    draft.replace(path)
