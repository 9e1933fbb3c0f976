"""The figures of queries and jobs."""

import json
from typing import Any, cast

import pytest

from emulator.services.bigquery.backend import INTERNAL, Backend
from emulator.services.bigquery.models import Metadata
from emulator.services.bigquery.queries.job_statistics import Bytes, JobStatistics
from emulator.services.bigquery.table_size import TableSizes

MEGABYTE = 1 << 20
SIZES = {"name": 3000, "age": 16 * MEGABYTE}


class FakeBackend:
    """A backend with one table."""

    def find(self, name: str) -> dict[str, Any] | None:
        if name != "projects/p/datasets/d/tables/t":
            return None
        return {"type": "TABLE", "schema": {"fields": [{"name": column} for column in SIZES]}}


class FakeSizes:
    """The sizes of the table's columns."""

    def of_columns(self, table: Any, columns: set[str]) -> int:
        return sum(SIZES[column] for column in columns) if table else 0


@pytest.fixture
def statistics() -> JobStatistics:
    return JobStatistics(
        cast("Backend", FakeBackend()), cast("Metadata", None), cast("TableSizes", FakeSizes())
    )


def job(name: str, sql: str = "SELECT 1", **status: Any) -> dict[str, Any]:
    return {
        "jobReference": {"projectId": "p", "jobId": name},
        "configuration": {"query": {"query": sql}},
        "status": status,
        "statistics": {"query": {"totalBytesProcessed": "0"}},
    }


@pytest.mark.parametrize(
    ("sql", "processed", "billed"),
    [
        ("SELECT name FROM d.t", 3000, 10),
        ("SELECT name, age FROM d.t", 16 * MEGABYTE + 3000, 17),
        ("SELECT COUNT(*) FROM d.t", 0, 0),
        ("SELECT name FROM [p:d.t]", 3000, 10),
        ("SELECT name FROM [d.t]", 3000, 10),
        ("not SQL at all (", 0, 0),
    ],
)
def test_the_size_of_a_query(
    statistics: JobStatistics, sql: str, processed: int, billed: int
) -> None:
    wanted = Bytes(processed, billed * MEGABYTE)
    assert statistics.estimate("p", {"query": sql}) == wanted
    assert statistics.estimate("p", {"configuration": {"query": {"query": sql}}}) == wanted


@pytest.mark.parametrize("body", [[], {"configuration": None}, {"configuration": {"load": {}}}])
def test_a_body_without_a_query_reads_nothing(statistics: JobStatistics, body: Any) -> None:
    assert statistics.estimate("p", body) == Bytes()


def test_rows_stay_as_they_are_behind_the_figure(statistics: JobStatistics) -> None:
    head = '{"jobReference":{"jobId":"j"},"totalBytesProcessed":"0","rows":'
    rows = '[{"f":[{"v":"\\"totalBytesProcessed\\":\\"0\\""}]}]}'
    answer = statistics.complete("p", f"{head}{rows}".encode(), Bytes(7, 8)).decode()
    assert answer == head.replace('"0"', '"7"') + rows


def test_a_job_keeps_its_figures(statistics: JobStatistics) -> None:
    started = statistics.complete("p", json.dumps(job("j")).encode(), Bytes(7, MEGABYTE))
    read = json.loads(statistics.complete("p", json.dumps(job("j")).encode(), None))
    assert json.loads(started) == read
    assert read["statistics"] == {
        "totalBytesProcessed": "7",
        "query": {"totalBytesProcessed": "7", "totalBytesBilled": str(MEGABYTE)},
    }
    other = json.loads(statistics.complete("p2", json.dumps(job("j")).encode(), None))
    assert other["statistics"]["totalBytesProcessed"] == "0"


def test_a_dry_run_bills_nothing_and_a_failure_has_no_figure(statistics: JobStatistics) -> None:
    dry = job("dry")
    dry["configuration"]["dryRun"] = True
    figures = json.loads(statistics.complete("p", json.dumps(dry).encode(), Bytes(7, MEGABYTE)))
    assert figures["statistics"]["query"] == {"totalBytesProcessed": "7", "totalBytesBilled": "0"}
    failed = job("f", errorResult={"reason": "invalidQuery"})
    answered = statistics.complete("p", json.dumps(failed).encode(), Bytes(7, MEGABYTE))
    assert json.loads(answered) == failed


@pytest.mark.parametrize(
    ("sql", "type_"),
    [
        ("SELECT 1 UNION ALL SELECT 2", "SELECT"),
        ("SELECT 'EXCEPT' FROM", None),
        ("CREATE TABLE d.t AS SELECT 1 EXCEPT DISTINCT SELECT 2", None),
    ],
)
def test_set_operations_are_selects(statistics: JobStatistics, sql: str, type_: str | None) -> None:
    read = json.loads(statistics.complete("p", json.dumps(job("j", sql)).encode(), None))
    assert read["statistics"]["query"].get("statementType") == type_


def test_a_list_leaves_out_the_emulators_own_queries(statistics: JobStatistics) -> None:
    jobs = [job("mine"), job("own", f"SELECT 2{INTERNAL}")]
    statistics.complete("p", json.dumps(jobs[0]).encode(), Bytes(7, 8))
    listed = json.loads(statistics.complete("p", json.dumps({"jobs": jobs}).encode(), None))["jobs"]
    assert [one["jobReference"]["jobId"] for one in listed] == ["mine"]
    assert listed[0]["statistics"]["totalBytesProcessed"] == "7"
