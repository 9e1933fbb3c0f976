"""The logical size of a table."""

from typing import Any, cast

from emulator.core.errors import unavailable
from emulator.services.bigquery.backend import Backend
from emulator.services.bigquery.table_size import TableSizes, row_size

TABLE: dict[str, Any] = {
    "type": "TABLE",
    "tableReference": {"projectId": "p", "datasetId": "d", "tableId": "t"},
    "numRows": "2",
    "lastModifiedTime": "1",
    "schema": {"fields": [{"name": "a", "type": "INTEGER"}]},
}


class FakeBackend:
    """A backend that answers each query with a size."""

    def __init__(self, *sizes: str | Exception) -> None:
        self.sizes = list(sizes)
        self.asked: list[str] = []

    def query(self, project: str, statement: str) -> list[list[Any]]:
        assert project == "p"
        self.asked.append(statement)
        size = self.sizes.pop(0)
        if isinstance(size, Exception):
            raise size
        return [[size]]


def sizes_of(backend: FakeBackend) -> TableSizes:
    return TableSizes(cast("Backend", backend))


def test_each_type_has_its_size() -> None:
    fields: list[dict[str, Any]] = [
        {"name": "a", "type": "INTEGER"},
        {"name": "s", "type": "STRING"},
        {"name": "l", "type": "NUMERIC", "mode": "REPEATED"},
        {
            "name": "r",
            "type": "RECORD",
            "mode": "REPEATED",
            "fields": [
                {"name": "b", "type": "BOOLEAN"},
                {"name": "d", "type": "DATE", "mode": "REPEATED"},
            ],
        },
    ]
    assert row_size(fields) == (
        "IF(`a` IS NULL, 0, 8)"
        " + COALESCE(2 + BYTE_LENGTH(`s`), 0)"
        " + COALESCE((SELECT SUM(IF(item0 IS NULL, 0, 16)) FROM UNNEST(`l`) AS item0), 0)"
        " + COALESCE((SELECT SUM(IF(item0.`b` IS NULL, 0, 1)"
        " + COALESCE((SELECT SUM(IF(item1 IS NULL, 0, 8)) FROM UNNEST(item0.`d`) AS item1), 0))"
        " FROM UNNEST(`r`) AS item0), 0)"
    )


def test_a_size_is_worked_out_once_for_a_version() -> None:
    backend = FakeBackend("22", "33")
    sizes = sizes_of(backend)
    assert [sizes.of(TABLE), sizes.of(TABLE)] == ["22", "22"]
    assert sizes.of({**TABLE, "numRows": "3"}) == "33"
    assert backend.asked[0] == "SELECT SUM(IF(`a` IS NULL, 0, 8)) AS size0 FROM `p.d.t`"


def test_views_and_empty_tables_have_none() -> None:
    sizes = sizes_of(FakeBackend())
    assert sizes.of({**TABLE, "type": "VIEW"}) == "0"
    assert sizes.of({**TABLE, "numRows": "0"}) == "0"


def test_a_size_that_is_not_known_is_zero_and_asked_for_again() -> None:
    sizes = sizes_of(FakeBackend(unavailable("not ready"), "22"))
    assert sizes.of(TABLE) == "0"
    assert sizes.of({**TABLE, "lastModifiedTime": "2"}) == "22"
