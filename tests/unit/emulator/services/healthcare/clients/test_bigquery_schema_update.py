from typing import Any

from emulator.services.healthcare.clients.bigquery_schema_update import changes, merge_fields


def field(name: str, column_type: str = "STRING", mode: str = "NULLABLE") -> dict[str, Any]:
    return {"name": name, "type": column_type, "mode": mode}


def record(name: str, *fields: dict[str, Any], mode: str = "REPEATED") -> dict[str, Any]:
    return {**field(name, "RECORD", mode), "fields": list(fields)}


def test_further_fields_come_behind_those_that_are_there_at_every_depth() -> None:
    known = [record("items", field("b"), record("codes", field("x"))), field("z")]
    further = [field("a"), record("items", field("c"), record("codes", field("y"), field("x")))]
    assert merge_fields(known, further) == [
        record("items", field("b"), record("codes", field("x"), field("y")), field("c")),
        field("z"),
        field("a"),
    ]


def test_a_column_of_another_kind_stays_as_it_is() -> None:
    known = [field("age", "INTEGER"), field("items")]
    assert merge_fields(known, [field("age"), record("items", field("a"))]) == known


def test_only_what_differs_is_changed() -> None:
    known = [
        field("same"),
        record("items", field("a")),
        record("name", field("x"), mode="NULLABLE"),
    ]
    wider = merge_fields(
        known,
        [
            record("items", field("rows", "INTEGER", "REPEATED")),
            record("name", field("f", "FLOAT")),
            field("when", "DATE"),
        ],
    )
    assert list(changes(known, wider)) == [
        "ALTER COLUMN `items` SET DATA TYPE ARRAY<STRUCT<`a` STRING, `rows` ARRAY<INT64>>>",
        "ALTER COLUMN `name` SET DATA TYPE STRUCT<`x` STRING, `f` FLOAT64>",
        "ADD COLUMN IF NOT EXISTS `when` DATE",
    ]
    assert list(changes(wider, wider)) == []
