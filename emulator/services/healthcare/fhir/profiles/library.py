"""The conformance resources of a store, read and compiled at first use."""

from collections.abc import Mapping
from sqlite3 import Connection
from typing import Any

from emulator.services.healthcare.fhir import json_text
from emulator.services.healthcare.fhir.profiles.compilation import compile_profile
from emulator.services.healthcare.fhir.profiles.elements import Profile
from emulator.services.healthcare.fhir.profiles.guides import Guide
from emulator.services.healthcare.fhir.profiles.value_sets import ValueSets

TYPES = ("CodeSystem", "ImplementationGuide", "StructureDefinition", "ValueSet")
_LISTED = ", ".join(f"'{name}'" for name in TYPES)


class Library:
    """The profiles, guides and value sets of a store, as they are at one time.

    Args:
        store: the full name
        is_documented_only: whether only the rules count that the API's reference lists

    Attributes:
        value_sets: of the store
        connection: reads what is not read yet
    """

    def __init__(self, store: str, connection: Connection, *, is_documented_only: bool) -> None:
        self.value_sets = ValueSets(self._find)
        self.connection = connection
        self._store = store
        self._is_documented_only = is_documented_only
        self._resources: dict[tuple[str, str], Mapping[str, Any] | None] = {}
        self._profiles: dict[str, Profile | None] = {}
        self._guides: dict[str, Guide] = {}

    def profile(self, url: str) -> Profile | None:
        """Return the profile of a canonical URL, compiled; None if the store lacks it."""
        if url not in self._profiles:
            self._profiles[url] = None  # of a definition whose base is the definition itself
            structure = self._read("StructureDefinition", url)
            if structure is not None:
                base = self.profile(str(structure.get("baseDefinition", "")))
                self._profiles[url] = compile_profile(
                    structure, base, is_documented_only=self._is_documented_only
                )
        return self._profiles[url]

    def guide(self, url: str) -> Guide:
        """Return the guide of a canonical URL; one that the store lacks has no profiles."""
        if url not in self._guides:
            resource = self._read("ImplementationGuide", url) or {}
            self._guides[url] = Guide.of(resource, self._urls_of_ids)
        return self._guides[url]

    def _urls_of_ids(self, ids: list[str]) -> set[str]:
        """Return the canonical URLs of profiles by the ids of their resources."""
        wanted = set(ids)
        rows = self.connection.execute(
            "SELECT id, url FROM fhir_canonicals c JOIN fhir_resources r ON r.number = c.resource"
            " WHERE r.store = ? AND r.type = 'StructureDefinition'",
            (self._store,),
        )
        return {url for id_, url in rows if id_ in wanted}

    def _find(self, type_: str, url: str) -> Mapping[str, Any] | None:
        key = (type_, url)
        if key not in self._resources:
            self._resources[key] = self._read(type_, url)
        return self._resources[key]

    def _read(self, type_: str, canonical: str) -> Mapping[str, Any] | None:
        url, _, version = canonical.partition("|")
        row = self.connection.execute(
            "SELECT body FROM fhir_canonicals c JOIN fhir_resources r ON r.number = c.resource"
            " WHERE c.store = ? AND c.url = ? AND r.type = ? AND ? IN ('', c.version)"
            " ORDER BY c.version DESC LIMIT 1",
            (self._store, url, type_, version),
        ).fetchone()
        return json_text.parse(row[0]) if row else None


def signature(connection: Connection, store: str) -> tuple[Any, ...]:
    """Return numbers that change whenever a resource changes that a library has."""
    row = connection.execute(
        "SELECT count(*), max(version), sum(number), sum(version % 1000000007)"  # noqa: S608 - ours
        f" FROM fhir_resources WHERE store = ? AND type IN ({_LISTED})",
        (store,),
    ).fetchone()
    return tuple(row)
