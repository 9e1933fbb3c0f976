"""Requests and answers of messages.

Observed (https://github.com/GoogleCloudPlatform/mllp, issue 9): a message that can't be ingested is
a 400 with the NACK in `IngestMessageErrorDetail`; its payload is not kept. Inferred (conformance:
hl7v2-create-refused, hl7v2-duplicate-refused, hl7v2-batch-get, hl7v2-order-by-text,
hl7v2-update-mask-text): the texts of refusals, and the codes of those of duplicates and of a batch.
"""

from dataclasses import replace
from sqlite3 import Row
from typing import Any

from emulator.core.discovery import api
from emulator.core.errors import (
    ApiError,
    already_exists,
    bad_field,
    invalid_argument,
    not_found,
)
from emulator.core.json_bytes import decode_bytes, encode_bytes
from emulator.core.resources.field_mask import FieldMask
from emulator.core.resources.labels import check_labels
from emulator.core.resources.paging import paginate
from emulator.core.rest import Call
from emulator.services.healthcare.hl7v2 import views
from emulator.services.healthcare.hl7v2.acknowledgement import acknowledge
from emulator.services.healthcare.hl7v2.message_filter import compile_filter
from emulator.services.healthcare.hl7v2.models import Order, StoreGoneError
from emulator.services.healthcare.hl7v2.parsing.syntax import Hl7Error
from emulator.services.healthcare.hl7v2.service import Hl7v2
from emulator.services.healthcare.hl7v2.store_settings import ParserSettings
from emulator.services.healthcare.store_service import store_of
from emulator.services.healthcare.stores import schema

_ORDERS = {
    "": Order(),
    "send_time": Order(by_send_time=True),
    "send_time asc": Order(by_send_time=True),
    "send_time desc": Order(by_send_time=True, descending=True),
}
MAX_BATCH = 100
"""Messages of one `batchGet`, as its reference says."""
_DUPLICATE = "duplicate message: a message with the same bytes is in the store"


def create(call: Call[Hl7v2]) -> dict[str, Any]:
    """Store a message."""
    schema.check(call.version, "CreateMessageRequest", call.body)
    store, data, labels = _new(call)
    try:
        row = _add(call.service, store, data, labels, None)
    except Hl7Error as error:
        raise invalid_argument(str(error)) from None
    except _DuplicateError:
        raise already_exists(_DUPLICATE) from None
    return views.FULL.represent(store["name"], row)


def ingest(call: Call[Hl7v2]) -> dict[str, Any]:
    """Store a message, and acknowledge it."""
    schema.check(call.version, "IngestMessageRequest", call.body)
    store, data, labels = _new(call)
    terminator = ParserSettings.of(store).terminator
    try:
        row = _add(call.service, store, data, labels, acknowledge(data, terminator))
    except (Hl7Error, _DuplicateError) as error:
        reason = str(error)
        nack = acknowledge(data, terminator, reason)
        raise _refusal(call.version, reason, nack) from None
    message = views.FULL.represent(store["name"], row)
    return {"hl7Ack": encode_bytes(row["ack"]), "message": message}


def get(call: Call[Hl7v2]) -> dict[str, Any]:
    """One message."""
    view = views.view_of(call.query, views.FULL)
    store = store_of(call)
    return view.represent(store, call.service.messages.get(store, call.path["message"]))


def batch_get(call: Call[Hl7v2]) -> dict[str, Any]:
    """Several messages, in the order of the request."""
    view = views.view_of(call.query, views.BASIC)
    store, ids = store_of(call), call.values("ids")
    if not ids or len(ids) > MAX_BATCH:
        raise invalid_argument(f"ids: between 1 and {MAX_BATCH} ids are required, not {len(ids)}")
    rows = [call.service.messages.get(store, each.rpartition("/")[2]) for each in ids]
    return {"messages": [view.represent(store, row) for row in rows]}


def list_messages(call: Call[Hl7v2]) -> dict[str, Any]:
    """Return the messages of a store, in the order of their creation or of MSH-7."""
    view = views.view_of(call.query, views.BASIC)
    store = store_of(call)
    wanted, order_by = call.query.get("filter", ""), call.query.get("orderBy", "")
    order = _ORDERS.get(" ".join(order_by.split()))
    if order is None:
        raise invalid_argument(f"invalid order_by {order_by!r}: send_time, or send_time desc")
    matches = compile_filter(wanted, call.service.time_zone(store))

    def fetch(after: Any, limit: int) -> list[tuple[Any, dict[str, Any]]]:
        rows = call.service.messages.page(store, view.columns, order, after, limit)
        return [(order.key(row), {"row": row}) for row in rows]

    answer = paginate(
        fetch,
        call.query,
        "hl7V2Messages",
        scope=f"{store}/messages?{wanted}&{order_by}",
        default=100,
        maximum=1000,
        matches=lambda item: matches(views.attributes_of(store, item["row"])),
    )
    if found := answer.get("hl7V2Messages"):
        answer["hl7V2Messages"] = [view.represent(store, item["row"]) for item in found]
    return answer


def patch(call: Call[Hl7v2]) -> dict[str, Any]:
    """Change the labels of a message."""
    schema.check(call.version, "Message", call.body)
    mask = FieldMask.parse(
        call.query.get("updateMask", ""), api("healthcare", call.version), "Message"
    )
    if not mask.paths:
        raise invalid_argument("update_mask is required")
    if wrong := mask.outside({"labels"}):
        raise invalid_argument(f"update_mask: {', '.join(wrong)} can't be changed, only labels")
    store = store_of(call)
    row = call.service.messages.get(store, call.path["message"])
    before = {"labels": views.attributes_of(store, row).get("labels", {})}
    labels = mask.apply(before, call.body).get("labels", {})
    check_labels(labels)
    changed = call.service.messages.update_labels(store, call.path["message"], labels)
    return views.FULL.represent(store, changed)


def delete(call: Call[Hl7v2]) -> dict[str, Any]:
    """Delete a message."""
    call.service.messages.delete(store_of(call), call.path["message"])
    return {}


class _DuplicateError(Exception):
    """A message that is there, in a store that refuses duplicates."""

    def __init__(self) -> None:
        super().__init__(_DUPLICATE)


def _new(call: Call[Hl7v2]) -> tuple[dict[str, Any], bytes, dict[str, str]]:
    """Return the store of a request, and the raw bytes and labels of its message."""
    store = call.service.context.stores.require(call.service.collection, call.path)
    message = call.body.get("message", {})
    try:
        data = decode_bytes(message.get("data", ""))
    except ValueError:
        field = "message.data"
        text = f"Invalid value at '{field}' (TYPE_BYTES), Base64 decoding failed"
        raise bad_field(field, text) from None
    if not data:
        raise invalid_argument("message.data is required")
    labels = message.get("labels", {})
    check_labels(labels)
    return store, data, labels


def _add(
    service: Hl7v2, store: dict[str, Any], data: bytes, labels: dict[str, str], ack: bytes | None
) -> Row:
    """Store a message, and notify the topics of the store if it is new."""
    message = replace(service.parse(store, data, labels), ack=ack)
    name = store["name"]
    rejects = bool(store.get("rejectDuplicateMessage"))
    if rejects and service.messages.find(name, message.id) is not None:
        raise _DuplicateError
    try:
        row, is_new = service.add(store, message)
    except StoreGoneError as error:
        raise not_found(str(error)) from None
    if rejects and not is_new:
        raise _DuplicateError
    return row


def _refusal(version: str, reason: str, nack: bytes) -> ApiError:
    type_ = f"type.googleapis.com/google.cloud.healthcare.{version}.hl7v2.IngestMessageErrorDetail"
    detail = {"@type": type_, "hl7Nack": encode_bytes(nack)}
    return ApiError(400, "INVALID_ARGUMENT", reason, [detail])
