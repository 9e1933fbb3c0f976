"""Images that run here: the programs that stand for them, found by the last part of the reference.

An image of another name can't run here, since nothing is pulled from a registry.
"""

import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from emulator.core.processes import python_module
from emulator.services.containers.models import CannotRunError
from viewer import cache

OURS = {
    "gateway": ("workloads.gateway", "--viewer", str(cache.folder()), "--host"),
    "dimse-adapter": ("workloads.dimse", "--port", "11112", "--host"),
    "inference": ("workloads.inference", "--host"),
    "mllp-adapter": ("workloads.mllp", "--receiver-ip"),
}
"""Name of an image of this repository -> its entry point, but for the address where it listens."""
PIPELINES = {f"{name}-pipeline": ("pipelines", name) for name in ("ingest", "features", "cohort")}
"""Name of an image of this repository that listens nowhere -> its entry point."""
_NAME = re.compile(r"[a-z0-9]+(?:[._-]+[a-z0-9]+)*")
_MODULE = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")
_PYTHONS = ("python", "python3")


class UnknownImageError(CannotRunError):
    """An image or an entry point that can't run here."""


class Images:
    """The images that run here.

    Args:
        programs: beside `OURS`: name of an image -> a module, or the full path of a Python file
    """

    def __init__(self, programs: Mapping[str, str]) -> None:
        self._programs = programs

    def command(self, image: str, address: str, entry_point: Sequence[str] = ()) -> tuple[str, ...]:
        """Return the command line of an image, without arguments.

        Args:
            image: its reference
            address: where it listens
            entry_point: replaces the one of the image, if any

        Raises:
            UnknownImageError: it can't run here
        """
        name = name_of(image)
        if name not in {*self._programs, *OURS, *PIPELINES}:
            raise UnknownImageError(
                f"The image {image} can't run on the local Google Cloud, which pulls none. Start "
                f"it with --image {name}=MODULE to run a Python module in its place."
            )
        if entry_point:
            return _own_entry_point(entry_point)
        program = self._programs.get(name)
        if program is None and name in PIPELINES:
            return python_module.command(*PIPELINES[name])
        if program is None:
            return python_module.command(*OURS[name], address)
        if program.endswith(".py"):
            return sys.executable, program
        return python_module.command(program)


def name_of(image: str) -> str:
    """Return the last part of a reference, without tag and digest."""
    return image.partition("@")[0].rpartition("/")[2].partition(":")[0]


def is_pipeline(image: str) -> bool:
    """Whether an image is one of a pipeline of this repository."""
    return name_of(image) in PIPELINES


def parse(option: str) -> tuple[str, str]:
    """Return the name and the program of an option `NAME=MODULE`, `NAME=FILE.py` or `NAME=`.

    Raises:
        ValueError: it is not valid; the message is a sentence for people
    """
    name, equals, program = option.partition("=")
    if not equals or not _NAME.fullmatch(name):
        raise ValueError(
            f"{option!r} is not a valid image: write NAME=MODULE, where NAME is the last part of "
            "the image's reference, without its tag."
        )
    if not program:
        return name, ""
    if program.endswith(".py"):
        file = Path(program).expanduser().resolve()
        if not file.is_file():
            raise ValueError(f"There is no file {file}, the program of the image {name}.")
        return name, str(file)
    if not _MODULE.fullmatch(program):
        raise ValueError(
            f"{program!r} is not a valid program of the image {name}: name a Python module, or a "
            "file that ends with .py."
        )
    return name, program


def _own_entry_point(words: Sequence[str]) -> tuple[str, ...]:
    if words[0].rpartition("/")[2] not in _PYTHONS:
        raise UnknownImageError(
            f"The command {words[0]} can't run on the local Google Cloud: only python can."
        )
    return sys.executable, "-P", *words[1:]
