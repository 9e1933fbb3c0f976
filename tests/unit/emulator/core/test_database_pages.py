"""Pages of rows with JSON bodies, by key."""

from pathlib import Path

import pytest

from emulator.core.database import ALL, Database

TABLE = "CREATE TABLE items (name TEXT, email TEXT, parent TEXT, body TEXT);"
ROWS = [
    ("b", "3@x", "p", '{"n": 2}'),
    ("a", "4@x", "p", '{"n": 1}'),
    ("c", "1@x", "p", '{"n": 3}'),
    ("d", "2@x", "q", '{"n": 4}'),
]


@pytest.fixture
def database(tmp_path: Path) -> Database:
    database = Database(tmp_path / "state.sqlite3", [TABLE])
    with database.write() as connection:
        connection.executemany("INSERT INTO items VALUES (?, ?, ?, ?)", ROWS)
    return database


def test_a_page_begins_after_a_key_and_ends_at_its_limit(database: Database) -> None:
    assert database.page("items", "parent", "p", None, 2) == [("a", {"n": 1}), ("b", {"n": 2})]
    assert database.page("items", "parent", "p", "b", 2) == [("c", {"n": 3})]
    assert database.page("items", "parent", "p", "c", 2) == []
    assert [key for key, _ in database.page("items", "parent", "q", None, ALL)] == ["d"]


def test_another_column_may_order_the_rows(database: Database) -> None:
    found = database.page("items", "parent", "p", "1@x", ALL, key="email")
    assert found == [("3@x", {"n": 2}), ("4@x", {"n": 1})]
