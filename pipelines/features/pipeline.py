"""The transforms of the features.

studies of a store ----------+
rows of an exported table ---+-> rows of features -> files -> load job -> report
exported files --------------+
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import apache_beam as beam

from pipelines.common import tables
from pipelines.common.counting import Counting
from pipelines.common.objects import File, Objects, ReadError
from pipelines.common.retry import Caller
from pipelines.common.shards import WriteShards
from pipelines.common.tables import Answer
from pipelines.common.throttle import Throttle
from pipelines.features import encoding, exports, loading
from pipelines.features.exports import UnreadableError
from pipelines.features.extraction import (
    UNCOMPRESSED,
    UndecodableError,
    from_metadata,
    from_pixels,
    path_of,
)
from workloads.common.dicomweb import DicomWeb, StoreError

NAME = "features"
_CONNECTIONS = 4
_STUDY = "0020000D"
_FAILED = "failed"
_NOT_ACCEPTABLE = 406

Row = dict[str, Any]


@dataclass(frozen=True)
class Settings:
    """Settings of the pipeline.

    Attributes:
        store: `projects/P/locations/L/datasets/D/dicomStores/S`; empty for an export
        output: the run's folder, with a slash at its end
        table: PROJECT.DATASET.TABLE; empty to load nothing
        job_id: of the load job
        format: `ndjson` or `parquet`
        shards: number of files
        with_pixels: whether pixels are read too
        requests_per_second: of a worker process; 0 for no limit
        patience: seconds until a study is given up that the store does not give
        export: `gs://BUCKET/PREFIX` of exported files; empty for a store or a table
        answer: of the query of an exported table
    """

    store: str
    output: str
    table: str
    job_id: str
    format: str = "ndjson"
    shards: int = 16
    with_pixels: bool = False
    requests_per_second: float = 0.0
    patience: float = 300.0
    export: str = ""
    answer: Answer | None = None


def build(pipeline: beam.Pipeline, settings: Settings) -> None:
    """Add the transforms to a pipeline."""
    parts, features = _source(pipeline, settings)
    found = (
        parts
        | "spread" >> beam.Reshuffle()
        | "features" >> beam.ParDo(features).with_outputs(_FAILED, main="rows")
    )
    files = found.rows | "files" >> WriteShards(
        f"{settings.output}rows",
        f".{settings.format}",
        settings.shards,
        encoding.MEDIA_TYPES[settings.format],
        encoding.encoder(settings.format),
    )
    _ = found[_FAILED] | "dead letters" >> WriteShards(
        f"{settings.output}dead-letters", ".ndjson", 1
    )
    count = beam.combiners.Count.Globally
    _ = (
        files
        | "all files" >> beam.combiners.ToList()
        | "load" >> beam.Map(_load, settings)
        | "report"
        >> beam.Map(
            _write_report,
            beam.pvalue.AsSingleton(
                # Files of two exports may be of one instance.
                found.rows
                | "paths" >> beam.Keys()
                | "each once" >> beam.Distinct()
                | "instances" >> count()
            ),
            beam.pvalue.AsSingleton(found[_FAILED] | "failed" >> count()),
            settings,
        )
    )


def _source(pipeline: beam.Pipeline, settings: Settings) -> tuple[Any, beam.DoFn]:
    """Return the parts of the source that a worker reads at a time, and what reads one."""
    if settings.answer is not None:
        starts = [*exports.ranges(settings.answer.rows)]
        return pipeline | "parts of the table" >> beam.Create(starts), TableFeatures(settings)
    if settings.export:
        export = pipeline | "export" >> beam.Create([settings.export])
        files = export | "exported files" >> beam.FlatMap(lambda uri: Objects().files(uri))
        return files, FileFeatures(settings)
    store = pipeline | "store" >> beam.Create([settings.store])
    return store | "studies" >> beam.ParDo(Studies(settings)), Features(settings)


class _OfStore(beam.DoFn):  # type: ignore[misc]
    """Reads a store."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings

    def setup(self) -> None:
        """Connect to the store."""
        settings = self._settings
        self._counting = Counting(NAME)
        self._web = DicomWeb(settings.store, _CONNECTIONS)
        self._caller = Caller(
            Throttle(settings.requests_per_second),
            settings.patience,
            lambda: self._counting.add("retries"),
        )

    def _search(self, resource: str, *parameters: tuple[str, str]) -> list[Row]:
        return self._caller.call(lambda: [*self._web.search(resource, parameters)])


class Studies(_OfStore):
    """Lists the studies of the store."""

    def process(self, _store: str) -> Iterator[str]:
        """Yield the UID of each study once."""
        yield from sorted({one[_STUDY]["Value"][0] for one in self._search("studies")})


class Features(_OfStore):
    """Computes the features of the instances of studies, by their paths."""

    def process(self, study: str) -> Iterator[Any]:
        """Yield a row for each instance; tagged, a study that could not be read."""
        try:
            rows = [*self._rows(study)]
        except StoreError as error:
            self._counting.add(_FAILED)
            entry = {"source": f"studies/{study}", "result": _FAILED, "reason": error.reason}
            yield beam.pvalue.TaggedOutput(_FAILED, (study, entry))
            return
        self._counting.add("instances", len(rows))
        yield from ((path_of(row), row) for row in rows)

    def finish_bundle(self) -> None:
        """Log the numbers."""
        self._counting.log()

    def _rows(self, study: str) -> Iterator[Row]:
        for instance in self._search(f"studies/{study}/instances", ("includefield", "all")):
            row = from_metadata(instance)
            yield {**row, **(self._pixels(row) if self._settings.with_pixels else {})}

    def _pixels(self, row: Row) -> Row:
        try:
            content = self._caller.call(lambda: self._web.retrieve(path_of(row), UNCOMPRESSED))
        except StoreError as error:
            if error.code != _NOT_ACCEPTABLE:
                raise
            self._counting.add("undecodable")  # the service can't transcode it
            return {}
        return from_pixels(content)


class TableFeatures(beam.DoFn):  # type: ignore[misc]
    """Computes the features of rows of an exported table."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._answer = settings.answer

    def setup(self) -> None:
        """Begin to count."""
        self._counting = Counting(NAME)

    def process(self, start: int) -> Iterator[tuple[str, Row]]:
        """Yield a row for each instance."""
        assert self._answer
        for one in tables.read(self._answer, start, exports.ROWS):
            self._counting.add("instances")
            row = from_metadata(exports.from_row(one))
            yield path_of(row), row

    def finish_bundle(self) -> None:
        """Log the numbers."""
        self._counting.log()


class FileFeatures(beam.DoFn):  # type: ignore[misc]
    """Computes the features of exported files."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._with_pixels = settings.with_pixels

    def setup(self) -> None:
        """Connect to Cloud Storage."""
        self._counting, self._objects = Counting(NAME), Objects()

    def process(self, file: File) -> Iterator[Any]:
        """Yield the row of a file; tagged, a file that could not be read."""
        try:
            content = self._objects.read(f"gs://{file.bucket}/{file.name}", file.generation)
            row = from_metadata(exports.from_file(content))
        except (ReadError, UnreadableError) as error:
            self._counting.add(_FAILED)
            entry = {"source": file.key, "result": _FAILED, "reason": str(error)}
            yield beam.pvalue.TaggedOutput(_FAILED, (file.key, entry))
            return
        self._counting.add("instances")
        yield path_of(row), {**row, **(self._pixels(content) if self._with_pixels else {})}

    def finish_bundle(self) -> None:
        """Log the numbers."""
        self._counting.log()

    def _pixels(self, content: bytes) -> Row:
        try:
            return from_pixels(content)
        except UndecodableError:
            self._counting.add("undecodable")
            return {}


def _load(uris: list[str], settings: Settings) -> int:
    if not settings.table or not uris:
        return 0
    return loading.load(sorted(uris), settings.table, settings.format, settings.job_id)


def _write_report(loaded: int, instances: int, failed: int, settings: Settings) -> None:
    report = {
        "instances": instances,
        "dead_letters": failed,
        "table": settings.table,
        "rows": loaded,
    }
    content = json.dumps(report, indent=2).encode()
    Objects().write(f"{settings.output}report.json", content, "application/json")
