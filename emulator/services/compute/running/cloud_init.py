"""The containers that an instance starts, read from its metadata `user-data`.

Container-Optimized OS runs cloud-init at each start. Documented:
https://cloud.google.com/container-optimized-os/docs/how-to/create-configure-instance and
https://docs.cloud-init.io. Of all that, this reads the files that `write_files` makes, the units of
systemd that `runcmd` or `bootcmd` starts, and every `docker run` in them.
"""

import base64
import gzip
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

_HEAD = "#cloud-config"
_UNITS = "/etc/systemd/system/"
_SERVICE, _MOUNT = ".service", ".mount"
_DEVICE = r"/dev/disk/by-id/(?:google-|scsi-0Google_PersistentDisk_)(?P<device>[\w-]+)"
_MOUNT_COMMAND = re.compile(rf"{_DEVICE}[\"']?,?\s+[\"']?(?P<folder>/[\w./-]+)")
_VARIABLE = re.compile(r"\$\{(\w+)\}|\$(\w+)")
_START = re.compile(r"systemctl\s+(?:\S+\s+)*?(?:re)?(?:start|enable)\s+(?P<units>[^;&|]+)")


class CloudInitError(ValueError):
    """A text that cloud-init could not use, in a sentence for people."""


@dataclass(frozen=True)
class Unit:
    """A unit of systemd.

    Attributes:
        name: of its file
        options: of all its sections, each with its values in order
    """

    name: str
    options: Mapping[str, Sequence[str]]

    def values(self, option: str) -> Sequence[str]:
        """Return the values of an option; an empty one drops those before it."""
        found: list[str] = []
        for value in self.options.get(option, ()):
            found = [*found, value] if value else []
        return found


@dataclass(frozen=True)
class Command:
    """A command that the instance runs.

    Attributes:
        origin: the unit that has it, or `runcmd`
        words: of its command line
        is_restarted: whether it is started again when it ends
    """

    origin: str
    words: Sequence[str]
    is_restarted: bool


@dataclass(frozen=True)
class CloudInit:
    """The content of a text of cloud-init.

    Attributes:
        files: path -> content
        commands: those that run on and on, or at the start
        mounts: device name of a disk -> the folder where it is mounted
    """

    files: Mapping[str, bytes] = field(default_factory=dict)
    commands: Sequence[Command] = ()
    mounts: Mapping[str, str] = field(default_factory=dict)


def parse(text: str) -> CloudInit:
    """Read the text of `user-data`.

    Raises:
        CloudInitError: it is not valid
    """
    if not text.startswith(_HEAD):
        raise CloudInitError(
            f"The user-data does not begin with {_HEAD}: the local Google Cloud reads nothing else."
        )
    try:
        config = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        raise CloudInitError(f"The user-data is not valid YAML: {error}") from None
    if not isinstance(config, dict):
        raise CloudInitError("The user-data is not a mapping.")
    files = dict(_files(config.get("write_files") or []))
    units = {
        path.removeprefix(_UNITS): _unit(path.removeprefix(_UNITS), content.decode())
        for path, content in files.items()
        if path.startswith(_UNITS)
    }
    lines = [*_lines(config, "bootcmd"), *_lines(config, "runcmd")]
    commands: list[Command] = []
    for line in lines:
        started = _START.search(line)
        for name in started["units"].split() if started else ():
            unit = units.get(name if name.endswith((_SERVICE, _MOUNT)) else f"{name}{_SERVICE}")
            if unit is not None and unit.name not in {one.origin for one in commands}:
                commands += _commands(unit, files)
        if line.startswith(("docker ", "/usr/bin/docker ")):
            commands.append(Command("runcmd", shlex.split(line), is_restarted=False))
    return CloudInit(files, commands, dict(_mounts(config, units.values(), lines)))


def _files(entries: Any) -> Iterator[tuple[str, bytes]]:
    for entry in entries:
        if not isinstance(entry, dict) or "path" not in entry:
            raise CloudInitError("An entry of write_files has no path.")
        content = str(entry.get("content", "")).encode()
        encoding = str(entry.get("encoding", ""))
        try:
            if "b64" in encoding or "base64" in encoding:
                content = base64.b64decode(content)
            if "gz" in encoding:
                content = gzip.decompress(content)
        except (ValueError, OSError) as error:
            raise CloudInitError(f"The content of {entry['path']} is not valid: {error}") from None
        yield str(entry["path"]), content


def _lines(config: Mapping[str, Any], key: str) -> Iterator[str]:
    for command in config.get(key) or []:
        yield shlex.join(map(str, command)) if isinstance(command, list) else str(command)


def _unit(name: str, text: str) -> Unit:
    options: dict[str, list[str]] = {}
    for line in text.replace("\\\n", " ").splitlines():
        option, equals, value = line.partition("=")
        if equals and not line.lstrip().startswith(("#", ";")):
            options.setdefault(option.strip(), []).append(value.strip())
    return Unit(name, options)


def _commands(unit: Unit, files: Mapping[str, bytes]) -> Iterator[Command]:
    variables: dict[str, str] = {}
    for path in unit.values("EnvironmentFile"):
        variables |= environment_file(files.get(path.removeprefix("-"), b""))
    for value in unit.values("Environment"):
        variables |= dict(_assignment(word) for word in shlex.split(value) if "=" in word)
    is_restarted = unit.values("Restart")[-1:] not in ([], ["no"])
    for line in unit.values("ExecStart"):
        # Prefixes such as `-` say how systemd runs the command.
        words = shlex.split(line.lstrip("-@:+!"))
        words = [_filled(word, variables) for word in words]
        yield Command(unit.name, words, is_restarted)


def environment_file(content: bytes) -> dict[str, str]:
    """Return the variables of a file that has one on each line."""
    lines = (line.strip() for line in content.decode(errors="replace").splitlines())
    return dict(_assignment(line) for line in lines if "=" in line and line[0] not in "#;")


def _assignment(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name, value.strip("'\"")


def _filled(word: str, variables: Mapping[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        return variables.get(match[1] or match[2], "")

    return "$".join(_VARIABLE.sub(value, part) for part in word.split("$$")).replace("%%", "%")


def _mounts(
    config: Mapping[str, Any], units: Any, lines: Sequence[str]
) -> Iterator[tuple[str, str]]:
    """Yield the devices that are mounted, and where."""
    for entry in config.get("mounts") or []:
        if isinstance(entry, list) and len(entry) > 1:
            yield from _mount_of(f"{entry[0]} {entry[1]}")
    for unit in units:
        if unit.name.endswith(_MOUNT):
            for device, folder in zip(unit.values("What"), unit.values("Where"), strict=False):
                yield from _mount_of(f"{device} {folder}")
        for option in ("ExecStartPre", "ExecStart"):
            for line in unit.values(option):
                yield from _mount_of(line)
    for line in lines:
        yield from _mount_of(line)


def _mount_of(text: str) -> Iterator[tuple[str, str]]:
    for match in _MOUNT_COMMAND.finditer(text):
        yield match["device"], match["folder"]
