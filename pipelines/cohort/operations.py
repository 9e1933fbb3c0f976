"""The operations that de-identify: each is started once, written down, and followed to its end.

Documented: https://cloud.google.com/healthcare-api/docs/reference/rest/v1/projects.locations.datasets.dicomStores/deidentify.
Each operation makes UIDs of its own, so that a second one for the same instances copies them twice.
A crash between a start and the note of it leaves an operation without a note. So the operations
that are there are noted before, and a later attempt looks for another one with as many instances.
No role of the workers lets them list operations, unless someone grants it: then an attempt after
such a crash stops, rather than copy the instances twice.
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from google.api_core.retry import exponential_sleep_generator

from pipelines.cohort.plan import Notes

FOLDER = "operations/"
INITIAL_SECONDS, MAX_SECONDS, GROWTH = 0.5, 30.0, 1.5
_METHOD = "Deidentify"
_START_ANEW = "Empty the destination, and take another folder as output."

Json = dict[str, Any]
Progress = Callable[[int], None]
"""Called with the number of instances that were copied since the last call."""


class CohortError(Exception):
    """A cohort that can't be copied, in a sentence for people."""


@dataclass(frozen=True)
class Selection:
    """A file with paths of instances.

    Attributes:
        uri: of the file
        instances: their number
    """

    uri: str
    instances: int


class Api(Protocol):
    """The calls of the Healthcare API; all but the first are retried."""

    def start(self, selection: str) -> str:
        """Start to de-identify what a file names; return the name of the operation."""

    def get(self, name: str) -> Json:
        """Return an operation or a store."""

    def list(self) -> list[Json] | None:
        """Return the operations of the dataset; None if the caller may not list them."""


class Operations:
    """The operations of one run.

    Args:
        api: the Healthcare API
        notes: of the run
        progress: counts instances
        sleep: waits some seconds
    """

    def __init__(
        self,
        api: Api,
        notes: Notes,
        progress: Progress = lambda _: None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._api, self._notes, self._progress, self._sleep = api, notes, progress, sleep

    def run(self, selections: Sequence[Selection]) -> list[Json]:
        """Return the ended operation of each file, in the order of the files.

        Raises:
            CohortError: an operation failed
        """
        names: list[str] = []
        for selection in sorted(selections, key=lambda one: one.uri):
            names.append(self._started(selection, {*names}))
        return [self._ended(name) for name in names]

    def _started(self, selection: Selection, taken: set[str]) -> str:
        """Return the operation of a file; start it if none has it that succeeded or runs."""
        key = f"{FOLDER}{selection.uri.rpartition('/')[2]}.json"
        note = self._notes.read(key)
        if note and note.get("operation"):
            name: str = note["operation"]
            if not _may_start_again(self._api.get(name)):
                return name
            note = None
        found = self._without_note(note["before"], selection, taken) if note else None
        if found is None:
            there = self._api.list()
            before = None if there is None else [one["name"] for one in there]
            self._notes.write(key, {"selection": selection.uri, "before": before})
            found = self._api.start(selection.uri)
        self._notes.write(key, {"selection": selection.uri, "operation": found})
        return found

    def _without_note(
        self, before: Sequence[str] | None, selection: Selection, taken: set[str]
    ) -> str | None:
        """Return the operation that an earlier attempt started, if it did.

        Raises:
            CohortError: more than one may be it, or the operations may not be listed
        """
        there = self._api.list()
        if before is None or there is None:
            raise CohortError(
                f"The start of the operation of {selection.uri} was interrupted, and"
                " healthcare.operations.list, which roles/healthcare.datasetAdmin has, is denied"
                f" to look for it. {_START_ANEW}"
            )
        known = {*before, *taken}
        found = [
            str(one["name"])
            for one in there
            if one["name"] not in known
            and _METHOD in one.get("metadata", {}).get("apiMethodName", "")
            and self._total(one) == selection.instances
        ]
        if len(found) > 1:
            raise CohortError(
                f"Each of {', '.join(found)} may be the operation of {selection.uri}, whose start"
                f" was interrupted. {_START_ANEW}"
            )
        return found[0] if found else None

    def _total(self, operation: Json) -> int:
        """Return the number of instances of an operation, once it says so."""
        delays = exponential_sleep_generator(INITIAL_SECONDS, MAX_SECONDS, GROWTH)
        while not sum(_counts(operation).values()) and not operation.get("done"):
            self._sleep(next(delays))
            operation = self._api.get(operation["name"])
        return sum(_counts(operation).values())

    def _ended(self, name: str) -> Json:
        """Follow an operation to its end.

        Raises:
            CohortError: it failed
        """
        delays = exponential_sleep_generator(INITIAL_SECONDS, MAX_SECONDS, GROWTH)
        counted = 0
        while True:
            operation = self._api.get(name)
            success = _counts(operation)["success"]
            self._progress(success - counted)
            counted = success
            if operation.get("done"):
                break
            self._sleep(next(delays))
        if "error" not in operation:
            return operation
        why = operation["error"].get("message", "")
        cure = (
            f"{counted} instances are copied already, and would be twice: empty the destination,"
            " and take another folder as output."
            if counted
            else "Run it again when the reason is gone: nothing is copied yet."
        )
        raise CohortError(f"{name} failed: {why} {cure}")


def report(operations: Sequence[Json], selected: int, missing: int) -> Json:
    """Return what became of a run.

    Args:
        operations: that have ended
        selected: instances that were to be copied
        missing: dead letters of the selection
    """
    counters = [*map(_counts, operations)]
    failures = sum(one["failure"] for one in counters)
    return {
        "selected": selected,
        "instances": sum(one["success"] for one in counters),
        "dead_letters": missing + failures,
        "operations": [one["name"] for one in operations],
    }


def body(destination: str, config: Json, selection: str) -> bytes:
    """Return the body of a request to de-identify."""
    request = {
        "destinationStore": destination,
        "config": config,
        "filterConfig": {"resourcePathsGcsUri": selection},
    }
    return json.dumps(request).encode()


def failures_of(operation: Mapping[str, Any]) -> int:
    """Return the number of instances that an operation left out."""
    return _counts(operation)["failure"]


def _may_start_again(operation: Mapping[str, Any]) -> bool:
    """Whether an operation has failed before it copied anything."""
    return "error" in operation and not _counts(operation)["success"]


def _counts(operation: Mapping[str, Any]) -> dict[str, int]:
    """Return the counters of an operation, which are texts and absent at 0."""
    counter = operation.get("metadata", {}).get("counter", {})
    return {name: int(counter.get(name, 0)) for name in ("success", "failure", "pending")}
