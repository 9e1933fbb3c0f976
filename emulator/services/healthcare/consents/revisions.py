"""The revisions of consents, in the database.

Documented (the reference of `Consent`): a change commits a new revision, and an id of a revision is
8 hexadecimal digits. Inferred (conformance: consent-revision-text): the texts of refusals.
"""

import json
import secrets
from collections.abc import Iterator, Mapping
from sqlite3 import Connection, Row
from typing import Any

from emulator.core import timestamps
from emulator.core.errors import invalid_argument
from emulator.services.healthcare.consents.models import Collection, Json, Page

CONSENTS = Collection("consents", "consent_revisions", "consent")
_REVISION_BYTES = 4


def split_id(resource_id: str) -> tuple[str, str]:
    """Return the id of a consent, and that of the revision after the `@`, or an empty text."""
    consent, _, revision = resource_id.partition("@")
    return consent, revision


def without_revision(resource_id: str) -> str:
    """Return the id of a consent.

    Raises:
        ApiError: 400 for one with a revision
    """
    if "@" in resource_id:
        raise invalid_argument(
            f"invalid name of a consent {resource_id!r}: a revision_id can't be specified here"
        )
    return resource_id


def find(connection: Connection, store: str, consent_id: str, revision: str = "") -> Json | None:
    """Return a revision of a consent, by default the latest one; None if there is none."""
    condition, more = ("revision = ?", (revision,)) if revision else ("is_latest", ())
    row = connection.execute(
        f"SELECT body FROM consent_revisions WHERE store = ? AND id = ? AND {condition}",  # noqa: S608
        (store, consent_id, *more),
    ).fetchone()
    return None if row is None else json.loads(row["body"])


def get(connection: Connection, store: str, consent_id: str, revision: str = "") -> Json:
    """Return a revision as `find` does.

    Raises:
        ApiError: 404
    """
    found = find(connection, store, consent_id, revision)
    if found is None:
        name = CONSENTS.resource_name(store, consent_id) + (f"@{revision}" if revision else "")
        raise CONSENTS.missing(name)
    return found


def add(connection: Connection, store: str, consent: Mapping[str, Any]) -> Json:
    """Commit a revision of a consent, in the transaction of the change; return it."""
    consent_id = consent["name"].rpartition("/")[2]
    revision = _new_id(connection, store, consent_id)
    body = {**consent, "revisionId": revision, "revisionCreateTime": timestamps.now()}
    connection.execute(
        "UPDATE consent_revisions SET is_latest = 0 WHERE store = ? AND id = ? AND is_latest",
        (store, consent_id),
    )
    connection.execute(
        "INSERT INTO consent_revisions (store, id, revision, user_id, artifact, is_latest, body)"
        " VALUES (?, ?, ?, ?, ?, 1, ?)",
        (
            store,
            consent_id,
            revision,
            consent["userId"],
            consent.get("consentArtifact", "").rpartition("/")[2],
            json.dumps(body),
        ),
    )
    return body


def delete_revision(connection: Connection, store: str, consent_id: str, revision: str) -> None:
    """Delete a revision.

    Raises:
        ApiError: 404, or 400 for the latest one
    """
    found = get(connection, store, consent_id, revision)
    if get(connection, store, consent_id)["revisionId"] == revision:
        raise invalid_argument(
            f"{found['name']}@{revision} is the latest revision: it can't be deleted. Delete the "
            "consent, or revoke it."
        )
    connection.execute(
        "DELETE FROM consent_revisions WHERE store = ? AND id = ? AND revision = ?",
        (store, consent_id, revision),
    )


def page(connection: Connection, store: str, after: str | None, limit: int) -> Page:
    """Return the latest revisions of the consents of a store, by id; see `paging.Fetch`."""
    rows = connection.execute(
        "SELECT id, body FROM consent_revisions"
        " WHERE store = ? AND is_latest AND id > ? ORDER BY id LIMIT ?",
        (store, after or "", limit),
    )
    return [(row["id"], json.loads(row["body"])) for row in rows]


def page_of_one(
    connection: Connection, store: str, consent_id: str, after: int | None, limit: int
) -> list[tuple[int, Json]]:
    """Return the revisions of a consent, the last first; see `paging.Fetch`."""
    condition, more = ("AND number < ?", (after,)) if after is not None else ("", ())
    rows = connection.execute(
        "SELECT number, body FROM consent_revisions"  # noqa: S608 - our own text
        f" WHERE store = ? AND id = ? {condition} ORDER BY number DESC LIMIT ?",
        (store, consent_id, *more, limit),
    )
    return [(row["number"], json.loads(row["body"])) for row in rows]


def of_user(connection: Connection, store: str, user: str) -> list[Json]:
    """Return the latest revisions of a user's consents, by id."""
    rows = connection.execute(
        "SELECT body FROM consent_revisions"
        " WHERE store = ? AND user_id = ? AND is_latest ORDER BY id",
        (store, user),
    )
    return [json.loads(row["body"]) for row in rows]


def latest(connection: Connection, store: str) -> Iterator[Json]:
    """Yield the latest revision of each consent of a store."""
    rows: Iterator[Row] = connection.execute(
        "SELECT body FROM consent_revisions WHERE store = ? AND is_latest", (store,)
    )
    for row in rows:
        yield json.loads(row["body"])


def has_artifact(connection: Connection, store: str, artifact_id: str) -> bool:
    """Whether the latest revision of a consent refers to an artifact."""
    row = connection.execute(
        "SELECT 1 FROM consent_revisions WHERE store = ? AND artifact = ? AND is_latest",
        (store, artifact_id),
    ).fetchone()
    return row is not None


def _new_id(connection: Connection, store: str, consent_id: str) -> str:
    while True:
        revision = secrets.token_hex(_REVISION_BYTES)
        if find(connection, store, consent_id, revision) is None:
            return revision
