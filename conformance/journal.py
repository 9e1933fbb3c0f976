"""A list, on the disk, of what a run is about to create: cleanup needs nothing else.

An entry is fsynced before its resource is created, so that a run that was killed at any moment
leaves nothing that the list does not name.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from scripts.lib.errors import ScriptError
from scripts.lib.options import ROOT

SUFFIX = ".jsonl"


@dataclass(frozen=True)
class Entry:
    """A resource to remove.

    Attributes:
        resource_type: a key of `cleanup.REMOVERS`
        name: of the resource, in the form that its remover takes
        project: the id of the project
        root: the address of the services; None for Google's own
    """

    resource_type: str
    name: str
    project: str
    root: str | None = None


def folder() -> Path:
    """Return the folder of the journals: `conformance` in `LAB_DIR`, or in `.lab`."""
    return Path(os.environ.get("LAB_DIR") or ROOT / ".lab").absolute() / "conformance"


class Journal:
    """The journal of one run, which no other process removes while the run holds it.

    Args:
        path: of the file

    Raises:
        ScriptError: a running process holds it
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(path.with_suffix(".lock"), timeout=0)
        try:
            self._lock.acquire()
        except Timeout:
            raise ScriptError(f"A run that is still active uses {path}.") from None

    def add(self, entry: Entry) -> None:
        """Write an entry, before its resource is created."""
        with self.path.open("a") as file:
            file.write(json.dumps(asdict(entry)) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def entries(self) -> list[Entry]:
        """Return the entries, the last first: the order of removal.

        A line that a crash cut off has no resource, and is left out.
        """
        if not self.path.exists():
            return []
        *lines, _ = self.path.read_text().split("\n")
        return [Entry(**json.loads(line)) for line in reversed(lines)]

    def replace(self, entries: list[Entry]) -> None:
        """Keep only these entries, in the order of `entries`; without any, delete the file."""
        if entries:
            draft = self.path.with_suffix(".draft")
            draft.write_text(
                "".join(json.dumps(asdict(entry)) + "\n" for entry in reversed(entries))
            )
            draft.replace(self.path)
        else:
            self.path.unlink(missing_ok=True)

    def close(self) -> None:
        """Let other processes have the journal; delete the lock of one that is empty."""
        self._lock.release()
        if not self.path.exists():
            self.path.with_suffix(".lock").unlink(missing_ok=True)


def left_over() -> Iterator[Journal]:
    """Yield the journals of runs that have ended without removing everything."""
    for path in sorted(folder().glob(f"*{SUFFIX}")):
        try:
            journal = Journal(path)
        except ScriptError:
            continue
        try:
            yield journal
        finally:
            journal.close()
