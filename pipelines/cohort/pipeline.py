"""The transforms of a cohort.

    query -> paths -> paths of a study -> instances that the store has -> files of paths
          -> operations of the Healthcare API -> report, dead letters

The service copies and de-identifies; the pipeline selects, divides and follows. Nothing is changed
before all files of paths are written. A study is not divided, as each operation makes UIDs of its
own.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import apache_beam as beam

from pipelines.cohort import copying, selection
from pipelines.cohort.operations import Selection
from pipelines.cohort.plan import Settings
from pipelines.cohort.selection import NOT_IN_STORE, SelectionError
from pipelines.common import tables
from pipelines.common.counting import Counting
from pipelines.common.objects import Objects
from pipelines.common.retry import Caller
from pipelines.common.rows import shard_of
from pipelines.common.shards import WriteShards
from pipelines.common.throttle import Throttle
from workloads.common.dicomweb import DicomWeb

NAME = "cohort"
_MISSING = "missing"
_TEXT = "text/plain"

Json = dict[str, Any]


def build(pipeline: beam.Pipeline, settings: Settings) -> None:
    """Add the transforms to a pipeline."""
    if settings.selected is not None:  # an earlier attempt has selected: only its copy is left
        _ = (
            pipeline
            | "selected" >> beam.Create([settings.selected])
            | "de-identify" >> beam.Map(copying.copy, settings)
        )
        return
    number = settings.operations
    found = (
        pipeline
        | "query" >> beam.Create([settings])
        | "select" >> beam.FlatMap(_select).with_outputs(_MISSING, main="paths")
    )
    resolved = (
        found.paths
        | "by study" >> beam.Map(lambda path: (selection.study_of(path), path))
        | "paths of studies" >> beam.GroupByKey()
        | "spread the studies" >> beam.Reshuffle()
        | "look up" >> beam.ParDo(LookUp(settings)).with_outputs(_MISSING, main="instances")
    )
    files = (
        resolved.instances
        | "to operations" >> beam.MapTuple(lambda study, paths: (shard_of(study, number), paths))
        | "paths of operations" >> beam.GroupByKey()
        | "files of paths" >> beam.Map(_write_paths, settings)
        | "all files" >> beam.combiners.ToList()
    )
    missing = (found[_MISSING], resolved[_MISSING]) | "all missing" >> beam.Flatten()
    letters = missing | "dead letters" >> WriteShards(
        f"{settings.output}dead-letters-selection", ".ndjson", 1
    )
    count = missing | "count the missing" >> beam.combiners.Count.Globally()
    _ = (
        files
        | "selection"
        >> beam.Map(
            copying.note_selection,
            beam.pvalue.AsSingleton(count),
            settings,
            # Not before the dead letters are written.
            beam.pvalue.AsList(letters),
        )
        | "de-identify" >> beam.Map(copying.copy, settings)
    )


def _select(settings: Settings) -> Iterator[Any]:
    """Yield the selected paths; tagged, the entries of rows that name none."""
    if settings.answer is None:
        level, parameters = selection.parse_search(settings.search)
        web = DicomWeb(settings.source, 1)
        caller = Caller(Throttle(settings.requests_per_second))
        for result in caller.call(lambda: [*web.search(level, parameters)]):
            yield selection.path_of_result(result, level)
        return
    for number, row in enumerate(tables.read(settings.answer), 1):
        try:
            yield selection.path_of(row)
        except SelectionError as error:
            yield _missing(f"row {number}", str(error))


class LookUp(beam.DoFn):  # type: ignore[misc]
    """Looks up the selected resources of studies in the store."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings

    def setup(self) -> None:
        """Connect to the store."""
        self._counting = Counting(NAME)
        self._web = DicomWeb(self._settings.source, 1)
        self._caller = Caller(
            Throttle(self._settings.requests_per_second),
            note=lambda: self._counting.add("retries"),
        )

    def process(self, study: tuple[str, Iterable[str]]) -> Iterator[Any]:
        """Yield the study with its selected instances; tagged, what the store does not have."""
        uid, wanted = study
        resource = f"studies/{uid}/instances"
        found = self._caller.call(lambda: [*self._web.search(resource, ())])
        present = (selection.path_of_result(one, "instances") for one in found)
        resolved = selection.resolve(wanted, present)
        self._counting.add("selected", len(resolved.instances))
        for path in resolved.missing:
            self._counting.add(_MISSING)
            yield _missing(path, NOT_IN_STORE)
        if resolved.instances:
            yield uid, resolved.instances

    def finish_bundle(self) -> None:
        """Log the numbers."""
        self._counting.log()


def _missing(source: str, reason: str) -> Any:
    entry = {"source": source, "result": _MISSING, "reason": reason}
    return beam.pvalue.TaggedOutput(_MISSING, (source, entry))


def _write_paths(shard: tuple[int, Iterable[Iterable[str]]], settings: Settings) -> Selection:
    number, studies = shard
    paths = sorted({path for paths in studies for path in paths})
    uri = f"{settings.output}selection-{number:05}-of-{settings.operations:05}.txt"
    Objects().write(uri, selection.lines(paths), _TEXT)
    return Selection(uri, len(paths))
