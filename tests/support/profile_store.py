"""A database with conformance resources of a FHIR store, for checks without a server."""

import sqlite3
from collections.abc import Iterable
from typing import Any

from emulator.services.healthcare.fhir import json_text
from emulator.services.healthcare.fhir.profiles.library import TYPES
from emulator.services.healthcare.fhir.resources.models import SCHEMA

CONFORMANCE = TYPES
STORE = "s"


def profile_store(resources: Iterable[dict[str, Any]]) -> sqlite3.Connection:
    """Return a database whose store `s` has some resources."""
    connection = sqlite3.connect(":memory:")
    connection.row_factory = sqlite3.Row
    connection.executescript(SCHEMA)
    for number, one in enumerate(resources, start=1):
        connection.execute(
            "INSERT INTO fhir_resources VALUES (?, ?, ?, ?, 1, 'PUT', ?)",
            (number, STORE, one["resourceType"], one["id"], json_text.dump(one)),
        )
        connection.execute(
            "INSERT INTO fhir_canonicals VALUES (?, ?, ?, ?)",
            (number, STORE, one["url"], one.get("version", "")),
        )
    return connection
