"""Operations as the API answers them (google.longrunning).

The metadata and the types of an operation come from its `OperationType`.
"""

import json
import sqlite3
from typing import Any

from emulator.core.operations.operation_type import OperationType


def resource(row: sqlite3.Row, logs_url: str, type_: OperationType) -> dict[str, Any]:
    """Return the operation of a row of `Records`."""
    metadata: dict[str, Any] = {
        **type_.metadata(row["version"]),
        "createTime": row["created"],
        "logsUrl": logs_url,
    }
    if row["counted"]:
        metadata["counter"] = {
            key: str(row[key]) for key in ("success", "failure", "pending") if row[key]
        }
    if row["cancel_requested"]:
        metadata["cancelRequested"] = True
    operation: dict[str, Any] = {"name": row["name"], "metadata": metadata}
    if row["ended"] is None:
        return operation
    metadata["endTime"] = row["ended"]
    operation["done"] = True
    if row["error"] is not None:
        operation["error"] = json.loads(row["error"])
    else:
        response = {"@type": type_.response_type(row["version"])}
        operation["response"] = {**response, **json.loads(row["response"])}
    return operation
