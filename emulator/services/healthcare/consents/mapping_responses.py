"""Requests and answers of user data mappings: whose data there is, and of what kind.

Documented (the reference of `userDataMappings`): what can be changed. Inferred (conformance:
consent-mapping-exists, consent-mapping-archived): one mapping of a data id at a time, the texts of
refusals, and that an archived mapping stays as it is and frees its data id.
"""

from collections.abc import Mapping
from sqlite3 import Connection
from typing import Any

from emulator.core import timestamps
from emulator.core.errors import already_exists, failed_precondition
from emulator.core.rest import Call
from emulator.services.healthcare.consents import filters
from emulator.services.healthcare.consents.models import MAPPINGS, Json, mapping_of_data
from emulator.services.healthcare.consents.requests import (
    body_of,
    check_text,
    check_user,
    listed,
    mask_of,
    new_name,
)
from emulator.services.healthcare.consents.service import Consents
from emulator.services.healthcare.store_service import store_of
from emulator.services.healthcare.stores import schema

_MUTABLE = frozenset({"dataId", "userId", "resourceAttributes"})
_MESSAGE = "UserDataMapping"
_READ_ONLY = ("archived", "archiveTime")


def create(call: Call[Consents]) -> dict[str, Any]:
    """Register some data."""
    store = store_of(call)
    body = body_of(call, _MESSAGE, *_READ_ONLY)
    mapping = {**body, "name": new_name(MAPPINGS, store)}
    with call.service.records.change(store) as connection:
        _check(call.service, connection, store, mapping)
        _put(connection, store, mapping)
    return mapping


def get(call: Call[Consents]) -> dict[str, Any]:
    """One mapping."""
    store = store_of(call)
    with call.service.records.read() as connection:
        return MAPPINGS.body(connection, store, call.path["mapping"])


def list_mappings(call: Call[Consents]) -> dict[str, Any]:
    """Return the mappings of a store, those that are archived among them."""
    return listed(call, MAPPINGS, filters.mappings)


def patch(call: Call[Consents]) -> dict[str, Any]:
    """Change a mapping."""
    store = store_of(call)
    given = body_of(call, _MESSAGE, *_READ_ONLY)
    mask = mask_of(call, _MESSAGE, _MUTABLE)
    with call.service.records.change(store) as connection:
        before = MAPPINGS.body(connection, store, call.path["mapping"])
        if before.get("archived"):
            raise failed_precondition(f"user data mapping {before['name']} is archived")
        mapping = mask.apply(before, given)
        _check(call.service, connection, store, mapping)
        _put(connection, store, mapping)
    return mapping


def archive(call: Call[Consents]) -> dict[str, Any]:
    """Take a mapping out of all determinations; it can still be read."""
    store = store_of(call)
    schema.check(call.version, "ArchiveUserDataMappingRequest", call.body)
    with call.service.records.change(store) as connection:
        mapping = MAPPINGS.body(connection, store, call.path["mapping"])
        if not mapping.get("archived"):
            archived = {"archived": True, "archiveTime": timestamps.now()}
            _put(connection, store, {**mapping, **archived})
    return {}


def delete(call: Call[Consents]) -> dict[str, Any]:
    """Delete a mapping."""
    store = store_of(call)
    with call.service.records.change(store) as connection:
        MAPPINGS.delete(connection, store, call.path["mapping"])
    return {}


def _check(service: Consents, connection: Connection, store: str, mapping: Json) -> None:
    check_user(mapping, "User data mappings")
    check_text(mapping.get("dataId", ""), "user_data_mapping.data_id")
    attributes = mapping.get("resourceAttributes", [])
    service.definitions(connection, store).check_mapping(attributes)
    same = mapping_of_data(connection, store, mapping["dataId"])
    if same is not None and same["name"] != mapping["name"]:
        raise already_exists(f"user data mapping {same['name']} has the same data_id.")


def _put(connection: Connection, store: str, mapping: Mapping[str, Any]) -> None:
    MAPPINGS.put(
        connection,
        store,
        mapping,
        data_id=mapping["dataId"],
        user_id=mapping["userId"],
        is_archived=bool(mapping.get("archived")),
    )
