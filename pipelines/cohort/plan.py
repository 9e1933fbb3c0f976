"""The plan of a cohort: checked before anything is changed, and the same in every attempt.

The folder of a run has `plan.json`, so that a resumed run copies the same selection by the same
settings, and `selection.json`, which lists the files of the selection once all are written.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from pipelines.cohort import selection
from pipelines.cohort.selection import SelectionError
from pipelines.common import tables
from pipelines.common.objects import Objects, ReadError
from pipelines.common.tables import Answer, QueryError
from workloads.common.dicomweb import DicomWeb, StoreError

PLAN, SELECTION, REPORT = "plan.json", "selection.json", "report.json"
DEFAULT_CONFIG = {"dicom": {"filterProfile": "MINIMAL_KEEP_LIST_PROFILE"}}

Json = dict[str, Any]


@dataclass(frozen=True)
class Settings:
    """Settings of the pipeline.

    Attributes:
        source: the DICOM store of the originals
        destination: the DICOM store of the copies
        output: the run's folder, with a slash at its end
        sql: selects resources in BigQuery; empty to search
        search: a search of the source
        project: that is billed for the query
        config: DeidentifyConfig
        operations: their number
        requests_per_second: of a worker process; 0 for no limit
        answer: of the query, once it has run
        selected: what an earlier attempt selected: the content of `selection.json`
        attempt: a name of this attempt, for its report
    """

    source: str
    destination: str
    output: str
    sql: str
    search: str
    project: str
    config: Json = field(default_factory=lambda: DEFAULT_CONFIG)
    operations: int = 1
    requests_per_second: float = 0.0
    answer: Answer | None = None
    selected: Json | None = None
    attempt: str = ""

    @property
    def plan(self) -> Json:
        """The settings that decide what is copied, and how."""
        names = ("source", "destination", "sql", "search", "config", "operations")
        return {name: getattr(self, name) for name in names}


class Notes(Protocol):
    """Small objects by name."""

    def read(self, name: str) -> Json | None:
        """Return a note; None if there is none."""

    def write(self, name: str, note: Json) -> None:
        """Write a note in the place of any other of its name."""


class FolderNotes:
    """Notes of a run, as objects of its folder.

    Args:
        output: the folder, with a slash at its end
    """

    def __init__(self, output: str) -> None:
        self._objects, self._output = Objects(), output

    def read(self, name: str) -> Json | None:
        """Return a note; None if there is none."""
        try:
            note: Json = json.loads(self._objects.read(self._output + name))
        except ReadError as error:
            if not error.is_missing:
                raise
            return None
        return note

    def write(self, name: str, note: Json) -> None:
        """Write a note in the place of any other of its name."""
        self._objects.write(self._output + name, json.dumps(note).encode(), "application/json")


def check_folder(settings: Settings, notes: Notes) -> Json | None:
    """Return what an earlier attempt of the run has selected; None if it has not.

    Raises:
        SelectionError: the folder belongs to a run with other settings
    """
    planned = notes.read(PLAN)
    if planned is not None:
        for name, value in settings.plan.items():
            if planned.get(name) != value:
                raise SelectionError(
                    f"{settings.output} has a run with another {name}. Take another folder as"
                    " output for a new run, or the same settings to resume this one."
                )
    return notes.read(SELECTION)


def check_stores(settings: Settings, get: Callable[[str], object]) -> None:
    """Refuse stores that can't be copied between.

    Args:
        settings: of the run
        get: returns a store; raises an error of the service

    Raises:
        SelectionError: they are the same, or of two locations
    """
    source, destination = settings.source, settings.destination
    if source == destination:
        raise SelectionError(f"{source} can't be copied into itself: name another destination.")
    if _location(source) != _location(destination):
        raise SelectionError(
            f"{source} is in {_location(source)}, and {destination} in {_location(destination)}:"
            " name a destination of the same location."
        )
    for store in (source, destination):
        get(store)


def select(settings: Settings) -> Answer | None:
    """Run the query; a search is only tried.

    Returns:
        The answer of the query; None for a search

    Raises:
        SelectionError: it is not valid, or finds nothing
    """
    if settings.sql:
        try:
            selection.check_columns(tables.columns_of(settings.sql, settings.project))
            answer = tables.run(settings.sql, settings.project)
        except QueryError as error:
            raise SelectionError(f"BigQuery refuses the query: {error}") from error
        if not answer.rows:
            raise SelectionError("The query selects no rows: nothing would be copied.")
        return answer
    level, parameters = selection.parse_search(settings.search)
    try:
        first = DicomWeb(settings.source, 1).first(level, parameters)
    except StoreError as error:
        raise SelectionError(f"{settings.source} refuses the search: {error.reason}") from error
    if first is None:
        raise SelectionError(f"The search finds no {level}: nothing would be copied.")
    return None


def _location(store: str) -> str:
    return store.split("/")[3]
