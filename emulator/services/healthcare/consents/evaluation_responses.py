"""Requests and answers of access determinations.

Inferred (conformance: consent-evaluation-text, consent-list-text): the texts of refusals, that a
data id without a mapping is a 404, and that a listed consent of another user is not applicable.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from sqlite3 import Connection
from typing import Any

from emulator.core.errors import invalid_argument, not_found
from emulator.core.resources.paging import paginate
from emulator.core.rest import Call
from emulator.services.healthcare.consents import query_accessible_data, revisions
from emulator.services.healthcare.consents.attributes import REQUEST, RESOURCE, Definitions
from emulator.services.healthcare.consents.evaluation import Determination, Evaluator
from emulator.services.healthcare.consents.models import Json, mapping_of_data, mapping_page
from emulator.services.healthcare.consents.requests import (
    DEFAULT_PAGE,
    MAX_PAGE,
    check_text,
    check_user,
)
from emulator.services.healthcare.consents.revisions import CONSENTS, without_revision
from emulator.services.healthcare.consents.service import Consents
from emulator.services.healthcare.store_service import starting, store_of
from emulator.services.healthcare.stores import schema

MAX_LISTED = 100


def check_data_access(call: Call[Consents]) -> dict[str, Any]:
    """Return whether a use of some data is consented."""
    store = store_of(call)
    schema.check(call.version, "CheckDataAccessRequest", call.body)
    data_id = call.body.get("dataId", "")
    check_text(data_id, "data_id")
    with call.service.records.snapshot() as connection:
        definitions = call.service.definitions(connection, store)
        evaluator = _evaluator(call, definitions)
        mapping = mapping_of_data(connection, store, data_id)
        if mapping is None:
            raise not_found(f"no user data mapping of {store} has the data_id {data_id[:1000]!r}.")
        consents = _consents(call, connection, store, mapping["userId"], evaluator)
        result = evaluator.determine(mapping, consents)
    return _represent(call, "CheckDataAccessResponse", {}, result)


def evaluate_user_consents(call: Call[Consents]) -> dict[str, Any]:
    """Return for each piece of a user's data whether a use of it is consented."""
    store = store_of(call)
    schema.check(call.version, "EvaluateUserConsentsRequest", call.body)
    check_user(call.body, "Requests")
    user, wanted = call.body["userId"], call.body.get("resourceAttributes", {})
    if not call.body.get("requestAttributes"):
        raise invalid_argument("request_attributes is required")
    query: dict[str, str] = {
        key: str(call.body[key]) for key in ("pageSize", "pageToken") if key in call.body
    }
    chosen = {key: value for key, value in call.body.items() if key not in query}
    with call.service.records.snapshot() as connection:
        definitions = call.service.definitions(connection, store)
        definitions.check_values(wanted, RESOURCE, "resource_attributes")
        evaluator = _evaluator(call, definitions)
        consents = _consents(call, connection, store, user, evaluator)
        answer = paginate(
            partial(mapping_page, connection, store, user),
            query,
            "results",
            scope=f"{store}:evaluateUserConsents?{sorted(chosen.items())}",
            default=DEFAULT_PAGE,
            maximum=MAX_PAGE,
            matches=lambda mapping: evaluator.selects(mapping, wanted),
        )
        results = [
            _represent(
                call, "Result", {"dataId": one["dataId"]}, evaluator.determine(one, consents)
            )
            for one in answer.pop("results", [])
        ]
    return {**({"results": results} if results else {}), **answer}


query = starting("QueryAccessibleDataRequest", query_accessible_data.begin)
"""Starts the operation that writes the ids of all data whose use is consented."""


def _evaluator(call: Call[Consents], definitions: Definitions) -> Evaluator:
    request = call.body.get("requestAttributes", {})
    definitions.check_values(request, REQUEST, "request_attributes")
    return Evaluator(
        definitions, request, moment=datetime.now(UTC), drafts="consentList" in call.body
    )


def _consents(
    call: Call[Consents], connection: Connection, store: str, user: str, evaluator: Evaluator
) -> list[Json]:
    """Return the consents that a request lists, or those of the user that count."""
    if "consentList" not in call.body:
        return [one for one in revisions.of_user(connection, store, user) if evaluator.applies(one)]
    names = call.body["consentList"].get("consents", [])
    if not 0 < len(names) <= MAX_LISTED:
        raise invalid_argument(
            f"consent_list.consents: between 1 and {MAX_LISTED} names are required, not "
            f"{len(names)}"
        )
    return [_listed(connection, store, name) for name in dict.fromkeys(names)]


def _listed(connection: Connection, store: str, name: str) -> Json:
    parent, _, consent_id = name.rpartition(f"/{CONSENTS.name}/")
    if parent != store or not consent_id:
        raise invalid_argument(
            f"invalid name in consent_list {name[:1000]!r}: a consent of the same store, "
            f"{store}/{CONSENTS.name}/CONSENT"
        )
    check_text(consent_id, "consent_list.consents")
    return revisions.get(connection, store, without_revision(consent_id))


def _represent(
    call: Call[Consents], message: str, fields: Mapping[str, Any], result: Determination
) -> dict[str, Any]:
    answer = {**fields, "consented": result.consented}
    if call.body.get("responseView") == "FULL":
        answer["consentDetails"] = {
            name: {"evaluationResult": found} for name, found in result.details.items()
        }
    return schema.normal(call.version, message, answer)
