"""Export to Cloud Storage, or of the names to Pub/Sub; a run is safe to repeat.

Documented (the reference of `ExportMessagesRequest`): the range of `send_time`, the filter, and the
content of files and messages. Inferred (conformance: hl7v2-export-text, hl7v2-export-objects): the
texts of refusals, the names of the objects, and that a message without a send time is in no range.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from sqlite3 import Row
from typing import Any

from emulator.core import timestamps
from emulator.core.errors import RPC_CODES, ApiError, invalid_argument, permission_denied
from emulator.core.operations.batch_progress import BatchProgress
from emulator.core.operations.operation_type import OperationRun
from emulator.core.resource_name import ResourceName
from emulator.services.healthcare.clients.agent_writes import require_folder
from emulator.services.healthcare.clients.gcs import GcsClient
from emulator.services.healthcare.hl7v2 import notifications, views
from emulator.services.healthcare.hl7v2.message_filter import compile_filter
from emulator.services.healthcare.hl7v2.service import Hl7v2
from emulator.services.healthcare.operation_types import operation_type

METHOD = "hl7v2.Hl7V2Service.ExportMessages"
SHARD = 10_000
"""Messages of one object."""
PAGE = 500
_EPOCH = "1970-01-01T00:00:00Z"
_DESTINATIONS = ("gcsDestination", "pubsubDestination")


def begin(hl7v2: Hl7v2, store: str, body: dict[str, Any], version: str) -> dict[str, Any]:
    """Check a request as Google does before an operation, and start the operation.

    Raises:
        ApiError: 400 for an invalid destination, range or filter, 403 if the agent lacks a role
    """
    given = [key for key in _DESTINATIONS if key in body]
    if len(given) != 1:
        raise invalid_argument("exactly one of gcs_destination and pubsub_destination is required")
    start = _instant(body.get("startTime") or _EPOCH, "start_time")
    end = _instant(body.get("endTime") or timestamps.now(), "end_time")
    if start >= end:
        raise invalid_argument("end_time must come after start_time")
    compile_filter(body.get("filter", ""), "UTC")
    name = ResourceName.parse(store)
    check = _storage_request if given == ["gcsDestination"] else _topic_request
    request = {
        "store": store,
        "start": start.isoformat(),
        "end": end.isoformat(),
        "filter": body.get("filter", ""),
        **check(hl7v2, name.project, body[given[0]]),
    }
    return hl7v2.operations.start(str(name.parent), METHOD, request, version=version)


def _instant(text: str, field: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise invalid_argument(f"invalid {field} {text!r}: RFC 3339") from None
    return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).astimezone(UTC)


def _storage_request(hl7v2: Hl7v2, project: str, given: dict[str, Any]) -> dict[str, Any]:
    views.named(given.get("messageView", ""), views.FULL)
    url = hl7v2.settings.storage_url
    folder = require_folder(hl7v2.agent, url, project, given.get("uriPrefix", ""))
    return {**folder, "view": given.get("messageView", "")}


def _topic_request(hl7v2: Hl7v2, project: str, given: dict[str, Any]) -> dict[str, Any]:
    topic = given.get("pubsubTopic", "")
    hl7v2.context.stores.topics.get(topic)
    if not hl7v2.agent.may_publish(project, topic):
        raise permission_denied(
            f"{hl7v2.agent.email(project)} does not have pubsub.topics.publish on {topic}. "
            "Grant it roles/pubsub.publisher."
        )
    return {"topic": topic}


def register(hl7v2: Hl7v2) -> None:
    """Register the operation, which a restart resumes."""

    def run(operation: OperationRun) -> dict[str, Any]:
        _run(hl7v2, operation)
        return {}

    hl7v2.operations.register(operation_type(METHOD, run))


def _run(hl7v2: Hl7v2, operation: OperationRun) -> None:
    request = operation.request
    numbers = _numbers(hl7v2, request)
    progress = BatchProgress(operation, len(numbers))
    progress.report()
    write = _publish if "topic" in request else _upload
    shards = range(0, len(numbers), SHARD)
    with GcsClient(hl7v2.settings.storage_url) as storage:
        for index, first in enumerate(shards):
            some = numbers[first : first + SHARD]
            object_name = f"messages-{index:05}-of-{len(shards):05}.ndjson"
            error = write(hl7v2, request, storage, some, object_name)
            if error:
                progress.fail(object_name, error.message, RPC_CODES[error.status])
            else:
                progress.succeed(len(some))
            progress.check()


def _numbers(hl7v2: Hl7v2, request: dict[str, Any]) -> list[int]:
    """Return the numbers of the messages in the range that match the filter."""
    store = request["store"]
    matches = compile_filter(request["filter"], hl7v2.time_zone(store))
    start, end = (datetime.fromisoformat(request[key]) for key in ("start", "end"))
    rows = hl7v2.messages.select(
        "SELECT number, send_time, id, labels, attributes, created FROM hl7v2_messages"
        " WHERE store = ? AND send_time != '' ORDER BY number",
        (store,),
    )
    return [
        row["number"]
        for row in rows
        if start <= datetime.fromisoformat(row["send_time"]) < end
        and matches(views.attributes_of(store, row))
    ]


def _pages(hl7v2: Hl7v2, columns: str, numbers: Sequence[int]) -> Iterator[Row]:
    for first in range(0, len(numbers), PAGE):
        some = numbers[first : first + PAGE]
        marks = ",".join("?" * len(some))
        yield from hl7v2.messages.select(
            f"SELECT {columns} FROM hl7v2_messages WHERE number IN ({marks})"  # noqa: S608
            " ORDER BY number",
            some,
        )


_Write = Callable[[Hl7v2, dict[str, Any], GcsClient, Sequence[int], str], ApiError | None]


def _upload(
    hl7v2: Hl7v2,
    request: dict[str, Any],
    storage: GcsClient,
    numbers: Sequence[int],
    object_name: str,
) -> ApiError | None:
    view = views.named(request["view"], views.FULL)
    rows = _pages(hl7v2, view.columns, numbers)
    lines = [json.dumps(view.represent(request["store"], row)) + "\n" for row in rows]
    try:
        storage.write(
            request["bucket"],
            request["prefix"] + object_name,
            "".join(lines).encode(),
            "application/x-ndjson",
        )
    except ApiError as error:
        if error.code >= 500:
            raise
        return error
    return None


def _publish(
    hl7v2: Hl7v2,
    request: dict[str, Any],
    _storage: GcsClient,
    numbers: Sequence[int],
    _object_name: str,
) -> ApiError | None:
    store = request["store"]
    rows = _pages(hl7v2, "id", numbers)
    names = [notifications.about(f"{store}/messages/{row['id']}") for row in rows]
    with hl7v2.context.database.write() as connection:
        hl7v2.context.notifier.add(connection, store, request["topic"], names)
    hl7v2.context.notifier.wake()
    return None
