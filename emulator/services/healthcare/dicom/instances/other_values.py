"""The values besides the index's columns that instances are found by."""

from sqlite3 import Connection

from emulator.core.conditions import Condition
from emulator.services.healthcare.dicom.parsing.match_values import Values

SCHEMA = """
CREATE TABLE dicom_other_values (
    instance INTEGER NOT NULL REFERENCES dicom_instances (id) ON DELETE CASCADE,
    store TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL
);
CREATE INDEX dicom_other_values_by_value ON dicom_other_values (store, key, value);
CREATE INDEX dicom_other_values_by_instance ON dicom_other_values (instance);
"""


def add(connection: Connection, instance: int, store: str, values: Values) -> None:
    """Add the values of an instance; most have none."""
    connection.executemany(
        "INSERT INTO dicom_other_values VALUES (?, ?, ?, ?)",
        [(instance, store, key, value) for key, some in values.items() for value in some],
    )


def condition(store: str, key: str, value: Condition) -> Condition:
    """Return the condition that another value of a key meets a condition of `value`."""
    return Condition(
        "id IN (SELECT instance FROM dicom_other_values"  # noqa: S608 - our own conditions
        f" WHERE store = ? AND key = ? AND {value.sql})",
        (store, key, *value.parameters),
    )


def any_condition(store: str, key: str, value: Condition) -> Condition:
    """Return the condition that some instance of a store meets `condition`."""
    return Condition(
        "EXISTS (SELECT 1 FROM dicom_other_values"  # noqa: S608 - our own conditions
        f" WHERE store = ? AND key = ? AND {value.sql})",
        (store, key, *value.parameters),
    )
