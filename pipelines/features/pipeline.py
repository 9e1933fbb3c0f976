"""The transforms of the features.

studies -> instances -> rows -> files -> load job -> report
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import apache_beam as beam

from pipelines.common.counting import Counting
from pipelines.common.objects import Objects
from pipelines.common.retry import Caller
from pipelines.common.shards import WriteShards
from pipelines.common.throttle import Throttle
from pipelines.features import encoding, loading
from pipelines.features.extraction import UNCOMPRESSED, from_metadata, from_pixels, path_of
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
        store: `projects/P/locations/L/datasets/D/dicomStores/S`
        output: the run's folder, with a slash at its end
        table: PROJECT.DATASET.TABLE; empty to load nothing
        job_id: of the load job
        format: `ndjson` or `parquet`
        shards: number of files
        with_pixels: whether pixels are read too
        requests_per_second: of a worker process; 0 for no limit
        patience: seconds until a study is given up that the store does not give
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


def build(pipeline: beam.Pipeline, settings: Settings) -> None:
    """Add the transforms to a pipeline."""
    found = (
        pipeline
        | "store" >> beam.Create([settings.store])
        | "studies" >> beam.ParDo(Studies(settings))
        | "spread the studies" >> beam.Reshuffle()
        | "features" >> beam.ParDo(Features(settings)).with_outputs(_FAILED, main="rows")
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
            beam.pvalue.AsSingleton(found.rows | "instances" >> count()),
            beam.pvalue.AsSingleton(found[_FAILED] | "failed studies" >> count()),
            settings,
        )
    )


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
