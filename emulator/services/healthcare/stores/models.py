"""Datasets and stores: their state and the rules they keep."""

import json
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from zoneinfo import available_timezones

from emulator.database import Database
from emulator.errors import already_exists, invalid_argument, not_found
from emulator.healthcare.kinds import ID, KINDS, LOCATIONS, Kind
from emulator.operations.running import OperationRun

SCHEMA = """
CREATE TABLE IF NOT EXISTS healthcare_resources (
    name TEXT PRIMARY KEY,
    parent TEXT NOT NULL,
    body TEXT NOT NULL,
    serial INTEGER
);
CREATE INDEX IF NOT EXISTS healthcare_by_parent ON healthcare_resources (parent, name);
"""
_LABEL_TERM = re.compile(r'labels\.([\w-]+)\s*(?:=\s*"?([\w-]*)"?|:\*)')

CREATE_DATASET = "dataset.DatasetService.CreateDataset"

Resource = dict[str, Any]


class Resources:
    """Every dataset and store, by full name.

    What hangs on a resource elsewhere (images, policies, operations) follows its deletion through
    `on_delete`.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._followers: list[Callable[[str], None]] = []
        database.apply(SCHEMA)

    def on_delete(self, follower: Callable[[str], None]) -> None:
        """Have a function called with the full name of each deleted dataset or store."""
        self._followers.append(follower)

    def finish_create(self, run: OperationRun) -> Resource:
        """The operation of a dataset's creation: the dataset is there already."""
        return self.get(run.request["dataset"])

    def get(self, name: str) -> Resource:
        """A dataset or store.

        Raises:
            ApiError: 404. The real service tends to answer 403 for a missing dataset, but the
                Google provider takes only 404 for gone.
        """
        with self._database.read() as connection:
            row = connection.execute(
                "SELECT body FROM healthcare_resources WHERE name = ?", (name,)
            ).fetchone()
        if row is None:
            raise not_found(f"{_noun(name)} {name} does not exist.")
        body: Resource = json.loads(row["body"])
        return body

    def exists(self, name: str) -> bool:
        """Whether there is a dataset or store of this name."""
        with self._database.read() as connection:
            query = "SELECT 1 FROM healthcare_resources WHERE name = ?"
            return connection.execute(query, (name,)).fetchone() is not None

    def list(self, parent: str, collection: str) -> list[Resource]:
        """The datasets of a location or the stores of a dataset, by name."""
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT body FROM healthcare_resources WHERE parent = ? ORDER BY name",
                (f"{parent}/{collection}",),
            ).fetchall()
        return [json.loads(row["body"]) for row in rows]

    def datasets(self) -> Sequence[str]:
        """The full names of all datasets, of every project and location."""
        with self._database.read() as connection:
            rows = connection.execute("SELECT name, parent FROM healthcare_resources").fetchall()
        return [row["name"] for row in rows if row["parent"].endswith("/datasets")]

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
        """Change a dataset or store by a function that gives its new body."""
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


def check_id(resource_id: str, parameter: str, kind: Kind | None) -> None:
    """Refuse an id that is missing or not well formed.

    Raises:
        ApiError: 400, naming the parameter.
    """
    pattern = kind.id_pattern if kind else ID
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


def label_filter(text: str) -> Callable[[Resource], bool]:
    """What a list's `filter` lets pass: labels, joined by AND; an empty filter lets all pass.

    Raises:
        ApiError: 400 for a filter on anything else.
    """
    terms = [_LABEL_TERM.fullmatch(term.strip()) for term in text.split(" AND ")] if text else []
    if None in terms:
        raise invalid_argument(
            f"invalid filter {text!r}: labels.key=value or labels.key:*, joined by AND"
        )
    wanted = [(match[1], match[2]) for match in terms if match]

    def passes(resource: Resource) -> bool:
        labels = resource.get("labels", {})
        return all(key in labels and value in (None, labels[key]) for key, value in wanted)

    return passes


def _noun(name: str) -> str:
    collection = name.split("/")[-2]
    return KINDS[collection].noun if collection in KINDS else "dataset"


def _has_control(text: str) -> bool:
    return any(unicodedata.category(character).startswith("C") for character in text)
