"""The permissions of queries and jobs, by the tables that they name."""

from typing import Any

import pytest

from emulator.access.bigquery_statements import requirements

READ, WRITE = "bigquery.tables.getData", "bigquery.tables.updateData"
CREATE, DELETE = "bigquery.tables.create", "bigquery.tables.delete"
LIST = "bigquery.tables.list"


def needed(body: dict[str, Any]) -> set[tuple[str, str]]:
    return {
        (each.permission, each.resource.removeprefix("projects/"))
        for each in requirements(body, "p")
    }


@pytest.mark.parametrize(
    ("sql", "wanted"),
    [
        ("SELECT 1", set()),
        ("SELECT * FROM d.t", {(READ, "p/datasets/d")}),
        ("SELECT * FROM [q:d.t]", {(READ, "q/datasets/d")}),
        (
            "SELECT * FROM `q.d.t` JOIN e.u USING (x)",
            {(READ, "q/datasets/d"), (READ, "p/datasets/e")},
        ),
        ("WITH t AS (SELECT * FROM d.a) SELECT * FROM t", {(READ, "p/datasets/d")}),
        (
            "SELECT (SELECT MAX(x) FROM e.u) FROM d.t",
            {(READ, "p/datasets/d"), (READ, "p/datasets/e")},
        ),
        (
            "INSERT INTO d.t SELECT * FROM e.u",
            {(WRITE, "p/datasets/d"), (READ, "p/datasets/e")},
        ),
        ("UPDATE d.t SET x = 1 WHERE TRUE", {(WRITE, "p/datasets/d")}),
        ("DELETE FROM d.t WHERE TRUE", {(WRITE, "p/datasets/d")}),
        (
            "CREATE TABLE d.t AS SELECT * FROM e.u",
            {(CREATE, "p/datasets/d"), (WRITE, "p/datasets/d"), (READ, "p/datasets/e")},
        ),
        ("DROP TABLE d.t", {(DELETE, "p/datasets/d")}),
        ("SELECT 1; DROP TABLE d.t", {(DELETE, "p/datasets/d")}),
        ("SELEC nonsense FROM", set()),
    ],
)
def test_statements(sql: str, wanted: set[tuple[str, str]]) -> None:
    assert needed({"query": sql}) == wanted
    assert needed({"configuration": {"query": {"query": sql}}}) == wanted


def test_a_default_dataset_counts() -> None:
    default = {"projectId": "q", "datasetId": "d"}
    assert needed({"query": "SELECT * FROM t", "defaultDataset": default}) == {
        (READ, "q/datasets/d")
    }


def test_jobs() -> None:
    table = {"projectId": "p", "datasetId": "d", "tableId": "t"}
    other = {"projectId": "p", "datasetId": "e", "tableId": "t"}
    written = {(WRITE, "p/datasets/d"), (CREATE, "p/datasets/d")}
    load = {"load": {"destinationTable": table}}
    copy = {"copy": {"sourceTable": other, "destinationTable": table}}
    extract = {"extract": {"sourceTable": other}}
    assert needed({"configuration": load}) == written
    assert needed({"configuration": copy}) == written | {(READ, "p/datasets/e")}
    assert needed({"configuration": extract}) == {(READ, "p/datasets/e")}
