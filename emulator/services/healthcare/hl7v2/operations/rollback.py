"""Rollback of a store to an earlier time: the inverse of each change since then, the last first.

The request is documented in the reference of `RollbackHl7V2MessagesRequest`. Inferred (conformance:
hl7v2-rollback-text, hl7v2-rollback-result, hl7v2-rollback-dry-run): the texts of refusals, the form
of the result, and that nothing changes without `force`.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from sqlite3 import Connection, Row
from typing import Any

from emulator.core.errors import invalid_argument
from emulator.core.operations.batch_progress import BatchProgress
from emulator.core.operations.operation_type import OperationRun
from emulator.core.resource_name import ResourceName
from emulator.core.timestamps import to_rfc3339
from emulator.services.healthcare.clients import agent_reads
from emulator.services.healthcare.clients.agent_writes import ADMIN
from emulator.services.healthcare.clients.gcs import GcsClient
from emulator.services.healthcare.hl7v2 import history
from emulator.services.healthcare.hl7v2.history import CREATE, DELETE, MESSAGE_COLUMNS, UPDATE
from emulator.services.healthcare.hl7v2.service import Hl7v2
from emulator.services.healthcare.operation_types import operation_type

METHOD = "hl7v2.Hl7V2Service.RollbackHl7V2Messages"
BATCH = 200
"""Messages of a transaction."""
_BUCKET = re.compile(r"(?:gs://)?([a-z0-9][a-z0-9._-]{1,220}[a-z0-9])/?")
_CHANGES = {
    "": (CREATE, UPDATE, DELETE),
    "CHANGE_TYPE_UNSPECIFIED": (CREATE, UPDATE, DELETE),
    "ALL": (CREATE, UPDATE, DELETE),
    "CREATE": (CREATE,),
    "UPDATE": (UPDATE,),
    "DELETE": (DELETE,),
}


def begin(hl7v2: Hl7v2, store: str, body: dict[str, Any], version: str) -> dict[str, Any]:
    """Check a request, and start the operation.

    Raises:
        ApiError: 400 for a time or a bucket that is not valid, 403 if the agent lacks a role
    """
    try:
        moment = datetime.fromisoformat(body.get("rollbackTime", ""))
    except ValueError:
        raise invalid_argument("rollback_time is required, in RFC 3339") from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    bucket = _BUCKET.fullmatch(body.get("resultGcsBucket", ""))
    if bucket is None:
        raise invalid_argument("result_gcs_bucket is required: gs://BUCKET")
    name = ResourceName.parse(store)
    hl7v2.agent.require_on_bucket(name.project, bucket[1], "storage.objects.create", ADMIN)
    with GcsClient(hl7v2.settings.storage_url) as storage:
        storage.check_bucket(bucket[1])
    request = {
        "store": store,
        "time": to_rfc3339(moment.astimezone(UTC)),
        "bucket": bucket[1],
        "changes": _CHANGES[body.get("changeType", "")],
        "excludeRollbacks": bool(body.get("excludeRollbacks")),
        "operations": body.get("filteringFields", {}).get("operationIds", []),
        "ids": _input_ids(hl7v2, name.project, body.get("inputGcsObject", "")),
        "force": bool(body.get("force")),
    }
    return hl7v2.operations.start(str(name.parent), METHOD, request, version=version)


def _input_ids(hl7v2: Hl7v2, project: str, uri: str) -> list[str] | None:
    """Return the ids of the lines of a file, each an id or a resource name; None without a file."""
    if not uri:
        return None
    content = agent_reads.read_object(
        hl7v2.agent, hl7v2.settings.storage_url, project, uri, "input_gcs_object"
    )
    lines = content.decode("utf-8", "replace").split()
    return [line.rpartition("/")[2].strip("{}") for line in lines]


def register(hl7v2: Hl7v2) -> None:
    """Register the operation, which a restart resumes."""

    def run(operation: OperationRun) -> dict[str, Any]:
        _Rollback(hl7v2, operation).run()
        return {"hl7v2Store": operation.request["store"]}

    hl7v2.operations.register(operation_type(METHOD, run))


class _Rollback:
    """One run of a rollback. Its own changes are not among those that it reverts."""

    def __init__(self, hl7v2: Hl7v2, operation: OperationRun) -> None:
        self._hl7v2, self._operation = hl7v2, operation
        self._request = operation.request
        self._store: str = operation.request["store"]

    def run(self) -> None:
        """Revert all chosen changes, and write the result into the bucket."""
        changed = self._changed()
        ids = sorted({*changed, *self._created()})
        progress = BatchProgress(self._operation, len(ids))
        result: list[str] = []
        for first in range(0, len(ids), BATCH):
            some = ids[first : first + BATCH]
            with self._hl7v2.context.database.write() as connection:
                for message_id in some:
                    for change in self._revert(connection, message_id, changed[message_id]):
                        name = f"{self._store}/messages/{message_id}"
                        result.append(json.dumps({"resource": name, "revertedChange": change}))
            progress.succeed(len(some))
            progress.check()
        number = self._operation.name.rpartition("/")[2]
        with GcsClient(self._hl7v2.settings.storage_url) as storage:
            storage.write(
                self._request["bucket"],
                f"rollback-{number}.ndjson",
                "".join(f"{line}\n" for line in result).encode(),
                "application/x-ndjson",
            )

    def _changed(self) -> Mapping[str, Sequence[Row]]:
        """Return the chosen rows of history by the ids of messages, the last change first."""
        rows = self._hl7v2.messages.select(
            "SELECT * FROM hl7v2_history WHERE store = ? AND changed > ? AND changed_by != ?"
            " ORDER BY number DESC",
            (self._store, self._request["time"], self._operation.name),
        )
        rollbacks = self._rollbacks() if self._request["excludeRollbacks"] else frozenset()
        found: dict[str, list[Row]] = defaultdict(list)
        for row in rows:
            if row["change"] not in self._request["changes"] or row["changed_by"] in rollbacks:
                continue
            if self._is_chosen(row["id"], row["changed_by"]):
                found[row["id"]].append(row)
        return found

    def _created(self) -> Iterator[str]:
        rows = self._hl7v2.messages.select(
            "SELECT * FROM hl7v2_messages WHERE store = ? AND created > ?",
            (self._store, self._request["time"]),
        )
        return (row["id"] for row in rows if self._is_created(row))

    def _is_created(self, message: Row) -> bool:
        """Whether the creation of a message is one of the chosen changes."""
        return (
            CREATE in self._request["changes"]
            and message["created"] > self._request["time"]
            and self._is_chosen(message["id"], message["operation"])
        )

    def _is_chosen(self, message_id: str, operation: str) -> bool:
        ids, operations = self._request["ids"], self._request["operations"]
        if ids is not None and message_id not in ids:
            return False
        return not operations or operation.rpartition("/")[2] in operations

    def _rollbacks(self) -> frozenset[str]:
        rows = self._hl7v2.messages.select(
            "SELECT name FROM operations WHERE method = ?", (METHOD,)
        )
        return frozenset(row["name"] for row in rows)

    def _revert(
        self, connection: Connection, message_id: str, changes: Sequence[Row]
    ) -> Iterator[str]:
        """Revert the changes of a message; yield the type of each."""
        for row in changes:
            if self._request["force"]:
                self._revert_one(connection, row)
            yield row["change"]
        message = _message(connection, self._store, message_id)
        if message is not None and self._is_created(message):
            if self._request["force"]:
                history.delete_message(connection, message, self._operation.name)
            yield CREATE

    def _revert_one(self, connection: Connection, row: Row) -> None:
        message = _message(connection, self._store, row["id"])
        if row["change"] == DELETE and message is None:
            connection.execute(
                f"INSERT INTO hl7v2_messages ({MESSAGE_COLUMNS})"  # noqa: S608 - our own columns
                f" SELECT {MESSAGE_COLUMNS} FROM hl7v2_history WHERE number = ?",
                (row["number"],),
            )
            restored = _message(connection, self._store, row["id"])
            assert restored is not None
            history.add(connection, restored, CREATE, self._operation.name)
        elif row["change"] == UPDATE and message is not None:
            history.add(connection, message, UPDATE, self._operation.name)
            connection.execute(
                "UPDATE hl7v2_messages SET labels = ? WHERE number = ?",
                (row["labels"], message["number"]),
            )
        elif row["change"] == CREATE and message is not None:
            history.delete_message(connection, message, self._operation.name)


def _message(connection: Connection, store: str, message_id: str) -> Row | None:
    row: Row | None = connection.execute(
        "SELECT * FROM hl7v2_messages WHERE store = ? AND id = ?", (store, message_id)
    ).fetchone()
    return row
