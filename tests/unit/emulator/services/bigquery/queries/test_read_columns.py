"""Which columns SQL reads."""

from typing import Any

import pytest

from emulator.services.bigquery.queries.read_columns import Name, read_columns

COLUMNS = {("p-1", "d", "t"): ["Name", "age", "notes", "lots"], ("p-1", "d", "u"): ["age", "city"]}
VIEWS = {("p-1", "d", "v"): "SELECT * FROM d.t", ("p-2", "e", "w"): "SELECT name FROM `p-1.d.v`"}


def find(name: Name) -> dict[str, Any] | None:
    if name in VIEWS:
        return {"tableReference": {"projectId": name[0]}, "view": {"query": VIEWS[name]}}
    if name in COLUMNS:
        return {"schema": {"fields": [{"name": column} for column in COLUMNS[name]]}}
    return None


@pytest.mark.parametrize(
    ("sql", "wanted"),
    [
        ("SELECT name FROM d.t WHERE AGE = 1", {"t": "age name"}),
        ("SELECT name FROM t", {"t": "name"}),
        ("SELECT * FROM `p-1.d.t`", {"t": "age lots name notes"}),
        ("SELECT * EXCEPT (lots) FROM d.t", {"t": "age name notes"}),
        ("SELECT COUNT(*) FROM d.t", {"t": ""}),
        ("WITH x AS (SELECT * FROM d.t) SELECT name FROM x", {"t": "name"}),
        ("SELECT t.name, city FROM d.t JOIN d.u USING (age)", {"t": "age name", "u": "age city"}),
        ("SELECT name FROM d.t WHERE age IN (SELECT age FROM d.u)", {"t": "age name", "u": "age"}),
        ("SELECT notes.text FROM d.t", {"t": "notes"}),
        ("SELECT one.text FROM d.t, UNNEST(lots) AS one", {"t": "lots"}),
        ("SELECT name FROM d.t WHERE age = @age", {"t": "age name"}),
        ("SELECT 1; SELECT city FROM d.u", {"u": "city"}),
        ("CREATE TABLE d.x AS SELECT name FROM d.t", {"t": "name"}),
        ("INSERT INTO d.u (city) SELECT name FROM d.t", {"t": "name", "u": ""}),
        ("DELETE FROM d.u WHERE age = 1", {"u": "age city"}),
        ("UPDATE d.u SET city = 'x' WHERE age = 1", {"u": "age city"}),
        ("SELECT name FROM d.v", {"t": "name"}),
        ("SELECT x.age FROM d.v AS x", {"t": "age"}),
        ("SELECT * FROM `p-2.e.w`", {"t": "name"}),
        ("SELECT name FROM d.missing", {}),
        ("SELECT 1", {}),
    ],
)
def test_the_columns_that_sql_reads(sql: str, wanted: dict[str, str]) -> None:
    found = read_columns(sql, find, "p-1", "d")
    assert {name[2]: " ".join(sorted(columns)) for name, columns in found.items()} == wanted
