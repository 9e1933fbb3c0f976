"""Requests and answers of HL7v2 stores as a whole: import, export, rollback, metrics."""

from typing import Any

from emulator.core.rest import Call
from emulator.services.healthcare.hl7v2.operations import exporter, importer, rollback
from emulator.services.healthcare.hl7v2.responses import store_of
from emulator.services.healthcare.hl7v2.service import Hl7v2
from emulator.services.healthcare.stores import schema


def import_messages(call: Call[Hl7v2]) -> dict[str, Any]:
    """Start an import."""
    schema.check(call.version, "ImportMessagesRequest", call.body)
    return importer.begin(call.service, store_of(call), call.body, call.version)


def export_messages(call: Call[Hl7v2]) -> dict[str, Any]:
    """Start an export."""
    schema.check(call.version, "ExportMessagesRequest", call.body)
    return exporter.begin(call.service, store_of(call), call.body, call.version)


def roll_back(call: Call[Hl7v2]) -> dict[str, Any]:
    """Start a rollback."""
    schema.check(call.version, "RollbackHl7V2MessagesRequest", call.body)
    return rollback.begin(call.service, store_of(call), call.body, call.version)


def metrics(call: Call[Hl7v2]) -> dict[str, Any]:
    """Count the messages of a store, and their bytes, by type."""
    store = store_of(call)
    rows = call.service.messages.select(
        "SELECT message_type, COUNT(*) AS count, SUM(LENGTH(data) + LENGTH(CAST(parsed AS BLOB))"
        " + LENGTH(CAST(schematized AS BLOB))) AS bytes FROM hl7v2_messages WHERE store = ?"
        " GROUP BY message_type ORDER BY message_type",
        (store,),
    )
    counts = [
        {
            "messageType": row["message_type"],
            "count": str(row["count"]),
            "structuredStorageSizeBytes": str(row["bytes"]),
        }
        for row in rows
    ]
    found = [{key: value for key, value in one.items() if value} for one in counts]
    return {"name": store, **({"metrics": found} if found else {})}
