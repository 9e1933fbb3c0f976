"""The environment of a process: what it may know of this machine, and the container's variables.

The variables of the emulator are not passed on: they may hold the credentials of its user.
"""

import os
import site
from collections.abc import Mapping
from pathlib import Path

from emulator.core.processes import python_module
from emulator.services.containers.models import Container

_PASSED = ("PATH", "LANG", "LC_ALL", "TZ", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
OF_OWNER = frozenset(
    {
        "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE",
        "GOOGLE_APPLICATION_CREDENTIALS",
        "GOOGLE_OAUTH_ACCESS_TOKEN",
    }
)
"""Variables of the emulator's environment that make a process act as the owner of all projects."""


def environment(
    container: Container, endpoints: Mapping[str, str], folder: Path, key_file: Path | None
) -> dict[str, str]:
    """Return all variables of a container's process.

    Args:
        container: its own variables win, as those of a container do
        endpoints: lead Google's tools and libraries to the emulator
        folder: the home and the folder for temporary files of the process
        key_file: the key of its service account; None lets it act as the owner
    """
    passed = {name: os.environ[name] for name in _PASSED if name in os.environ}
    left_out = OF_OWNER if key_file else frozenset()
    credentials = {"GOOGLE_APPLICATION_CREDENTIALS": str(key_file)} if key_file else {}
    return {
        **passed,
        **python_module.environment(),
        # Packages of this user would be looked for in the home of the process.
        "PYTHONUSERBASE": site.getuserbase(),
        "PYTHONUNBUFFERED": "1",  # a line is logged when it is written
        "HOME": str(folder),
        "TMPDIR": str(folder),
        **{name: value for name, value in endpoints.items() if name not in left_out},
        **credentials,
        "GOOGLE_CLOUD_PROJECT": container.project,
        "GOOGLE_PROJECT": container.project,
        **{name: mapped(value, container.volumes) for name, value in container.environment.items()},
    }


def mapped(text: str, volumes: Mapping[str, Path]) -> str:
    """Return an argument or a value with the folder of a volume in the place of its path.

    Args:
        text: a path, a path below one, or `--option=PATH`
        volumes: paths in the container, and the folders that stand for them
    """
    name, equals, value = text.partition("=")
    for path, folder in sorted(volumes.items(), key=lambda one: -len(one[0])):
        if text == path or text.startswith(f"{path}/"):
            return f"{folder}{text[len(path) :]}"
        if equals and (value == path or value.startswith(f"{path}/")):
            return f"{name}={folder}{value[len(path) :]}"
    return text
