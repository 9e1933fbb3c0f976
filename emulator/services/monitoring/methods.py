"""The methods of Cloud Monitoring, with their permissions and their names in audit logs.

Documented (https://cloud.google.com/monitoring/audit-logging): the names and types.
"""

from collections.abc import Iterator

from emulator.core.method_table import MethodTable, Row

_V3 = "google.monitoring.v3"
_PROJECT = "projects/{p}"


def _rows(collection: str, message: str) -> Iterator[Row]:
    parent, service = f"{_PROJECT}/{collection}", f"{_V3}.{message}Service"
    permissions, name = f"monitoring.{collection}", f"{parent}/{{i}}"
    plural = collection[0].upper() + collection[1:]
    yield Row("GET", parent, f"{permissions}.list", _PROJECT, f"{service}.List{plural}")
    yield Row("POST", parent, f"{permissions}.create", _PROJECT, f"{service}.Create{message}")
    yield Row("GET", name, f"{permissions}.get", _PROJECT, f"{service}.Get{message}", name)
    yield Row("PATCH", name, f"{permissions}.update", _PROJECT, f"{service}.Update{message}", name)
    yield Row("DELETE", name, f"{permissions}.delete", _PROJECT, f"{service}.Delete{message}", name)


TABLE = MethodTable(
    "monitoring.googleapis.com",
    (
        *_rows("alertPolicies", "AlertPolicy"),
        *_rows("notificationChannels", "NotificationChannel"),
    ),
    root="/v3/",
)
