"""The export of a type to BigQuery: rows from workers, and a run that was interrupted."""

import json
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures.process import BrokenProcessPool
from typing import Any

import pytest

from emulator.cloud import Cloud
from emulator.core.errors import ApiError
from emulator.core.operations.batch_progress import BatchProgress
from emulator.services.healthcare.fhir.analytics.layout import TableLayout
from emulator.services.healthcare.fhir.analytics.rows import RowFormat
from emulator.services.healthcare.fhir.operations import bigquery_export, selection
from tests.support.fhir_resources import patient

RESOURCES = 7


class BigQuery:
    """A BigQuery of one table, in place of the client."""

    lines: list[bytes]

    def __init__(self, _url: str) -> None:
        pass

    def __enter__(self) -> "BigQuery":
        return self

    def __exit__(self, *_error: object) -> None:
        pass

    def rows(self, _table: object) -> int | None:
        return len(self.lines) or None

    def load(
        self, _table: object, _fields: object, _write: str, parts: Iterable[bytes], _by: object
    ) -> None:
        self.lines += b"".join(parts).splitlines()


class Operation:
    """A run of an export. The counters are the last ones that it reported."""

    name = "projects/p/locations/l/datasets/d/operations/1"

    def __init__(self, store: str, disposition: str) -> None:
        given = {"store": store, "since": 0, "dataset": ["p", "d"], "disposition": disposition}
        self.request: dict[str, Any] = {**given, **TableLayout(RowFormat()).record()}
        self.counters: dict[str, int] = {}
        self.failed: dict[str, str] = {}

    def progress(self, **counters: int) -> None:
        self.counters = counters

    def check_cancelled(self) -> None:
        pass

    def log_failure(self, source: str, error: str, code: int = 3) -> None:
        assert code == 3
        self.failed[source.rpartition("/")[2]] = error


@pytest.fixture
def run(cloud: Cloud, fhir: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Operation]:
    """Fills a store, and exports its patients in batches of two."""
    BigQuery.lines = []
    monkeypatch.setattr(bigquery_export, "BigQueryClient", BigQuery)
    monkeypatch.setattr(selection, "PAGE", 2)
    for number in range(RESOURCES):
        extension = [{"url": "http://example.com/x", f"value{_TYPES[number % 2]}": _VALUE}]
        fhir.put(patient(f"p{number}", extension=extension if number > 4 else []))

    def run(disposition: str = "WRITE_EMPTY") -> Operation:
        operation = Operation(fhir.store, disposition)
        progress = BatchProgress(operation, RESOURCES)
        bigquery_export.export_type(cloud.healthcare.fhir, operation, progress, "Patient")
        progress.report()
        return operation

    return run


_TYPES, _VALUE = ("String", "Code"), "y"


def ids() -> list[str]:
    return sorted(json.loads(line)["id"] for line in BigQuery.lines)


def test_rows_of_workers_are_those_of_the_process_itself(
    cloud: Cloud, run: Callable[..., Operation], monkeypatch: pytest.MonkeyPatch
) -> None:
    run()
    alone = BigQuery.lines
    BigQuery.lines = []
    calls: list[int] = []

    def by_workers(work: Any, tasks: Iterable[Any], _discard: Any) -> Iterator[Any]:
        for number, task in enumerate(tasks):
            calls.append(number)
            yield task, BrokenProcessPool("crashed") if number == 1 else work(task)

    monkeypatch.setattr(bigquery_export, "MANY", 2)
    monkeypatch.setattr(cloud.healthcare.fhir.workers, "map", by_workers)
    assert run("WRITE_TRUNCATE").counters["success"] == RESOURCES
    assert (len(calls), BigQuery.lines) == (4, alone)


@pytest.mark.parametrize("disposition", ["WRITE_EMPTY", "WRITE_APPEND"])
def test_a_run_after_a_crash_does_not_load_again(
    run: Callable[..., Operation], disposition: str
) -> None:
    for _ in range(2):
        operation = run(disposition)
        assert operation.counters == {"success": RESOURCES, "failure": 0, "pending": 0}
        assert ids() == [f"p{number}" for number in range(RESOURCES)]


def test_a_table_with_rows_is_refused(run: Callable[..., Operation]) -> None:
    BigQuery.lines = [b"{}"]
    with pytest.raises(ApiError, match="already exists and has rows"):
        run()
