"""The CapabilityStatement, from what is served (http://hl7.org/fhir/R4/capabilitystatement.html)."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from starlette.responses import Response

from emulator.services.healthcare.fhir import instants
from emulator.services.healthcare.fhir.definitions import resource_types
from emulator.services.healthcare.fhir.interactions.request import FhirRequest, json_response
from emulator.services.healthcare.fhir.search.parameters import parameters
from emulator.services.healthcare.fhir.search.store_parameters import StoreParameters
from emulator.services.healthcare.fhir.store_settings import StoreSettings

FHIR_VERSION = "4.0.1"
_INTERACTIONS = ("read", "update", "patch", "delete", "create", "search-type")
_VERSIONED = ("vread", "history-instance")


def capabilities(request: FhirRequest) -> Response:
    """Return the capabilities of a store."""
    statement: dict[str, Any] = {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": instants.last_updated(instants.next_version()),
        "kind": "instance",
        "fhirVersion": FHIR_VERSION,
        "format": ["application/fhir+json"],
        "patchFormat": ["application/json-patch+json"],
        "software": {"name": "Cloud Healthcare API, local Google Cloud"},
        "implementation": {"description": request.store, "url": request.root},
        "rest": [_rest(request.settings, request.parameters)],
    }
    return json_response(statement)


def _rest(settings: StoreSettings, known: StoreParameters) -> dict[str, Any]:
    codes = [*_INTERACTIONS, *(_VERSIONED if settings.keeps_versions else ())]
    return {
        "mode": "server",
        "interaction": [{"code": code} for code in ("batch", "transaction", "search-system")],
        "resource": [
            _resource(type_, codes, settings, known) for type_ in sorted(resource_types())
        ],
    }


def _resource(
    type_: str, codes: list[str], settings: StoreSettings, known: StoreParameters
) -> dict[str, Any]:
    return {
        "type": type_,
        "interaction": [{"code": code} for code in codes],
        "versioning": "versioned-update" if settings.keeps_versions else "no-version",
        "readHistory": settings.keeps_versions,
        "updateCreate": settings.can_choose_ids,
        "conditionalCreate": True,
        "conditionalRead": "full-support",
        "conditionalUpdate": True,
        "conditionalDelete": "single",
        "referencePolicy": [
            "literal",
            "logical",
            "local",
            *(["enforced"] if settings.checks_references else []),
        ],
        "searchParam": [
            {"name": parameter.code, "type": parameter.type}
            for parameter in known.of(type_).values()
        ],
        "searchInclude": [
            f"{type_}:{parameter.code}"
            for parameter in known.of(type_).values()
            if parameter.type == "reference"
        ],
        "searchRevInclude": _referring(type_),
    }


@cache
def _referring(type_: str) -> Sequence[str]:
    """Return the references of all types that may name a type."""
    return [
        f"{source}:{parameter.code}"
        for source in sorted(resource_types())
        for parameter in parameters(source).values()
        if type_ in parameter.targets
    ]
