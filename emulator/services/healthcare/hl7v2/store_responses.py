"""Answers of HL7v2 stores as a whole: metrics."""

from typing import Any

from emulator.core.rest import Call
from emulator.services.healthcare.hl7v2.service import Hl7v2
from emulator.services.healthcare.store_service import store_of


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
