"""The transforms of a cohort.

    query -> paths -> files of paths -> operations of the Healthcare API -> report

The service copies and de-identifies; the pipeline selects, divides and follows.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import apache_beam as beam

from pipelines.cohort import operations, selection
from pipelines.cohort.healthcare import Healthcare
from pipelines.common.counting import Counting
from pipelines.common.objects import Objects, ReadError
from pipelines.common.retry import Caller
from pipelines.common.rows import shard_of
from pipelines.common.throttle import Throttle
from workloads.common.dicomweb import DicomWeb

NAME = "cohort"
DEFAULT_CONFIG = {"dicom": {"filterProfile": "MINIMAL_KEEP_LIST_PROFILE"}}
_TEXT = "text/plain"

Json = dict[str, Any]


@dataclass(frozen=True)
class Settings:
    """Settings of the pipeline.

    Attributes:
        source: the DICOM store of the originals
        destination: the DICOM store of the copies
        output: the run's folder, with a slash at its end
        sql: selects resources in BigQuery; empty to search
        search: parameters of a search of studies
        project: that is billed for the query
        config: DeidentifyConfig
        operations: their number
        requests_per_second: of a worker process; 0 for no limit
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


def build(pipeline: beam.Pipeline, settings: Settings) -> None:
    """Add the transforms to a pipeline."""
    number = settings.operations
    _ = (
        pipeline
        | "query" >> beam.Create([settings])
        | "select" >> beam.FlatMap(_select)
        | "to operations" >> beam.Map(lambda path: (shard_of(path, number), path))
        | "paths of operations" >> beam.GroupByKey()
        | "files of paths" >> beam.Map(_write_paths, settings)
        | "all files" >> beam.combiners.ToList()
        | "de-identify" >> beam.Map(_deidentify, settings)
    )


def _select(settings: Settings) -> Iterator[str]:
    if settings.sql:
        yield from map(selection.path_of, selection.rows_of(settings.sql, settings.project))
        return
    web = DicomWeb(settings.source, 1)
    parameters = selection.search_parameters(settings.search)
    caller = Caller(Throttle(settings.requests_per_second))
    found = caller.call(lambda: [*web.search("studies", parameters)])
    yield from map(selection.path_of_result, found)


def _write_paths(shard: tuple[int, Iterable[str]], settings: Settings) -> str:
    number, paths = shard
    uri = f"{settings.output}selection-{number:05}-of-{settings.operations:05}.txt"
    Objects().write(uri, selection.lines([*paths]), _TEXT)
    return uri


class _Notes:
    """Notes of a run, as objects of its folder."""

    def __init__(self, output: str) -> None:
        self._objects, self._output = Objects(), output

    def read(self, name: str) -> Json | None:
        """Return a note; None if there is none."""
        try:
            note: Json = json.loads(self._objects.read(self._output + name))
        except ReadError:
            return None
        return note

    def write(self, name: str, note: Json) -> None:
        """Write a note."""
        self._objects.write(self._output + name, json.dumps(note).encode(), "application/json")


def _deidentify(selections: list[str], settings: Settings) -> None:
    api = Healthcare(settings.source, settings.destination, settings.config)
    notes = _Notes(settings.output)
    report = operations.report(operations.Operations(api, notes).run(selections))
    counting = Counting(NAME)
    counting.add("instances", report["instances"])
    counting.log()
    notes.write("report.json", report)
    if report["errors"]:
        raise RuntimeError(f"De-identification failed: {'; '.join(report['errors'])}")
