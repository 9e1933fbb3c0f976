"""Paths of the consent stores beside those that every store has.

https://cloud.google.com/healthcare-api/docs/reference/rest/v1/projects.locations.datasets.consentStores
"""

from collections.abc import Iterator
from functools import partial

from starlette.routing import Route

from emulator.core import rest
from emulator.services.healthcare.consents import (
    artifact_responses,
    consent_responses,
    definition_responses,
    evaluation_responses,
    mapping_responses,
)
from emulator.services.healthcare.consents.service import Consents

_STORE = "/projects/{project}/locations/{location}/datasets/{dataset}/consentStores/{store:id}"
_DEFINITIONS = f"{_STORE}/attributeDefinitions"
_DEFINITION = f"{_DEFINITIONS}/{{definition:id}}"
_ARTIFACTS = f"{_STORE}/consentArtifacts"
_ARTIFACT = f"{_ARTIFACTS}/{{artifact:id}}"
_CONSENTS = f"{_STORE}/consents"
_CONSENT = f"{_CONSENTS}/{{consent:id}}"
_MAPPINGS = f"{_STORE}/userDataMappings"
_MAPPING = f"{_MAPPINGS}/{{mapping:id}}"


def routes(consents: Consents) -> Iterator[Route]:
    """Yield every route."""
    route = partial(rest.routes, consents)
    yield from route("POST", f"{_STORE}:checkDataAccess", evaluation_responses.check_data_access)
    yield from route(
        "POST", f"{_STORE}:evaluateUserConsents", evaluation_responses.evaluate_user_consents
    )
    yield from route("POST", f"{_STORE}:queryAccessibleData", evaluation_responses.query)
    yield from route("POST", _DEFINITIONS, definition_responses.create)
    yield from route("GET", _DEFINITIONS, definition_responses.list_definitions)
    yield from route("GET", _DEFINITION, definition_responses.get)
    yield from route("PATCH", _DEFINITION, definition_responses.patch)
    yield from route("DELETE", _DEFINITION, definition_responses.delete)
    yield from route("POST", _ARTIFACTS, artifact_responses.create)
    yield from route("GET", _ARTIFACTS, artifact_responses.list_artifacts)
    yield from route("GET", _ARTIFACT, artifact_responses.get)
    yield from route("DELETE", _ARTIFACT, artifact_responses.delete)
    yield from route("POST", f"{_CONSENT}:activate", consent_responses.activate)
    yield from route("POST", f"{_CONSENT}:reject", consent_responses.reject)
    yield from route("POST", f"{_CONSENT}:revoke", consent_responses.revoke)
    yield from route("DELETE", f"{_CONSENT}:deleteRevision", consent_responses.delete_revision)
    yield from route("GET", f"{_CONSENT}:listRevisions", consent_responses.list_revisions)
    yield from route("POST", _CONSENTS, consent_responses.create)
    yield from route("GET", _CONSENTS, consent_responses.list_consents)
    yield from route("GET", _CONSENT, consent_responses.get)
    yield from route("PATCH", _CONSENT, consent_responses.patch)
    yield from route("DELETE", _CONSENT, consent_responses.delete)
    yield from route("POST", f"{_MAPPING}:archive", mapping_responses.archive)
    yield from route("POST", _MAPPINGS, mapping_responses.create)
    yield from route("GET", _MAPPINGS, mapping_responses.list_mappings)
    yield from route("GET", _MAPPING, mapping_responses.get)
    yield from route("PATCH", _MAPPING, mapping_responses.patch)
    yield from route("DELETE", _MAPPING, mapping_responses.delete)
