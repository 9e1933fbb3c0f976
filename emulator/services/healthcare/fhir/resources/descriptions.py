"""Rows that describe a current version: references, identifiers and the canonical URL."""

from collections.abc import Iterator, Mapping
from sqlite3 import Connection
from typing import Any

from emulator.services.healthcare.fhir.references import Form, Reference, references
from emulator.services.healthcare.fhir.refusals import conflict
from emulator.services.healthcare.fhir.store_settings import StoreSettings

_TABLES = ("fhir_references", "fhir_identifiers", "fhir_canonicals")


def describe(
    connection: Connection,
    settings: StoreSettings,
    number: int,
    resource: Mapping[str, Any],
    *,
    is_new: bool,
) -> None:
    """Write the rows of a resource, in the transaction that writes it.

    Args:
        connection: in the transaction
        settings: of the store
        number: of the row of the resource
        resource: the resource
        is_new: whether no version had the row before

    Raises:
        OutcomeError: 409, another resource has the canonical URL
    """
    for table in () if is_new else _TABLES:
        connection.execute(f"DELETE FROM {table} WHERE resource = ?", (number,))  # noqa: S608
    store, type_ = settings.name, resource["resourceType"]
    connection.executemany(
        "INSERT INTO fhir_references (resource, store, target_type, target_id, path)"
        " VALUES (?, ?, ?, ?, ?)",
        [
            (number, store, each.type, each.id, each.path)
            for each in stored_references(settings, resource)
            if each.form is Form.LOCAL
        ],
    )
    connection.executemany(
        "INSERT INTO fhir_identifiers (resource, store, type, value, system)"
        " VALUES (?, ?, ?, ?, ?)",
        [(number, store, type_, value, system) for system, value in identifiers(resource)],
    )
    _add_canonical(connection, store, number, resource)


def stored_references(settings: StoreSettings, resource: Mapping[str, Any]) -> Iterator[Reference]:
    """Yield the references of a resource that its store reads.

    Documented (`complexDataTypeReferenceParsing`): those inside extensions count by a setting.
    """
    for reference in references(resource):
        if settings.reads_extensions or "xtension" not in reference.path:
            yield reference


def identifiers(resource: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the system and the value of each identifier of a resource."""
    found = resource.get("identifier", [])
    for each in found if isinstance(found, list) else [found]:
        if isinstance(each, Mapping) and isinstance(each.get("value"), str):
            yield str(each.get("system", "")), each["value"]


def _add_canonical(
    connection: Connection, store: str, number: int, resource: Mapping[str, Any]
) -> None:
    """Observed (mock.health's comparison of servers): canonical URLs are unique in a store.

    Inferred (conformance: fhir-canonical): two versions of a URL are two resources.
    """
    url, version = resource.get("url"), str(resource.get("version", ""))
    if not isinstance(url, str):
        return
    found = connection.execute(
        "SELECT type, id FROM fhir_canonicals JOIN fhir_resources ON number = resource"
        " WHERE fhir_canonicals.store = ? AND url = ? AND fhir_canonicals.version = ?",
        (store, url, version),
    ).fetchone()
    if found is not None:
        raise conflict(
            f"a resource with the canonical URL {url!r} exists: {found['type']}/{found['id']}"
        )
    connection.execute(
        "INSERT INTO fhir_canonicals (resource, store, url, version) VALUES (?, ?, ?, ?)",
        (number, store, url, version),
    )
