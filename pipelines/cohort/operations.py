"""The operations that de-identify: each is started once, written down, and followed to its end.

Documented: https://cloud.google.com/healthcare-api/docs/reference/rest/v1/projects.locations.datasets.dicomStores/deidentify.
A crash between a start and the note of it leaves an operation without a note. So the intent is
noted before, and a later attempt looks for an operation since then that no note names.
"""

import json
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

from google.api_core.retry import exponential_sleep_generator

FOLDER = "operations/"
INITIAL_SECONDS, MAX_SECONDS, GROWTH = 0.5, 30.0, 1.5
_METHOD = "Deidentify"

Json = dict[str, Any]


class Api(Protocol):
    """The calls of the Healthcare API; each is retried."""

    def start(self, selection: str) -> str:
        """Start to de-identify what a file names; return the name of the operation."""

    def get(self, name: str) -> Json:
        """Return an operation."""

    def list(self) -> list[Json]:
        """Return the operations of the dataset."""


class Notes(Protocol):
    """Small objects by name."""

    def read(self, name: str) -> Json | None:
        """Return a note; None if there is none."""

    def write(self, name: str, note: Json) -> None:
        """Write a note in the place of any other of its name."""


class Operations:
    """The operations of one run.

    Args:
        api: the Healthcare API
        notes: of the run
        sleep: waits some seconds
    """

    def __init__(self, api: Api, notes: Notes, sleep: Callable[[float], None] = time.sleep) -> None:
        self._api, self._notes, self._sleep = api, notes, sleep

    def run(self, selections: list[str]) -> list[Json]:
        """Return the ended operation of each file with paths, in their order."""
        names: list[str] = []
        for selection in sorted(selections):
            names.append(self._started(selection, {*names}))
        return [self._ended(name) for name in names]

    def _started(self, selection: str, taken: set[str]) -> str:
        """Return the operation of a file; start it if none has it that succeeded or runs."""
        key = f"{FOLDER}{selection.rpartition('/')[2]}.json"
        note = self._notes.read(key)
        if note and note.get("operation"):
            name: str = note["operation"]
            if not is_failed(self._api.get(name)):
                return name
            note = None
        found = self._since(note["intended"], taken) if note else None
        if found is None:
            intended = datetime.now(UTC).isoformat()
            self._notes.write(key, {"selection": selection, "intended": intended})
            found = self._api.start(selection)
        self._notes.write(key, {"selection": selection, "operation": found})
        return found

    def _since(self, intended: str, taken: set[str]) -> str | None:
        """Return the first operation since a moment that no note names."""
        moment = datetime.fromisoformat(intended)
        for operation in sorted(self._api.list(), key=_created):
            if (
                operation["name"] not in taken
                and _METHOD in operation.get("metadata", {}).get("apiMethodName", "")
                and _created(operation) >= moment
            ):
                return str(operation["name"])
        return None

    def _ended(self, name: str) -> Json:
        delays = exponential_sleep_generator(INITIAL_SECONDS, MAX_SECONDS, GROWTH)
        while not (operation := self._api.get(name)).get("done"):
            self._sleep(next(delays))
        return operation


def is_failed(operation: Mapping[str, Any]) -> bool:
    """Whether an operation has ended with an error."""
    return bool(operation.get("done")) and "error" in operation


def report(operations: list[Json]) -> Json:
    """Return what became of a run: the instances of all operations, and their errors."""
    counters = [one.get("metadata", {}).get("counter", {}) for one in operations]
    failures = sum(int(one.get("failure", 0)) for one in counters)
    errors = [one["error"].get("message", "") for one in operations if "error" in one]
    return {
        "instances": sum(int(one.get("success", 0)) for one in counters),
        "dead_letters": failures,
        "operations": [one["name"] for one in operations],
        "errors": errors,
    }


def body(destination: str, config: Json, selection: str) -> bytes:
    """Return the body of a request to de-identify."""
    request = {
        "destinationStore": destination,
        "config": config,
        "filterConfig": {"resourcePathsGcsUri": selection},
    }
    return json.dumps(request).encode()


def _created(operation: Mapping[str, Any]) -> datetime:
    text = operation.get("metadata", {}).get("createTime", "1970-01-01T00:00:00Z")
    return datetime.fromisoformat(text)
