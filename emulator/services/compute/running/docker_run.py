"""The command `docker run`, read as Docker's client reads it.

Documented: https://docs.docker.com/reference/cli/docker/container/run.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from emulator.services.compute.running.cloud_init import environment_file

_SWITCHES = frozenset(
    {
        "-P", "-d", "-i", "-it", "-t", "-ti", "--detach", "--init", "--interactive",
        "--no-healthcheck", "--oom-kill-disable", "--privileged", "--publish-all", "--quiet",
        "--read-only", "--rm", "--sig-proxy", "--tty", "-q",
    }
)  # fmt: skip
"""Options without a value."""
_SHORT_WITH_VALUE = ("-e", "-h", "-l", "-m", "-p", "-u", "-v", "-w")
_ALIASES = {
    "-e": "--env", "-p": "--publish", "-v": "--volume", "--net": "--network", "-h": "--hostname",
}  # fmt: skip


@dataclass(frozen=True)
class DockerRun:
    """A container as its command line describes it.

    Attributes:
        image: its reference
        args: follow the entry point
        entry_point: replaces the one of the image, if any
        environment: its variables
        volumes: path in the container -> path on the instance
        ports: port of the instance -> port of the container, where they differ
        is_restarted: whether Docker starts it again when it ends
    """

    image: str
    args: Sequence[str]
    entry_point: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    volumes: Mapping[str, str] = field(default_factory=dict)
    ports: Mapping[int, int] = field(default_factory=dict)
    is_restarted: bool = False


def parse(words: Sequence[str], files: Mapping[str, bytes]) -> DockerRun | None:
    """Return what a command runs; None for another command.

    Args:
        words: of the command line
        files: of the instance, by path

    Raises:
        ValueError: it names no image, or a port or a volume is not valid
    """
    if len(words) < 2 or words[0].rpartition("/")[2] != "docker" or "run" not in words[1:3]:
        return None
    options, rest = _split(words[words.index("run") + 1 :])
    if not rest:
        raise ValueError(f"{' '.join(words)} names no image.")
    image, *args = rest
    environment: dict[str, str] = {}
    for path in options.get("--env-file", []):
        environment |= environment_file(files.get(path, b""))
    for text in options.get("--env", []):
        name, _, value = text.partition("=")
        environment[name] = value
    volumes = [_volume(text) for text in options.get("--volume", [])]
    volumes += [_mount(text) for text in options.get("--mount", [])]
    return DockerRun(
        image,
        args,
        options.get("--entrypoint", [])[-1:],
        environment,
        dict(volumes),
        dict(_port(text) for text in options.get("--publish", [])),
        options.get("--restart", ["no"])[-1] != "no",
    )


def _split(words: Sequence[str]) -> tuple[dict[str, list[str]], Sequence[str]]:
    """Return the options and what follows them: the image and its arguments."""
    options: dict[str, list[str]] = {}
    index = 0
    while index < len(words) and words[index].startswith("-"):
        word = words[index]
        index += 1
        if word == "--":
            break
        name, equals, value = word.partition("=")
        if word[:2] in _SHORT_WITH_VALUE and not word.startswith("--") and len(word) > 2:
            name, value = word[:2], word[2:].removeprefix("=")
        elif name in _SWITCHES:
            continue
        elif not equals:
            if index == len(words):
                raise ValueError(f"The option {word} of docker run has no value.")
            value = words[index]
            index += 1
        options.setdefault(_ALIASES.get(name, name), []).append(value)
    return options, words[index:]


def _volume(text: str) -> tuple[str, str]:
    parts = text.split(":")
    if len(parts) < 2:
        raise ValueError(f"{text} is not a volume: write INSTANCE_PATH:CONTAINER_PATH.")
    return parts[1].rstrip("/"), parts[0].rstrip("/")


def _mount(text: str) -> tuple[str, str]:
    fields = dict(part.partition("=")[::2] for part in text.split(","))
    target = fields.get("target") or fields.get("destination") or fields.get("dst")
    source = fields.get("source") or fields.get("src")
    if not target or not source:
        raise ValueError(f"{text} is not a mount with a source and a target.")
    return target.rstrip("/"), source.rstrip("/")


def _port(text: str) -> tuple[int, int]:
    host, _, container = text.partition("/")[0].rpartition(":")
    outside = host.rpartition(":")[2] or container
    if not container.isdigit() or not outside.isdigit():
        raise ValueError(f"{text} is not a port: write INSTANCE_PORT:CONTAINER_PORT.")
    return int(outside), int(container)
