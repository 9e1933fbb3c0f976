"""Bodies of requests as resources that may be stored."""

import re
from collections.abc import Mapping
from typing import Any

from emulator.core.json_reader import JsonError
from emulator.services.healthcare.fhir import json_text, validation
from emulator.services.healthcare.fhir.definitions import resource_types
from emulator.services.healthcare.fhir.outcome import error
from emulator.services.healthcare.fhir.references import Form, references
from emulator.services.healthcare.fhir.refusals import (
    OutcomeError,
    bad_id,
    bad_resource_type,
    unparseable,
)
from emulator.services.healthcare.fhir.store_settings import StoreSettings

_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")


def check_type(type_: str) -> str:
    """Return a resource type of a path.

    Raises:
        OutcomeError: 400, there is no such type
    """
    if type_ not in resource_types():
        raise bad_resource_type(type_)
    return type_


def check_id(id_: str) -> str:
    """Return an id of a path.

    Raises:
        OutcomeError: 400, it is not well formed
    """
    if not _ID.fullmatch(id_):
        raise bad_id(id_)
    return id_


def parse(raw: bytes) -> dict[str, Any]:
    """Return the JSON object of a body, without members that are null: those have no value.

    Raises:
        OutcomeError: 400, it is not a JSON object
    """
    parsed = _parse(raw)
    return dict(without_nulls(parsed)) if b"null" in raw else parsed


def parse_patch(raw: bytes) -> Any:
    """Return the operations of a JSON Patch.

    Raises:
        OutcomeError: 400, they are not an array
    """
    operations = _parse(b'{"patch":' + raw + b"}").get("patch")
    if not isinstance(operations, list):
        raise unparseable("a JSON Patch is an array of operations")
    return operations


def without_nulls(value: Any) -> Any:
    """Return a value without the members of objects that are null; items of arrays stay."""
    if isinstance(value, dict):
        return {key: without_nulls(each) for key, each in value.items() if each is not None}
    return [without_nulls(each) for each in value] if isinstance(value, list) else value


def _parse(raw: bytes) -> dict[str, Any]:
    try:
        return json_text.parse(raw)
    except JsonError as wrong:
        raise unparseable(f"invalid JSON: {wrong}") from None


def check_resource(resource: Mapping[str, Any], type_: str, settings: StoreSettings) -> None:
    """Refuse a resource that may not be stored.

    Args:
        resource: as `json_text.parse` returns it
        type_: that the request names; empty where any is allowed
        settings: of the store

    Raises:
        OutcomeError: 400, with what is wrong
    """
    found = validation.check(resource, type_, settings.validation)
    wrong = [issue for issue in found if issue.severity == "error"] or _dangling(resource)
    if wrong:
        raise OutcomeError(400, *wrong)


def _dangling(resource: Mapping[str, Any]) -> list[Any]:
    """Return issues of references to contained resources that are not there.

    Documented (https://cloud.google.com/healthcare-api/docs/concepts/fhir-referential-integrity):
    these are refused whatever the store's settings.
    """
    contained = {
        each.get("id") for each in resource.get("contained", []) if isinstance(each, Mapping)
    }
    return [
        error(
            "value",
            "invalid_references",
            f"contained resource #{each.id} was not found",
            each.path,
        )
        for each in references(resource)
        if each.form is Form.CONTAINED and each.id and each.id not in contained
    ]
