"""The search parameters of a store: R4's, and its own, which `configureSearch` chooses.

Inferred (conformance: fhir-configure-search): a parameter of the store replaces the one of R4 with
its code.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from sqlite3 import Connection

from emulator.services.healthcare.fhir.definitions import ANY_RESOURCE
from emulator.services.healthcare.fhir.search.parameters import (
    SearchParameter,
    compiled,
    parameters,
)

SCHEMA = """
CREATE TABLE fhir_search_parameters (
    store TEXT NOT NULL,
    number INTEGER NOT NULL,
    url TEXT NOT NULL,
    resource TEXT NOT NULL,
    base TEXT NOT NULL,
    code TEXT NOT NULL,
    text TEXT NOT NULL
);
CREATE INDEX fhir_search_parameters_of ON fhir_search_parameters (store, number);
"""
TABLE = "fhir_search_parameters"
_ANY = (ANY_RESOURCE, "DomainResource")


@dataclass(frozen=True, slots=True)
class StoreParameter:
    """A search parameter of a store, for one resource type.

    Attributes:
        url: the canonical URL, as the configuration names it
        resource: the name of the SearchParameter, with its version if the store keeps versions
        base: the resource type
        code: its name in a query
        text: as the definitions have it (`definitions.search_expressions`)
    """

    url: str
    resource: str
    base: str
    code: str
    text: str


class StoreParameters:
    """The search parameters of a store.

    Args:
        own: those that only this store has
    """

    def __init__(self, own: Sequence[StoreParameter] = ()) -> None:
        self._own = own

    def of(self, resource_type: str) -> Mapping[str, SearchParameter]:
        """Return the parameters of a type by code; an empty name has those of all types."""
        own = self.own(resource_type)
        return {**parameters(resource_type), **own} if own else parameters(resource_type)

    def own(self, resource_type: str) -> Mapping[str, SearchParameter]:
        """Return the parameters of a type that only this store has."""
        return {
            one.code: compiled(resource_type or ANY_RESOURCE, one.code, one.text)
            for one in self._own
            if one.base in (*_ANY, resource_type)
        }


STANDARD = StoreParameters()


def read(connection: Connection, store: str) -> list[StoreParameter]:
    """Return the parameters that only a store has."""
    rows = connection.execute(
        "SELECT url, resource, base, code, text FROM fhir_search_parameters WHERE store = ?"
        " ORDER BY number",
        (store,),
    )
    return [StoreParameter(*row) for row in rows]


def load(connection: Connection, store: str) -> StoreParameters:
    """Return the search parameters of a store."""
    own = read(connection, store)
    return StoreParameters(own) if own else STANDARD


def replace(connection: Connection, store: str, own: Sequence[StoreParameter]) -> None:
    """Replace the parameters that only a store has."""
    connection.execute("DELETE FROM fhir_search_parameters WHERE store = ?", (store,))
    connection.executemany(
        "INSERT INTO fhir_search_parameters VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (store, number, one.url, one.resource, one.base, one.code, one.text)
            for number, one in enumerate(own)
        ],
    )
