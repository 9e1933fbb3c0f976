"""The cloud-init text of an instance: the container of an adapter as a unit of systemd.

Container-Optimized OS reads it from the metadata key `user-data` at each boot, since `/etc` and the
record of cloud-init are not kept there. The key that declares a container is deprecated.
https://cloud.google.com/container-optimized-os/docs/how-to/create-configure-instance
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from components import rules

SPOOL_DEVICE = "spool"
"""The name of the disk in the instance template and in the group."""
SPOOL_FOLDER = "/spool"
"""The folder of the spool in the container."""
_USER = 10_001
"""The user of the images: see the Dockerfiles under `workloads/`."""
_NAME = "adapter"
_ENVIRONMENT = "/etc/adapter/environment"
_MOUNT = "/etc/adapter/mount-spool"
_MOUNTED = "/mnt/disks/spool"
_NEW_LINE = " \\\n  "
_STOP_SECONDS = 60
"""An adapter ends after the requests in work."""

# Exit code 2 of blkid means that the disk has no file system yet; any other failure must not
# format it. Codes of fsck below 4 mean that the file system is fine now.
_MOUNT_SCRIPT = f"""\
set -eu
device=/dev/disk/by-id/google-{SPOOL_DEVICE}
mountpoint -q {_MOUNTED} && exit 0
code=0; blkid -p "$device" > /dev/null || code=$?
case "$code" in 0) ;; 2) mkfs.ext4 -q -m 0 "$device" ;; *) exit "$code" ;; esac
code=0; fsck.ext4 -p "$device" || code=$?
if [ "$code" -ge 4 ]; then exit "$code"; fi
mkdir -p {_MOUNTED}
mount -o nodev,nosuid,noexec "$device" {_MOUNTED}
chown {_USER} {_MOUNTED}
chmod 700 {_MOUNTED}
"""


@dataclass(frozen=True)
class Container:
    """A container as an instance runs it.

    Attributes:
        image: reference
        arguments: of its entry point
        port: that it listens at
        environment: its variables
        spool: whether the disk of the spool is mounted
    """

    image: str
    arguments: Sequence[str]
    port: int
    environment: Mapping[str, str] = field(default_factory=dict)
    spool: bool = False


def user_data(container: Container, description: str) -> str:
    """Return the cloud-init text of an instance that runs one container.

    Args:
        container: what to run
        description: of the unit, for people
    """
    files = [_file(f"/etc/systemd/system/{_NAME}.service", _unit(container, description))]
    if container.environment:
        lines = [f"{name}={value}\n" for name, value in sorted(container.environment.items())]
        files.append(_file(_ENVIRONMENT, "".join(lines)))
    if container.spool:
        files.append(_file(_MOUNT, _MOUNT_SCRIPT))
    body: dict[str, Any] = {
        "write_files": files,
        "runcmd": ["systemctl daemon-reload", f"systemctl start {_NAME}.service"],
    }
    text = yaml.dump(body, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1000)
    return f"#cloud-config\n\n{text}"


class _Dumper(yaml.SafeDumper):
    """Writes files line by line, so that the metadata of an instance can be read."""


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)


def _file(path: str, content: str) -> dict[str, str]:
    return {"path": path, "permissions": "0600", "owner": "root", "content": content}


def _unit(container: Container, description: str) -> str:
    start = [f"ExecStartPre=-/usr/bin/docker rm --force {_NAME}"]
    registry = rules.registry_of(container.image)
    if registry is not None:
        host = f"{registry[0]}-docker.pkg.dev"
        start.append(
            f"ExecStartPre=/usr/bin/docker-credential-gcr configure-docker --registries={host}"
        )
    start.append(f"ExecStartPre=/usr/bin/docker pull {_quoted(container.image)}")
    if container.spool:
        start.append(f"ExecStartPre=/bin/sh {_MOUNT}")
    lines = [
        "[Unit]",
        f"Description={description}",
        "Wants=network-online.target docker.socket",
        "After=network-online.target docker.socket",
        "StartLimitIntervalSec=0",
        "",
        "[Service]",
        # The credential helper keeps its configuration there.
        f"Environment=HOME=/home/{_NAME}",
        f"ExecStartPre=/bin/mkdir -p /home/{_NAME}",
        *start,
        f"ExecStart={_command(container)}",
        f"ExecStop=/usr/bin/docker stop --time={_STOP_SECONDS} {_NAME}",
        "Restart=always",
        "RestartSec=10",
        "TimeoutStartSec=600",
        f"TimeoutStopSec={_STOP_SECONDS + 30}",
    ]
    return "\n".join(lines) + "\n"


def _command(container: Container) -> str:
    """Return the command with a line for each option, so that a preview shows what changes."""
    options = ["--rm", f"--name={_NAME}", f"--publish={container.port}:{container.port}"]
    if container.environment:
        options.append(f"--env-file={_ENVIRONMENT}")
    if container.spool:
        options.append(f"--volume={_MOUNTED}:{SPOOL_FOLDER}")
    text = "/usr/bin/docker run"
    for word in (*options, container.image, *container.arguments):
        is_new_line = word.startswith("--") or word == container.image
        text += f"{_NEW_LINE if is_new_line else ' '}{_quoted(word)}"
    return text


def _quoted(word: str) -> str:
    """Return a word as a command line of systemd has it: `%` and `$` have a meaning there.

    https://www.freedesktop.org/software/systemd/man/latest/systemd.service.html#Command%20lines
    """
    plain = word.replace("%", "%%").replace("$", "$$")
    if plain and all(char.isalnum() or char in "%$_@+=:,./-" for char in plain):
        return plain
    escaped = plain.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
