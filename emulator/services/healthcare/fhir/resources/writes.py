"""Creates, updates, patches and deletes of resources, in the transaction of their `Changes`.

Documented (the reference of the API's methods): the conditions, and who chooses ids. Inferred
(conformance: fhir-update-create, fhir-delete, fhir-patch-text, fhir-update-deleted): the statuses
and texts that the reference leaves out; each update makes a version, also one that changes nothing.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jsonpatch
import jsonpointer

from emulator.services.healthcare.fhir.outcome import error
from emulator.services.healthcare.fhir.refusals import (
    OutcomeError,
    deleted,
    invalid,
    mismatch,
    missing,
)
from emulator.services.healthcare.fhir.resources import admission, conditions, parsing
from emulator.services.healthcare.fhir.resources.changes import PATCH, POST, PUT, Changes
from emulator.services.healthcare.fhir.resources.version import Version

Query = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Written:
    """The result of a write.

    Attributes:
        status: the HTTP status
        version: the current version; None after a delete
    """

    status: int
    version: Version | None


_REASONS = {
    jsonpatch.JsonPatchConflict: "names a path that does not exist",
    jsonpatch.JsonPatchTestFailed: "tests a value that is another one",
    jsonpointer.JsonPointerException: "names a path that does not exist",
}
"""Exception of the library -> what is wrong."""


def create(
    changes: Changes,
    type_: str,
    resource: dict[str, Any],
    if_none_exist: str = "",
    id_: str = "",
) -> Written:
    """Create a resource, unless the condition matches one.

    Args:
        changes: of the transaction
        type_: of the resource
        resource: its id is replaced
        if_none_exist: the condition of the header If-None-Exist
        id_: of the resource, for callers that have chosen one
    """
    if if_none_exist:
        query = conditions.parse_query(if_none_exist)
        store = changes.settings.name
        found = conditions.find_by_identifier(changes.connection, store, type_, query)
        if found is not None:
            return Written(200, found)
    new = {**resource, "id": id_ or str(uuid.uuid4())}
    admission.check(changes, new, type_)
    return Written(201, changes.put(new, POST))


def update(
    changes: Changes,
    type_: str,
    id_: str,
    resource: dict[str, Any],
    *,
    if_match: str = "",
    if_none_match: str = "",
) -> Written:
    """Replace a resource, or create it where the store lets clients choose ids."""
    admission.check(changes, resource, type_)
    if resource.get("id") != id_:
        raise mismatch(
            f"resource id mismatch, id of specified resource: {id_},"
            f" id from payload: {resource.get('id', '')}"
        )
    current = changes.find(type_, id_)
    conditions.check_if_match(current, if_match)
    conditions.check_if_none_match(current, if_none_match)
    if current is None and not changes.settings.can_choose_ids:
        raise _no_update_create(f"{type_}/{id_}")
    return Written(201 if current is None else 200, changes.put(resource, PUT))


def conditional_update(
    changes: Changes, type_: str, query: Query, resource: dict[str, Any], *, if_match: str = ""
) -> Written:
    """Replace the resource that a condition matches, or create one."""
    store = changes.settings.name
    found = conditions.find_by_identifier(changes.connection, store, type_, query)
    if found is not None:
        given = {"id": found.id, **resource}
        return update(changes, type_, found.id, given, if_match=if_match)
    conditions.check_if_match(None, if_match)
    if resource.get("id"):
        return update(changes, type_, str(resource["id"]), resource)
    return create(changes, type_, resource)


def patch(
    changes: Changes, type_: str, id_: str, operations: Any, *, if_match: str = ""
) -> Written:
    """Change a resource by a JSON Patch."""
    current = require(changes, type_, id_)
    conditions.check_if_match(current, if_match)
    patched = parsing.without_nulls(_apply(operations, current.resource()))
    if not isinstance(patched, dict) or patched.get("resourceType") != type_:
        raise mismatch("a patch can't change the resourceType of a resource")
    if patched.get("id") != id_:
        raise mismatch("a patch can't change the id of a resource")
    admission.check(changes, patched, type_)
    return Written(200, changes.put(patched, PATCH))


def conditional_patch(
    changes: Changes, type_: str, query: Query, operations: Any, *, if_match: str = ""
) -> Written:
    """Change the resource that a condition matches; raises 404 if there is none."""
    store = changes.settings.name
    found = conditions.find_by_identifier(changes.connection, store, type_, query)
    if found is None:
        raise _no_match(type_)
    return patch(changes, type_, found.id, operations, if_match=if_match)


def delete(changes: Changes, type_: str, id_: str, *, if_match: str = "") -> Written:
    """Delete a resource; one that does not exist is a success too."""
    conditions.check_if_match(changes.find(type_, id_), if_match)
    changes.delete(type_, id_)
    return Written(200, None)


def conditional_delete(changes: Changes, type_: str, query: Query) -> Written:
    """Delete the resource that a condition matches, if there is one."""
    store = changes.settings.name
    found = conditions.find_by_identifier(changes.connection, store, type_, query)
    if found is not None:
        changes.delete(type_, found.id)
    return Written(200, None)


def require(changes: Changes, type_: str, id_: str) -> Version:
    """Return the current version of a resource.

    Raises:
        OutcomeError: 404, or 410 for one that was deleted
    """
    current = changes.find(type_, id_)
    if current is None:
        name = f"{type_}/{id_}"
        raise deleted(name) if changes.was_deleted(type_, id_) else missing(name)
    return current


def _apply(operations: Any, resource: Any) -> Any:
    for index, operation in enumerate(operations):
        try:
            resource = jsonpatch.JsonPatch([operation]).apply(resource)
        except (jsonpatch.JsonPatchException, jsonpointer.JsonPointerException) as wrong:
            raise _bad_operation(index, _REASONS.get(type(wrong), "is not valid")) from None
        except (TypeError, AttributeError, KeyError):  # operations of other types
            raise _bad_operation(index, "is not valid") from None
    return resource


def _bad_operation(index: int, reason: str) -> OutcomeError:
    """Return a 400, without the words of the library: they quote the resource."""
    return invalid("invalid_patch", f"operation {index} of the patch {reason}")


def _no_update_create(name: str) -> OutcomeError:
    return OutcomeError(
        404,
        error(
            "not-found",
            "resource_not_found",
            f"resource {name} was not found, and the store's enable_update_create is false",
        ),
    )


def _no_match(type_: str) -> OutcomeError:
    return OutcomeError(
        404,
        error(
            "not-found",
            "resource_not_found",
            f"no resource of the type {type_} matches the condition",
        ),
    )
