"""The file of a new state, made once a process: its migrations take longer than most tests."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from emulator.core.database import STATE_FILE, Database
from emulator.migrations import MIGRATIONS


def write_new_state(folder: Path) -> None:
    """Write the file of an empty state into a folder; one that is there stays."""
    file = folder / STATE_FILE
    if not file.exists():
        file.write_bytes(_migrated())


@cache
def _migrated() -> bytes:
    with TemporaryDirectory() as folder:
        file = Path(folder) / STATE_FILE
        Database(file, MIGRATIONS).close()
        return file.read_bytes()
