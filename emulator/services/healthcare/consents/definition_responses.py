"""Requests and answers of attribute definitions.

Documented (the reference of `attributeDefinitions`): what can be changed, and that a definition in
use can't be deleted. Inferred (conformance: consent-definition-in-use, consent-definition-exists):
the texts of refusals.
"""

from sqlite3 import Connection
from typing import Any

from emulator.core.errors import already_exists, failed_precondition, resource_exhausted
from emulator.core.rest import Call
from emulator.services.healthcare.consents import attributes, filters, revisions
from emulator.services.healthcare.consents.models import (
    DEFINITIONS,
    definition_bodies,
    is_mapped,
)
from emulator.services.healthcare.consents.requests import body_of, listed, mask_of
from emulator.services.healthcare.consents.service import Consents
from emulator.services.healthcare.store_service import store_of

_MUTABLE = frozenset(
    {"description", "allowedValues", "consentDefaultValues", "dataMappingDefaultValue"}
)
_MESSAGE = "AttributeDefinition"


def create(call: Call[Consents]) -> dict[str, Any]:
    """Define an attribute."""
    store = store_of(call)
    # The second name is that of Google's instructions.
    names = ("attributeDefinitionId", "attribute_definition_id")
    definition_id = next(filter(None, map(call.query.get, names)), "")
    attributes.check_id(definition_id)
    body = body_of(call, _MESSAGE)
    attributes.check_definition(body)
    definition = {**body, "name": DEFINITIONS.resource_name(store, definition_id)}
    with call.service.records.change(store) as connection:
        if DEFINITIONS.find(connection, store, definition_id) is not None:
            raise already_exists(f"attribute definition {definition['name']} already exists.")
        if len(definition_bodies(connection, store)) >= attributes.MAX_DEFINITIONS:
            raise resource_exhausted(
                f"The consent store {store} has {attributes.MAX_DEFINITIONS} attribute "
                "definitions, the most that are allowed."
            )
        DEFINITIONS.put(connection, store, definition)
    return definition


def get(call: Call[Consents]) -> dict[str, Any]:
    """One definition."""
    store = store_of(call)
    with call.service.records.read() as connection:
        return DEFINITIONS.body(connection, store, call.path["definition"])


def list_definitions(call: Call[Consents]) -> dict[str, Any]:
    """Return the definitions of a store."""
    return listed(call, DEFINITIONS, filters.definitions)


def patch(call: Call[Consents]) -> dict[str, Any]:
    """Change a definition; its values can only become more."""
    store = store_of(call)
    given = body_of(call, _MESSAGE)
    mask = mask_of(call, _MESSAGE, _MUTABLE)
    with call.service.records.change(store) as connection:
        before = DEFINITIONS.body(connection, store, call.path["definition"])
        after = mask.apply(before, given)
        attributes.check_definition(after)
        attributes.check_change(before, after)
        DEFINITIONS.put(connection, store, after)
    return after


def delete(call: Call[Consents]) -> dict[str, Any]:
    """Delete a definition that no mapping and no consent needs."""
    store, definition_id = store_of(call), call.path["definition"]
    with call.service.records.change(store) as connection:
        DEFINITIONS.get(connection, store, definition_id)
        if user := _user_of(call.service, connection, store, definition_id):
            raise failed_precondition(
                f"attribute definition {DEFINITIONS.resource_name(store, definition_id)} can't be "
                f"deleted: {user} refers to it"
            )
        DEFINITIONS.delete(connection, store, definition_id)
    return {}


def _user_of(service: Consents, connection: Connection, store: str, definition_id: str) -> str:
    """Return what refers to a definition; empty if nothing does."""
    if is_mapped(connection, store, definition_id):
        return "a user data mapping"
    definitions = service.definitions(connection, store)
    for consent in revisions.latest(connection, store):
        for policy in definitions.policies(consent):
            if definition_id in policy.values or definition_id in policy.rule.attributes:
                return f"the consent {consent['name']}"
    return ""
