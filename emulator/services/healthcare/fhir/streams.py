"""BigQuery streams of FHIR stores: a row for each version of a resource, also for its deletion.

Documented (`StreamConfig` of the API's reference, and
https://cloud.google.com/healthcare-api/docs/tutorials/fhir-bigquery-streaming-tutorial): a table
for each resource type with all versions, `meta.tag.code` with the operation, and a view,
`PatientView`, of the current versions; rows are appended to tables that exist; imports stream
nothing. Inferred (conformance: fhir-stream-rows): the tag is the last one and has a code alone; the
row of a deletion has an id and `meta`; the view leaves deleted resources out; a write disposition
has no effect. Inferred (conformance: fhir-stream-text): the texts of refusals.
"""

import json
import re
from collections.abc import Mapping, Sequence
from sqlite3 import Connection
from typing import Any

from emulator.core.errors import RPC_CODES, bad_field, failed_precondition, invalid_argument
from emulator.services.healthcare.clients.bigquery import Table
from emulator.services.healthcare.clients.bigquery_outbox import BigQueryOutbox, TablePlan
from emulator.services.healthcare.failure_log import FailureLog
from emulator.services.healthcare.fhir import instants, json_text
from emulator.services.healthcare.fhir.analytics.extensions import RowError
from emulator.services.healthcare.fhir.analytics.layout import TableLayout, parse_layout
from emulator.services.healthcare.fhir.definitions import resource_types
from emulator.services.healthcare.fhir.resources.changes import Change
from emulator.services.healthcare.fhir.store_settings import StoreSettings

MAX_STREAMS = 10
CREATE, UPDATE, DELETE = "CREATE", "UPDATE", "DELETE"
"""The operations that `meta.tag` names; a patch is an update."""
_DATASET = re.compile(r"bq://[^.]+\.[^.]+")
_VIEW = (
    "SELECT * FROM (SELECT * FROM `{table}` WHERE TRUE"
    " QUALIFY ROW_NUMBER() OVER (PARTITION BY id ORDER BY meta.lastUpdated DESC) = 1)"
    " WHERE NOT EXISTS (SELECT 1 FROM UNNEST(meta.tag) AS tag WHERE tag.code = 'DELETE')"
)


class Streams:
    """Adds rows about changes to the outbox. A `ChangeListener`.

    Args:
        outbox: sends the rows
        failures: logs resources without a row
    """

    def __init__(self, outbox: BigQueryOutbox, failures: FailureLog) -> None:
        self._outbox = outbox
        self._failures = failures

    def add(
        self, connection: Connection, settings: StoreSettings, changes: Sequence[Change]
    ) -> bool:
        """Add the rows of changes to the outbox, as `ChangeListener.add` describes."""
        streams = [one for one in settings.streams if one.get("bigqueryDestination")]
        for stream in streams if changes else ():
            destination = stream["bigqueryDestination"]
            layout = parse_layout(destination, is_stream=True)
            for change in changes:
                if is_streamed(stream, change):
                    uri = f"{destination['datasetUri']}.{change.version.type}"
                    self._add(connection, settings.name, uri, layout, change)
        return bool(streams and changes)

    def _add(
        self, connection: Connection, store: str, uri: str, layout: TableLayout, change: Change
    ) -> None:
        try:
            row = json_text.dump(layout.row(_tagged(change))).decode()
        except RowError as error:
            name, code = change.version.name, RPC_CODES["INVALID_ARGUMENT"]
            self._failures.add_stream(connection, store, uri, code, f"{name} has no row: {error}")
            return
        self._outbox.add(connection, store, uri, row, layout=json.dumps(layout.record()))

    def wake(self) -> None:
        """Send the rows that were added: the transaction is committed."""
        self._outbox.wake()


def is_streamed(stream: Mapping[str, Any], change: Change) -> bool:
    """Whether a stream is for the type of a changed resource; one without types is for all."""
    types = stream.get("resourceTypes", [])
    return not types or change.version.type in types


def _tagged(change: Change) -> Mapping[str, Any]:
    """Return the resource of a change, with its operation as the last tag."""
    version = change.version
    if version.is_deletion:
        resource: Mapping[str, Any] = {"resourceType": version.type, "id": version.id}
        operation = DELETE
    else:
        resource = version.resource()
        operation = CREATE if change.previous is None else UPDATE
    meta = {
        **resource.get("meta", {}),
        "versionId": version.version_id,
        "lastUpdated": instants.last_updated(version.version),
    }
    tags = [*meta.get("tag", []), {"code": operation}]
    return {**resource, "meta": {**meta, "tag": tags}}


def plan_table(table: Table, layout: str, rows: Sequence[str]) -> TablePlan:
    """Return the table of a resource type that rows need, and its view.

    Raises:
        ApiError: 400, a row does not fit the columns of its type
    """
    wanted = TableLayout.of(json.loads(layout))
    columns = wanted.columns(table.table)
    try:
        for row in rows:
            columns.widen(json_text.parse(row))
    except RowError as error:
        raise failed_precondition(str(error)) from error
    return TablePlan(
        columns.schema(), wanted.partitioning, f"{table.table}View", _VIEW.format(table=table)
    )


def check_store(store: Mapping[str, Any]) -> None:
    """Refuse a FHIR store whose streams are not valid.

    Raises:
        ApiError: 400; 501 for what is not served
    """
    streams = store.get("streamConfigs", [])
    if len(streams) > MAX_STREAMS:
        raise invalid_argument(f"stream_configs: {len(streams)} are more than {MAX_STREAMS}")
    for number, stream in enumerate(streams):
        field = f"stream_configs[{number}]"
        for type_ in stream.get("resourceTypes", []):
            if type_ not in resource_types() and store.get("version") == "R4":
                where = f"{field}.resource_types"
                raise bad_field(where, f"invalid {where}: {type_!r} is not a resource type")
        destination = stream.get("bigqueryDestination")
        if destination:
            parse_layout(destination, is_stream=True)
            uri = destination.get("datasetUri", "")
            if not _DATASET.fullmatch(uri):
                where = f"{field}.bigquery_destination.dataset_uri"
                raise bad_field(where, f"invalid {where} {uri!r}: bq://project.dataset")
