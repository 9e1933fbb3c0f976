"""The ledger of a run: what became of each item, in files of JSON lines in the run's folder.

A worker adds a file for some items at a time, after it has finished them. A run that was stopped
reads the files, and takes up what they do not have. A crash between an item's end and the next file
makes the item run again: what runs must know an item that it has finished.
"""

import json
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

from pipelines.common.objects import Objects
from pipelines.common.rows import NDJSON, to_ndjson

FOLDER = "ledger/"
MAX_ITEMS = 500
MAX_SECONDS = 10.0

Entry = dict[str, Any]


class Ledger:
    """The entries of one worker.

    Args:
        objects: Cloud Storage
        output: the run's folder
        clock: seconds
    """

    def __init__(
        self, objects: Objects, output: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._objects = objects
        self._folder = output + FOLDER
        self._clock = clock
        self._entries: list[Entry] = []
        self._oldest = 0.0

    def add(self, entry: Entry) -> None:
        """Add an entry; those that are many, or old, are written."""
        self._oldest = self._oldest if self._entries else self._clock()
        self._entries.append(entry)
        if len(self._entries) >= MAX_ITEMS or self._clock() - self._oldest >= MAX_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Write the entries that wait."""
        if self._entries:
            uri = f"{self._folder}{uuid.uuid4().hex}.ndjson"
            self._objects.write(uri, to_ndjson(self._entries), NDJSON)
            self._entries = []


def read(objects: Objects, uri: str) -> Iterator[Entry]:
    """Yield the entries of a file of a ledger."""
    yield from map(json.loads, objects.read(uri).splitlines())
