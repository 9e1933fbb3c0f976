"""Log entries as rows of BigQuery.

Documented (https://cloud.google.com/logging/docs/export/bigquery and
https://cloud.google.com/logging/docs/export/using_exported_logs): names of tables and columns, and
their types. An audit log's payload is the column `protopayload_auditlog`. Fields of other payloads
with an `@type` keep their names under a column of that type's last two parts.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from emulator.services.logging.entries import Entry
from emulator.services.logging.entry_filter import log_id

Field = dict[str, Any]
_TIMES = ("timestamp", "receiveTimestamp")
_OTHER = re.compile(r"[^A-Za-z0-9_]")
_PAYLOADS = ("protoPayload", "jsonPayload")
_AUDIT_LOG = "type.googleapis.com/google.cloud.audit.AuditLog"
_TYPE = "@type"


def table_of(entry: Entry, *, partitioned: bool) -> str:
    """Return the id of an entry's table.

    Args:
        entry: the entry
        partitioned: whether one table holds all days; otherwise each day has one
    """
    table = _OTHER.sub("_", log_id(entry["logName"]))
    return table if partitioned else f"{table}_{entry['timestamp'][:10].replace('-', '')}"


def row_of(entry: Entry) -> dict[str, Any]:
    """Return the row of an entry, without what is empty."""
    row: dict[str, Any] = {}
    for key, value in entry.items():
        if key in _PAYLOADS:
            row[_payload_column(key, value)] = _cleaned(value, lower=_TYPE not in value)
        else:
            row[key] = _cleaned(value, lower=key == "labels")
    return {key: value for key, value in row.items() if value not in (None, {}, [])}


def fields_of(rows: Sequence[Mapping[str, Any]]) -> list[Field]:
    """Return the columns of rows as fields of a BigQuery schema."""
    merged: dict[str, Any] = {}
    for row in rows:
        _merge(merged, row)
    return [
        {"name": name, "type": "TIMESTAMP"} if name in _TIMES else _field(name, sample)
        for name, sample in merged.items()
    ]


def _payload_column(key: str, payload: Mapping[str, Any]) -> str:
    type_ = payload.get(_TYPE)
    if type_ is None:
        return key
    if type_ == _AUDIT_LOG:
        return "protopayload_auditlog"
    return f"{key}_{'_'.join(str(type_).split('.')[-2:])}".lower()


def _cleaned(value: Any, *, lower: bool) -> Any:
    """Return a value with names that columns may have; user-supplied ones in lower case."""
    if isinstance(value, Mapping):
        named = {
            _column(key, lower=lower): _cleaned(inner, lower=lower) for key, inner in value.items()
        }
        return {key: inner for key, inner in named.items() if inner not in (None, {}, [])}
    if isinstance(value, list):
        return [_cleaned(item, lower=lower) for item in value]
    return value


def _column(name: str, *, lower: bool) -> str:
    column = _OTHER.sub("_", name).lstrip("_")
    return column.lower() if lower else column


def _merge(merged: dict[str, Any], row: Mapping[str, Any]) -> None:
    """Add what a row has to a sample of all rows."""
    for key, value in row.items():
        items = value if isinstance(value, list) else [value]
        for item in items:
            if isinstance(item, Mapping):
                known = merged.get(key)
                inner = known[0] if isinstance(known, list) else known
                inner = inner if isinstance(inner, dict) else {}
                _merge(inner, item)
                merged[key] = [inner] if isinstance(value, list) else inner
            else:
                merged.setdefault(key, value if isinstance(value, list) else item)


def _field(name: str, sample: Any) -> Field:
    repeated = isinstance(sample, list)
    value = sample[0] if repeated else sample
    field: Field = {"name": name, "type": _type_of(value)}
    if repeated:
        field["mode"] = "REPEATED"
    if isinstance(value, Mapping):
        field["fields"] = [_field(key, inner) for key, inner in value.items()]
    return field


def _type_of(value: Any) -> str:
    if isinstance(value, Mapping):
        return "RECORD"
    if isinstance(value, bool):
        return "BOOLEAN"
    if isinstance(value, int | float):
        return "FLOAT"
    return "STRING"
