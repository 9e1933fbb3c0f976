"""Values of secrets for variables and volumes of containers, read as their service account.

Documented: https://cloud.google.com/run/docs/configuring/services/secrets.
"""

import hashlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emulator.services.containers.models import CannotRunError
from emulator.services.secretmanager.service import SecretManager
from emulator.services.secretmanager.versions import LATEST

Json = dict[str, Any]


@dataclass(frozen=True)
class SecretValues:
    """Reads secrets of Secret Manager.

    Attributes:
        manager: Secret Manager
        root: where the folders of volumes are
    """

    manager: SecretManager
    root: Path

    def read(self, project: str, secret: str, version: str, account: str) -> bytes:
        """Return a value.

        Args:
            project: the project of the container
            secret: the id of a secret of this project, or `projects/P/secrets/S`
            version: a number, an alias or `latest`
            account: the address of the service account

        Raises:
            ApiError: the secret is missing, or the account may not access it
        """
        name = secret if "/" in secret else f"projects/{project}/secrets/{secret}"
        version = version or LATEST
        return self.manager.access_as(f"{name}/versions/{version}", f"serviceAccount:{account}")

    def volume(self, owner: str, volume: Json, account: str) -> Path:
        """Return a folder with the content of a volume, made for a start of its container.

        Args:
            owner: the full name of what the container belongs to
            volume: the Volume of the template
            account: the address of the service account

        Raises:
            ApiError: a secret is missing, or the account may not access it
            CannotRunError: the volume is of a kind that is not served here
        """
        folder = self._folder(owner) / str(volume["name"])
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700, parents=True)
        source = volume.get("secret")
        if source is None:
            if "emptyDir" in volume:
                return folder
            others = ", ".join(sorted(volume.keys() - {"name"})) or "none"
            raise CannotRunError(
                f"The volume {volume['name']} is not served by the local Google Cloud: {others}. "
                "Use secret or emptyDir."
            )
        secret = source["secret"]
        everything = [{"path": secret.rpartition("/")[2], "version": LATEST}]
        for item in source.get("items") or everything:
            value = self.read(owner.split("/")[1], secret, item.get("version", ""), account)
            _write(folder, item["path"], value)
        return folder

    def forget(self, owner: str) -> None:
        """Remove the volumes of a container that has been stopped."""
        shutil.rmtree(self._folder(owner), ignore_errors=True)

    def _folder(self, owner: str) -> Path:
        """Return the folder of an owner, whose name is too long for a file's."""
        return self.root / hashlib.sha256(owner.encode()).hexdigest()[:32]


def _write(folder: Path, path: str, value: bytes) -> None:
    """Write a file below a folder, readable by this user alone.

    Raises:
        CannotRunError: the path leads out of the folder
    """
    target = folder / path
    if not target.resolve().is_relative_to(folder.resolve()):
        raise CannotRunError(f"The path {path} of a secret leads out of its volume.")
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(value)
