"""State and rules of datasets and stores.

Inferred (conformance: dataset-missing, dataset-exists, dataset-id-text, location-text,
time-zone-text, store-missing, store-exists): the texts of refusals.
"""

import json
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from zoneinfo import available_timezones

from emulator.core.database import ALL, Database
from emulator.core.errors import already_exists, invalid_argument, not_found
from emulator.core.operations.operation_type import OperationRun
from emulator.core.resource_name import ResourceName
from emulator.services.healthcare.stores.store_types import ID, LOCATIONS, STORE_TYPES, StoreType

SCHEMA = """
CREATE TABLE IF NOT EXISTS healthcare_resources (
    name TEXT PRIMARY KEY,
    parent TEXT NOT NULL,
    body TEXT NOT NULL,
    serial INTEGER
);
CREATE INDEX IF NOT EXISTS healthcare_by_parent ON healthcare_resources (parent, name);
"""
DROP_SERIAL = "ALTER TABLE healthcare_resources DROP COLUMN serial;"
"""No code reads the column."""

CREATE_DATASET = "dataset.DatasetService.CreateDataset"

Resource = dict[str, Any]


class Resources:
    """Every dataset and store, by full name.

    Instances, policies and operations of a resource are deleted by the followers of `on_delete`.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._followers: list[Callable[[str], None]] = []

    def on_delete(self, follower: Callable[[str], None]) -> None:
        """Have a function called with the full name of each deleted dataset or store."""
        self._followers.append(follower)

    def finish_create(self, run: OperationRun) -> Resource:
        """Return the dataset: it exists since the operation was started."""
        return self.get(run.request["dataset"])

    def find(self, name: str) -> Resource | None:
        """Return a dataset or store, or None if there is none of this name."""
        with self._database.read() as connection:
            row = connection.execute(
                "SELECT body FROM healthcare_resources WHERE name = ?", (name,)
            ).fetchone()
        if row is None:
            return None
        body: Resource = json.loads(row["body"])
        return body

    def get(self, name: str) -> Resource:
        """Return a dataset or store.

        Raises:
            ApiError: 404. The real service tends to answer 403 for a missing dataset, but the
                Google provider takes only 404 for gone.
        """
        body = self.find(name)
        if body is None:
            raise not_found(f"{_noun(name)} {name} does not exist.")
        return body

    def exists(self, name: str) -> bool:
        """Whether there is a dataset or store of this name."""
        with self._database.read() as connection:
            query = "SELECT 1 FROM healthcare_resources WHERE name = ?"
            return connection.execute(query, (name,)).fetchone() is not None

    def list(self, parent: str, collection: str) -> list[Resource]:
        """Return the datasets of a location or the stores of a dataset, by name."""
        return [body for _, body in self.page(f"{parent}/{collection}", None, ALL)]

    def page(
        self, collection: str, after: str | None, limit: int
    ) -> Sequence[tuple[str, Resource]]:
        """Return names and bodies of a collection, by name; see `paging.Fetch`."""
        return self._database.page("healthcare_resources", "parent", collection, after, limit)

    def datasets(self) -> Sequence[str]:
        """Return the full names of all datasets, of every project and location."""
        with self._database.read() as connection:
            rows = connection.execute("SELECT name, parent FROM healthcare_resources").fetchall()
        return [row["name"] for row in rows if row["parent"].endswith("/datasets")]

    def stores(self, collection: str) -> Sequence[str]:
        """Return the full names of all stores of a collection, such as `dicomStores`, sorted."""
        return [
            store["name"]
            for dataset in sorted(self.datasets())
            for store in self.list(dataset, collection)
        ]

    def create(self, collection_name: str, resource_id: str, body: Resource) -> Resource:
        """Add a dataset or store under an id.

        Raises:
            ApiError: 409 if the id is taken.
        """
        name = f"{collection_name}/{resource_id}"
        created = {**body, "name": name}
        with self._database.write() as connection:
            added = connection.execute(
                "INSERT OR IGNORE INTO healthcare_resources (name, parent, body) VALUES (?, ?, ?)",
                (name, collection_name, json.dumps(created)),
            ).rowcount
        if not added:
            raise already_exists(f"{_noun(name)} {name} already exists.")
        return created

    def update(self, name: str, change: Callable[[Resource], Resource]) -> Resource:
        """Change a dataset or store by a function that returns its new body."""
        with self._database.write() as connection:
            body = change(self.get(name))
            connection.execute(
                "UPDATE healthcare_resources SET body = ? WHERE name = ?", (json.dumps(body), name)
            )
        return body

    def delete(self, name: str) -> None:
        """Delete a dataset or store with everything inside it."""
        self.get(name)
        with self._database.write() as connection:
            rows = connection.execute(
                "SELECT name FROM healthcare_resources WHERE name = ?1"
                " OR substr(name, 1, length(?1) + 1) = ?1 || '/'",
                (name,),
            ).fetchall()
            connection.executemany(
                "DELETE FROM healthcare_resources WHERE name = ?", [(row["name"],) for row in rows]
            )
        for row in rows:
            for follower in self._followers:
                follower(row["name"])


def check_location(location: str) -> None:
    """Refuse a location that the Healthcare API is not in.

    Raises:
        ApiError: 400.
    """
    if location not in LOCATIONS:
        raise invalid_argument(
            f"Location {location} is not supported by the Cloud Healthcare API. "
            f"Supported: {', '.join(LOCATIONS)}."
        )


def check_id(resource_id: str, parameter: str, type_: StoreType | None) -> None:
    """Refuse an id that is missing or not well formed.

    Raises:
        ApiError: 400, naming the parameter.
    """
    pattern = type_.id_pattern if type_ else ID
    if not pattern.fullmatch(resource_id) or _has_control(resource_id):
        raise invalid_argument(
            f"invalid {parameter} {resource_id!r}: 1 to 256 letters, digits and the characters "
            "_ - . are allowed"
        )


def check_dataset(body: Mapping[str, Any]) -> None:
    """Refuse a time zone that is not an IANA name.

    Raises:
        ApiError: 400.
    """
    zone = body.get("timeZone")
    if zone and zone not in available_timezones():
        raise invalid_argument(f"invalid time zone {zone!r}: an IANA name such as Europe/Berlin")


def _noun(name: str) -> str:
    collection = ResourceName.parse(name).collection
    return STORE_TYPES[collection].display_name if collection in STORE_TYPES else "dataset"


def _has_control(text: str) -> bool:
    return any(unicodedata.category(character).startswith("C") for character in text)
