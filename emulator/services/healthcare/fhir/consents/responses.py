"""Requests and answers of the method that explains consents."""

from typing import Any

from emulator.core.errors import invalid_argument
from emulator.core.rest import Call
from emulator.services.healthcare.fhir.consents import explanation
from emulator.services.healthcare.fhir.service import Fhir
from emulator.services.healthcare.store_service import store_of


def explain_data_access(call: Call[Fhir]) -> dict[str, Any]:
    """Return who may read a resource, and by which consents."""
    store = store_of(call)
    type_, _, id_ = call.query.get("resourceId", "").partition("/")
    if not type_ or not id_ or "/" in id_:
        raise invalid_argument("resource_id is required: ResourceType/ResourceID")
    return explanation.explain(call.service, store, type_, id_)
