"""Name of the command line in messages, as a user types it."""

import sys
from pathlib import Path

SCRIPT = "gcp-healthcare-emulator"
MODULE = "python -m emulator"


def program_name() -> str:
    """Return the installed command, or `python -m emulator` in a checkout that was run like that.

    A process that neither started, such as a test run with the fixture, gets the one that works
    there: a checkout need not have the command, and an installed package is not in the folder.
    """
    installed = "site-packages" in Path(__file__).parts
    return SCRIPT if installed or Path(sys.argv[0]).stem == SCRIPT else MODULE


def command(arguments: str) -> str:
    """Return a command of the emulator as a user types it, such as `python -m emulator stop`."""
    return f"{program_name()} {arguments}"
