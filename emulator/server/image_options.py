"""The programs that run in the place of container images, as given at the start of the emulator."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from emulator.core.program_name import command
from emulator.server.errors import EmulatorError
from emulator.server.server_file import ServerInfo, read_server_info
from emulator.services.containers import images


def read_options(options: Iterable[str]) -> dict[str, str]:
    """Return name and program of each option `NAME=MODULE`, `NAME=FILE.py` or `NAME=`.

    Raises:
        EmulatorError: one is not valid
    """
    try:
        return dict(map(images.parse, options))
    except ValueError as error:
        raise EmulatorError(str(error)) from None


def merge(state: Path, given: Mapping[str, str]) -> dict[str, str]:
    """Return the programs given now and at earlier starts; an empty one removes its image.

    Args:
        state: the state folder
        given: name of an image -> a module or a file

    Raises:
        EmulatorError: one is not valid
    """
    last = read_server_info(state)
    given = read_options(f"{name}={program}" for name, program in given.items())
    both = {**(last.images if last else {}), **given}
    return {name: program for name, program in both.items() if program}


def check_same(running: ServerInfo, given: Mapping[str, str]) -> None:
    """Raise an error if a running emulator has another program for an image.

    Raises:
        EmulatorError: naming the image
    """
    for name, program in read_options(f"{key}={value}" for key, value in given.items()).items():
        if running.images.get(name, "") != program:
            raise EmulatorError(
                f"The emulator is already running without --image {name}={program}. "
                f"Stop it first: `{command('stop')}`."
            )
