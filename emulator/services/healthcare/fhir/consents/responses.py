"""Requests and answers of the methods that apply and explain consents."""

from typing import Any

from emulator.core.errors import invalid_argument
from emulator.core.rest import Call
from emulator.services.healthcare.fhir.consents import application, explanation, policies
from emulator.services.healthcare.fhir.responses import store_of
from emulator.services.healthcare.fhir.service import Fhir
from emulator.services.healthcare.stores import schema


def apply_consents(call: Call[Fhir]) -> dict[str, Any]:
    """Start to apply the consents of patients."""
    schema.check(call.version, "ApplyConsentsRequest", call.body)
    return application.begin(call.service, store_of(call), call.body, call.version)


def apply_admin_consents(call: Call[Fhir]) -> dict[str, Any]:
    """Start to apply the policies of administrators."""
    schema.check(call.version, "ApplyAdminConsentsRequest", call.body)
    return policies.begin(call.service, store_of(call), call.body, call.version)


def explain_data_access(call: Call[Fhir]) -> dict[str, Any]:
    """Return who may read a resource, and by which consents."""
    store = store_of(call)
    type_, _, id_ = call.query.get("resourceId", "").partition("/")
    if not type_ or not id_ or "/" in id_:
        raise invalid_argument("resource_id is required: ResourceType/ResourceID")
    return explanation.explain(call.service, store, type_, id_)
