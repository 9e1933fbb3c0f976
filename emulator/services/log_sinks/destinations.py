"""The destinations of sinks, and whether a sink's identity may write there.

Documented (https://cloud.google.com/logging/docs/export/storage): the names of objects, one for
each hour of a log, and their lines. The service writes an object once an hour; here it is written
again with each new entry of its hour.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from emulator.core.errors import permission_denied
from emulator.services.bigquery import tables
from emulator.services.bigquery.service import BigQuery
from emulator.services.healthcare.clients.bigquery import BigQueryClient, Table
from emulator.services.healthcare.clients.gcs import GcsClient
from emulator.services.iam.conditions import Target
from emulator.services.log_sinks import bigquery_rows
from emulator.services.log_sinks.matching import Sink, matches
from emulator.services.logging.entries import Entries, Entry
from emulator.services.logging.entry_filter import log_id
from emulator.services.storage.models import Buckets

_BIGQUERY, _STORAGE = "bigquery.googleapis.com", "storage.googleapis.com"


@dataclass(frozen=True)
class Destinations:
    """Writes entries where sinks want them.

    Attributes:
        bigquery: tables, and their datasets' access
        bigquery_url: root of the BigQuery service
        buckets: their policies
        storage_url: root of the Cloud Storage service
        entries: all that are kept
    """

    bigquery: BigQuery
    bigquery_url: str
    buckets: Buckets
    storage_url: str
    entries: Entries

    def write(self, sink: Sink, routed: Sequence[Entry], since: int) -> None:
        """Write entries that a sink routes.

        Args:
            sink: the sink
            routed: new entries that match its filter
            since: the number of the last entry before the sink was created

        Raises:
            ApiError: 403 or 404 if the destination refuses, 503 if it is unavailable
        """
        service, _, name = sink["destination"].partition("/")
        if service == _BIGQUERY:
            _, project, _, dataset = name.split("/")
            self._write_rows(sink, routed, project, dataset)
        else:
            self._write_objects(sink, routed, name, since)

    def _write_rows(self, sink: Sink, routed: Sequence[Entry], project: str, dataset: str) -> None:
        target = Target(f"projects/{project}/datasets/{dataset}", _BIGQUERY, f"{_BIGQUERY}/Dataset")
        member, permission = sink["writerIdentity"], "bigquery.tables.updateData"
        policies = self.bigquery.iam.policies
        if not policies.allows(
            [f"projects/{project}"], member, permission, target
        ) and not self.bigquery.metadata.allows(target.name, member, permission, target):
            raise permission_denied(f"{member} lacks {permission} on the dataset {dataset}")
        partitioned = bool(sink.get("bigqueryOptions", {}).get("usePartitionedTables"))
        by_table: dict[str, list[Entry]] = {}
        for entry in routed:
            table = bigquery_rows.table_of(entry, partitioned=partitioned)
            by_table.setdefault(table, []).append(entry)
        for id_, entries in by_table.items():
            self._append(Table(project, dataset, id_), entries, partitioned=partitioned)

    def _append(self, table: Table, entries: Sequence[Entry], *, partitioned: bool) -> None:
        rows = [bigquery_rows.row_of(entry) for entry in entries]
        fields = bigquery_rows.fields_of(rows)
        with BigQueryClient(self.bigquery_url) as client:
            if client.rows(table) is None:
                partition = {"type": "DAY", "field": "timestamp"}
                body: dict[str, Any] = {
                    "tableReference": table.reference(),
                    "schema": {"fields": fields},
                    **({"timePartitioning": partition} if partitioned else {}),
                }
                tables.insert(self.bigquery, table.project, table.dataset, body)
            lines = [f"{json.dumps(row)}\n".encode() for row in rows]
            client.load(table, fields, "WRITE_APPEND", lines)

    def _write_objects(self, sink: Sink, routed: Sequence[Entry], bucket: str, since: int) -> None:
        member, permission = sink["writerIdentity"], "storage.objects.create"
        project = sink["resourceName"].split("/")[1]
        hours = {(entry["logName"], entry["timestamp"][:13]) for entry in routed}
        with GcsClient(self.storage_url) as client:
            client.check_bucket(bucket)
            for log_name, hour in sorted(hours):
                name = object_of(log_name, hour)
                if not self.buckets.allows(bucket, project, member, permission, name):
                    raise permission_denied(f"{member} lacks {permission} on the bucket {bucket}")
                lines = [
                    f"{json.dumps(entry)}\n"
                    for entry in self.entries.of_hour(log_name, hour, since)
                    if matches(sink, entry)
                ]
                client.write(bucket, name, "".join(lines).encode(), "application/json")


def object_of(log_name: str, hour: str) -> str:
    """Return the name of the object with a log's entries of an hour, such as `2026-11-29T16`."""
    day, _, hour_of_day = hour.partition("T")
    folder = f"{log_id(log_name)}/{day.replace('-', '/')}"
    return f"{folder}/{hour_of_day}:00:00_{hour_of_day}:59:59_S0.json"
