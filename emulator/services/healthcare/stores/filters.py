"""Fields that filters of stores and of operations may name."""

from emulator.core.list_filter.fields import Boolean, Label, Value
from emulator.core.list_filter.table import FieldTable

STORES = FieldTable(
    usage="only labels can be filtered, as in labels.key=value or labels.key:*",
    fields={"labels.*": Label()},
)
OPERATIONS = FieldTable(
    usage=(
        "fields are those of an operation (name, done, metadata, error, response),"
        ' as in done=true AND metadata.createTime>"2026-01-31T00:00:00Z"'
    ),
    fields={
        "name": Value(),
        "done": Boolean(),
        "metadata.**": Value(),
        "error.**": Value(),
        "response.**": Value(),
    },
)
