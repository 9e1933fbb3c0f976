"""The processes of containers, written down for a start after the emulator was killed.

On Linux they end with it; elsewhere the next start kills those that are left.
"""

import threading
from pathlib import Path

from emulator.core.processes import records

FILE = "containers.json"
"""In the state folder."""


class Pids:
    """The ids of the processes that run.

    Args:
        folder: the state folder
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._lock = threading.Lock()
        self._pids: dict[str, int] = {}

    def started(self, name: str, pid: int) -> None:
        """Write down the process of a container.

        Raises:
            OSError: the file can't be written
        """
        with self._lock:
            self._pids[name] = pid
            records.record(self._path, self._pids.values())

    def ended(self, name: str) -> None:
        """Forget the process of a container; the next one that starts is written without it."""
        with self._lock:
            self._pids.pop(name, None)
