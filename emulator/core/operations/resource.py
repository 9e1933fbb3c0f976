"""Operations as the API answers them (google.longrunning).

The metadata and the types of an operation come from its `OperationType`.
"""

import json
import sqlite3
from typing import Any

from emulator.core.operations.operation_type import OperationType


def resource(row: sqlite3.Row, logs_url: str, type_: OperationType) -> dict[str, Any]:
    """Return the operation of a row of `Records`."""
    metadata = type_.metadata(row["version"])
    if type_.has_progress:
        metadata = {**metadata, **_progress(row, logs_url)}
    operation: dict[str, Any] = {"name": row["name"], "metadata": metadata}
    if row["ended"] is None:
        return operation
    operation["done"] = True
    if row["error"] is not None:
        operation["error"] = json.loads(row["error"])
    else:
        response = {"@type": type_.response_type(row["version"])}
        operation["response"] = {**response, **json.loads(row["response"])}
    return operation


_COUNTERS = {
    "success": "success",
    "failure": "failure",
    "pending": "pending",
    "secondarySuccess": "secondary_success",
}
"""Member of ProgressCounter -> column."""


def _progress(row: sqlite3.Row, logs_url: str) -> dict[str, Any]:
    progress: dict[str, Any] = {"createTime": row["created"], "logsUrl": logs_url}
    if row["counted"]:
        progress["counter"] = {
            key: str(row[column]) for key, column in _COUNTERS.items() if row[column]
        }
    if row["cancel_requested"]:
        progress["cancelRequested"] = True
    if row["ended"] is not None:
        progress["endTime"] = row["ended"]
    return progress
