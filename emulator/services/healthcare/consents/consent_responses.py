"""Requests and answers of consents.

Documented (the reference of `consents`): the states, the changes between them, and revisions.
Inferred (conformance: consent-create-text, consent-state-text, consent-create-on-update,
consent-metadata-text): the texts of refusals, that a draft and a rejected consent need no artifact,
and that an update that creates a consent takes the whole body.
"""

import re
from collections.abc import Mapping
from functools import partial
from sqlite3 import Connection
from typing import Any
from uuid import uuid4

from emulator.core.errors import failed_precondition, invalid_argument
from emulator.core.rest import Call
from emulator.services.healthcare.consents import filters, revisions
from emulator.services.healthcare.consents.models import ARTIFACTS, Json
from emulator.services.healthcare.consents.requests import (
    body_of,
    check_user,
    mask_of,
    pages,
)
from emulator.services.healthcare.consents.revisions import CONSENTS, split_id, without_revision
from emulator.services.healthcare.consents.service import Consents
from emulator.services.healthcare.consents.store_settings import default_expiration, expiration
from emulator.services.healthcare.store_service import store_of
from emulator.services.healthcare.stores import schema

ACTIVE, DRAFT, REJECTED, REVOKED = "ACTIVE", "DRAFT", "REJECTED", "REVOKED"
_MESSAGE = "Consent"
_READ_ONLY = ("revisionId", "revisionCreateTime")
_MUTABLE = frozenset({"userId", "policies", "consentArtifact", "metadata"})
_ID = re.compile(r"[\w.-]{1,256}")
_MAX_METADATA = 64
_METADATA = {
    "key": re.compile(r"[a-z][a-z0-9_-]{0,62}"),
    "value": re.compile(r"[a-z0-9_-]{1,63}"),
}


def create(call: Call[Consents]) -> dict[str, Any]:
    """Store a consent, active or as a draft."""
    store = store_of(call)
    body = body_of(call, _MESSAGE, *_READ_ONLY)
    with call.service.records.change(store) as connection:
        return _create(call.service, connection, store, str(uuid4()), body)


def get(call: Call[Consents]) -> dict[str, Any]:
    """Return the latest revision of a consent, or the one that the name has."""
    store = store_of(call)
    consent_id, revision = split_id(call.path["consent"])
    with call.service.records.read() as connection:
        return revisions.get(connection, store, consent_id, revision)


def list_consents(call: Call[Consents]) -> dict[str, Any]:
    """Return the latest revisions of the consents of a store."""
    store = store_of(call)
    with call.service.records.read() as connection:
        fetch = partial(revisions.page, connection, store)
        return pages(call, fetch, "consents", store, filters.consents)


def list_revisions(call: Call[Consents]) -> dict[str, Any]:
    """Return the revisions of a consent, the last first."""
    store, consent_id = store_of(call), without_revision(call.path["consent"])
    with call.service.records.snapshot() as connection:
        revisions.get(connection, store, consent_id)
        fetch = partial(revisions.page_of_one, connection, store, consent_id)
        return pages(call, fetch, "consents", f"{store}/{consent_id}", filters.consents)


def patch(call: Call[Consents]) -> dict[str, Any]:
    """Commit a revision with changed fields; create the consent in a store that wants this."""
    store, consent_id = store_of(call), without_revision(call.path["consent"])
    given = body_of(call, _MESSAGE, *_READ_ONLY)
    mask = mask_of(call, _MESSAGE, _MUTABLE)
    with call.service.records.change(store) as connection:
        before = revisions.find(connection, store, consent_id)
        if before is None and call.service.store(store).get("enableConsentCreateOnUpdate"):
            _check_id(consent_id)
            return _create(call.service, connection, store, consent_id, given)
        if before is None:
            raise CONSENTS.missing(CONSENTS.resource_name(store, consent_id))
        _check_state(before, (ACTIVE, DRAFT), "updated")
        return _commit(call.service, connection, store, mask.apply(before, given))


def delete(call: Call[Consents]) -> dict[str, Any]:
    """Delete a consent with its revisions."""
    store, consent_id = store_of(call), without_revision(call.path["consent"])
    with call.service.records.change(store) as connection:
        CONSENTS.delete(connection, store, consent_id)
    return {}


def delete_revision(call: Call[Consents]) -> dict[str, Any]:
    """Delete a revision of a consent."""
    store = store_of(call)
    consent_id, revision = split_id(call.path["consent"])
    if not revision:
        raise invalid_argument(
            f"invalid name of a revision {consent_id!r}: a revision_id is required, as in "
            "consents/CONSENT@REVISION"
        )
    with call.service.records.change(store) as connection:
        revisions.delete_revision(connection, store, consent_id, revision)
    return {}


def activate(call: Call[Consents]) -> dict[str, Any]:
    """Make a draft active."""
    schema.check(call.version, "ActivateConsentRequest", call.body)
    if not call.body.get("consentArtifact"):
        raise invalid_argument("consent_artifact is required")
    return _change_state(call, "ActivateConsentRequest", ACTIVE, (DRAFT,), "activated")


def reject(call: Call[Consents]) -> dict[str, Any]:
    """Reject a draft."""
    return _change_state(call, "RejectConsentRequest", REJECTED, (DRAFT,), "rejected")


def revoke(call: Call[Consents]) -> dict[str, Any]:
    """Revoke an active consent."""
    return _change_state(call, "RevokeConsentRequest", REVOKED, (ACTIVE,), "revoked")


def _change_state(
    call: Call[Consents], message: str, state: str, before: tuple[str, ...], verb: str
) -> dict[str, Any]:
    """Commit a revision in another state, unless the consent is in this state already."""
    store, consent_id = store_of(call), without_revision(call.path["consent"])
    schema.check(call.version, message, call.body)
    expires = expiration(call.body)
    with call.service.records.change(store) as connection:
        consent = revisions.get(connection, store, consent_id)
        if consent["state"] == state:
            return consent
        _check_state(consent, before, verb)
        changed = {**consent, "state": state}
        if artifact := call.body.get("consentArtifact"):
            changed["consentArtifact"] = artifact
        if expires:
            changed["expireTime"] = expires
        return _commit(call.service, connection, store, changed)


def _create(
    service: Consents, connection: Connection, store: str, consent_id: str, body: Json
) -> Json:
    state = body.get("state", ACTIVE)
    if state not in (ACTIVE, DRAFT):
        raise invalid_argument(f"consent.state: a consent is created ACTIVE or DRAFT, not {state}")
    expires = expiration(body, "consent") or default_expiration(service.store(store))
    kept = {key: value for key, value in body.items() if key not in ("ttl", "expireTime")}
    consent = {**kept, "name": CONSENTS.resource_name(store, consent_id), "state": state}
    if expires:
        consent["expireTime"] = expires
    return _commit(service, connection, store, consent)


def _commit(service: Consents, connection: Connection, store: str, consent: Json) -> Json:
    """Commit a revision after the checks that all of them need."""
    check_user(consent, "Consents")
    _check_metadata(consent.get("metadata", {}))
    _check_artifact(connection, store, consent)
    service.definitions(connection, store).check_policies(consent.get("policies", []))
    return revisions.add(connection, store, consent)


def _check_artifact(connection: Connection, store: str, consent: Mapping[str, Any]) -> None:
    name = consent.get("consentArtifact", "")
    if not name and consent["state"] in (DRAFT, REJECTED):
        return
    parent, _, artifact_id = name.rpartition(f"/{ARTIFACTS.name}/")
    if parent != store or not _ID.fullmatch(artifact_id):
        raise invalid_argument(
            f"invalid consent_artifact {name[:1000]!r}: the name of an artifact of the same store, "
            f"{store}/{ARTIFACTS.name}/CONSENT_ARTIFACT"
        )
    ARTIFACTS.get(connection, store, artifact_id)


def _check_id(consent_id: str) -> None:
    if not _ID.fullmatch(consent_id):
        raise invalid_argument(
            f"invalid consent id {consent_id[:300]!r}: 1 to 256 letters, digits and the characters "
            "_ - . are allowed"
        )


def _check_metadata(metadata: Mapping[str, str]) -> None:
    if len(metadata) > _MAX_METADATA:
        raise invalid_argument(
            f"{len(metadata)} entries of metadata: at most {_MAX_METADATA} are allowed"
        )
    for key, value in metadata.items():
        for part, text in (("key", key), ("value", value)):
            if not _METADATA[part].fullmatch(text):
                raise invalid_argument(
                    f"invalid metadata {part} {text[:100]!r}: lowercase letters, digits, _ and -, "
                    "between 1 and 63" + (", beginning with a letter" if part == "key" else "")
                )


def _check_state(consent: Mapping[str, Any], states: tuple[str, ...], verb: str) -> None:
    if consent["state"] not in states:
        raise failed_precondition(
            f"consent {consent['name']} is {consent['state']}: only a consent that is "
            f"{' or '.join(states)} can be {verb}"
        )
