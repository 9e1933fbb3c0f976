"""A version of a resource, as the rows of several tables have it."""

from dataclasses import dataclass
from sqlite3 import Row
from typing import Any

from emulator.services.healthcare.fhir import instants, json_text


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a resource.

    Attributes:
        number: of the row of a current version; of an earlier one that of its own table
        type: of the resource
        id: of the resource
        version: nanoseconds since 1970
        method: of HTTP, by which the version came
        body: the resource as JSON; empty for a deletion
    """

    number: int
    type: str
    id: str
    version: int
    method: str
    body: bytes

    @classmethod
    def of(cls, row: Row) -> "Version":
        """Return the version of a row of either table."""
        return cls(
            row["number"], row["type"], row["id"], row["version"], row["method"], row["body"] or b""
        )

    @property
    def name(self) -> str:
        """The name in its store, such as `Patient/1`."""
        return f"{self.type}/{self.id}"

    @property
    def version_id(self) -> str:
        """The id of the version."""
        return instants.version_id(self.version)

    @property
    def etag(self) -> str:
        """The entity tag."""
        return f'W/"{self.version_id}"'

    @property
    def is_deletion(self) -> bool:
        """Whether the resource was deleted by this version."""
        return not self.body

    def resource(self) -> dict[str, Any]:
        """Return the resource of a version that is not a deletion."""
        return json_text.parse(self.body)
