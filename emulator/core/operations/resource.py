"""Operations as the API answers them.

The shapes are those of google.longrunning and of the Healthcare API's OperationMetadata:
https://cloud.google.com/healthcare-api/docs/how-tos/long-running-operations
"""

import json
import sqlite3
from typing import Any


def resource(row: sqlite3.Row, logs_url: str) -> dict[str, Any]:
    """The operation of a row of `Records`."""
    package = f"google.cloud.healthcare.{row['version']}"
    metadata: dict[str, Any] = {
        "@type": f"type.googleapis.com/{package}.OperationMetadata",
        "apiMethodName": f"{package}.{row['method']}",
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
        answer = f"type.googleapis.com/{package}.{_answer(row['method'])}"
        operation["response"] = {"@type": answer, **json.loads(row["response"])}
    return operation


def _answer(method: str) -> str:
    """The message that answers a method: `dicom.X.Import` is answered by `dicom.ImportResponse`.

    What creates something is answered by what it created.
    """
    package, _, name = method.split(".")
    created = name.removeprefix("Create")
    return f"{package}.{created}" if created != name else f"{package}.{name}Response"
