"""A store in memory with a few resources, and searches of it."""

import sqlite3
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from emulator.services.healthcare.fhir import json_text, moments
from emulator.services.healthcare.fhir.resources import models
from emulator.services.healthcare.fhir.search import index, query, searching, store_parameters

STORE = "projects/p/locations/l/datasets/d/fhirStores/s"


class Indexed:
    """Resources of one store with their index."""

    def __init__(self) -> None:
        self.connection = sqlite3.connect(":memory:", isolation_level=None)
        self.connection.row_factory = sqlite3.Row
        self.connection.execute("PRAGMA foreign_keys = ON")
        self.connection.executescript(models.SCHEMA + index.SCHEMA + store_parameters.SCHEMA)
        self.resources: dict[tuple[str, str], Mapping[str, Any]] = {}

    def put(self, *resources: Mapping[str, Any]) -> None:
        for resource in resources:
            body = json_text.dump(resource)
            updated = moments.parse(resource.get("meta", {}).get("lastUpdated", ""))
            key = (resource["resourceType"], resource["id"])
            self.resources[key] = json_text.parse(body)
            number = self.connection.execute(
                "INSERT INTO fhir_resources (store, type, id, version, method, body)"
                " VALUES (?, ?, ?, ?, 'PUT', ?) ON CONFLICT DO UPDATE"
                " SET body = excluded.body, version = excluded.version RETURNING number",
                (STORE, *key, updated[0] if updated else 1, body),
            ).fetchone()[0]
            index.SearchIndex().add(self.connection, STORE, {number: self.resources[key]})

    def remove(self, resource_type: str, resource_id: str) -> None:
        del self.resources[resource_type, resource_id]
        self.connection.execute(
            "DELETE FROM fhir_resources WHERE type = ? AND id = ?", (resource_type, resource_id)
        )

    def read(self, resource_type: str, resource_id: str) -> Mapping[str, Any] | None:
        return self.resources.get((resource_type, resource_id))

    def page(self, text: str, *, strict: bool = True) -> tuple[query.Query, searching.Page]:
        """Search by a text such as `Patient?name=a`."""
        resource_type, _, pairs = text.partition("?")
        read = query.read(parse_qsl(pairs, keep_blank_values=True), resource_type, strict=strict)
        return read, searching.search(self.connection, STORE, read, self.read)

    def ids(self, text: str) -> list[str]:
        """Return the ids of the matches, oldest first, where the text has no order."""
        _, page = self.page(text)
        found = [key.id for key in page.matches]
        assert page.total >= len(found)
        return found if "_sort" in text else found[::-1]
