"""The transforms of an ingest.

    folders -> files --+
                       +-> files without an entry -> store -> outcomes -> report, dead letters
    ledger -> entries -+

Beam may run a part again after a crash, or twice at once. A file is stored once nevertheless: the
store refuses a second instance of its UID, and the refusal is looked at.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import apache_beam as beam

from pipelines.common import ledger
from pipelines.common.counting import Counting
from pipelines.common.objects import File, Objects
from pipelines.common.retry import Caller
from pipelines.common.shards import WriteShards
from pipelines.common.throttle import Throttle
from pipelines.ingest.ingestion import DEAD_LETTERS, Ingestion
from pipelines.ingest.report import Listed, newest, summary, todo
from pipelines.ingest.rules import Rules
from workloads.common.dicomweb import DicomWeb

NAME = "ingest"
_DEAD_LETTER_SHARDS = 16
_CONNECTIONS = 4

Entry = dict[str, Any]


@dataclass(frozen=True)
class Settings:
    """Settings of an ingest.

    Attributes:
        source: `gs://BUCKET/PREFIX`
        store: `projects/P/locations/L/datasets/D/dicomStores/S`
        output: the run's folder, with a slash at its end
        rules: of cleaning
        suffix: that names of files have; empty for all
        levels: of folders that are listed at once
        requests_per_second: of a worker process; 0 for no limit
        patience: seconds until a file is given up that the store does not take
        again: results of an earlier attempt that are tried again
    """

    source: str
    store: str
    output: str
    rules: Rules
    suffix: str = ""
    levels: int = 1
    requests_per_second: float = 0.0
    patience: float = 300.0
    again: frozenset[str] = frozenset({"failed"})


def build(pipeline: beam.Pipeline, settings: Settings) -> None:
    """Add the transforms of an ingest to a pipeline."""
    files = _files(pipeline, settings)
    entries = (
        pipeline
        | "output" >> beam.Create([settings.output])
        | "ledger" >> beam.FlatMap(_ledger_files)
        | "spread the ledger" >> beam.Reshuffle()
        | "entries" >> beam.FlatMap(_entries)
    )
    again = settings.again
    outcomes = (
        {"files": files, "entries": entries}
        | "files with entries" >> beam.CoGroupByKey()
        | "files to do" >> beam.FlatMapTuple(lambda key, found: todo(key, found, again))
        | "spread the files" >> beam.Reshuffle()
        | "store" >> beam.ParDo(Store(settings))
    )
    # The ledger of a folder may have entries of files that were deleted since: all count.
    final = (
        {"before": entries, "now": outcomes}
        | "attempts" >> beam.CoGroupByKey()
        | "newest" >> beam.MapTuple(lambda key, found: (key, newest(found)))
    )
    _ = (
        final
        | "dead" >> beam.Filter(lambda pair: pair[1]["result"] in DEAD_LETTERS)
        | "dead letters"
        >> WriteShards(f"{settings.output}dead-letters", ".ndjson", _DEAD_LETTER_SHARDS)
    )
    _ = (
        final
        | "results" >> beam.Map(lambda pair: pair[1]["result"])
        | "count" >> beam.combiners.Count.PerElement()
        | "all counts" >> beam.combiners.ToDict()
        | "report" >> beam.Map(_write_report, settings.output)
    )


def _files(pipeline: beam.Pipeline, settings: Settings) -> Any:
    """Return the sizes of files by key; folders are listed side by side.

    Files go from stage to stage as keys and sizes: Beam's coder takes these as they are, and would
    pickle objects of a class, which needs several times the bytes.
    """
    suffix = settings.suffix
    folders = pipeline | "source" >> beam.Create([settings.source])
    lists = []
    for level in range(settings.levels):
        listed = folders | f"level {level}" >> beam.ParDo(ListLevel()).with_outputs(
            "folders", main="files"
        )
        lists.append(
            listed.files | f"files {level}" >> beam.FlatMap(lambda file: _keyed([file], suffix))
        )
        folders = listed.folders | f"spread the folders {level}" >> beam.Reshuffle()
    lists.append(
        folders | "below" >> beam.FlatMap(lambda uri: _keyed(Objects().files(uri), suffix))
    )
    return lists | "all files" >> beam.Flatten()


def _keyed(files: Iterable[File], suffix: str) -> Iterator[Listed]:
    return ((file.key, file.size) for file in files if file.name.endswith(suffix))


class ListLevel(beam.DoFn):  # type: ignore[misc]
    """Lists one level of a folder: its files, and tagged, the folders in it."""

    def process(self, uri: str) -> Iterator[Any]:
        """Yield files and folders."""
        files, folders = Objects().level(uri)
        yield from files
        for folder in folders:
            yield beam.pvalue.TaggedOutput("folders", folder)


class Store(beam.DoFn):  # type: ignore[misc]
    """Stores files, and yields the entry of each by its key."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings

    def setup(self) -> None:
        """Connect to the store and to Cloud Storage."""
        settings, objects = self._settings, Objects()
        self._counting = Counting(NAME)
        caller = Caller(
            Throttle(settings.requests_per_second),
            settings.patience,
            lambda: self._counting.add("retries"),
        )
        self._ingestion = Ingestion(
            lambda file: objects.read(f"gs://{file.bucket}/{file.name}", file.generation),
            DicomWeb(settings.store, _CONNECTIONS),
            caller,
            settings.rules,
        )
        self._ledger = ledger.Ledger(objects, settings.output)

    def process(self, listed: Listed) -> Iterator[tuple[str, Entry]]:
        """Yield the entry of a file after it was stored."""
        file = File.of(*listed)
        outcome = self._ingestion.run(file)
        entry = outcome.to_json()
        self._ledger.add(entry)
        self._counting.add(outcome.result)
        if outcome.fixes:
            self._counting.add("fixed")
        yield file.key, entry

    def finish_bundle(self) -> None:
        """Write what the ledger has not."""
        self._ledger.flush()
        self._counting.log()


def _ledger_files(output: str) -> Iterator[str]:
    for file in Objects().files(output + ledger.FOLDER):
        yield f"gs://{file.bucket}/{file.name}"


def _entries(uri: str) -> Iterator[tuple[str, Entry]]:
    for entry in ledger.read(Objects(), uri):
        yield entry["source"], entry


def _write_report(counts: dict[str, int], output: str) -> None:
    content = json.dumps(summary(counts), indent=2).encode()
    Objects().write(f"{output}report.json", content, "application/json")
