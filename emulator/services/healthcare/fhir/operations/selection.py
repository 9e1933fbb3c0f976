"""Resources of a store that an operation is for: by type and by time of the last update."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from emulator.core.errors import invalid_argument
from emulator.services.healthcare.fhir import instants
from emulator.services.healthcare.fhir.definitions import resource_types
from emulator.services.healthcare.fhir.resources.models import ResourceStore
from emulator.services.healthcare.fhir.resources.version import Version

PAGE = 500


@dataclass(frozen=True)
class Selection:
    """A part of a store's resources.

    Attributes:
        types: resource types; all of them if there is none
        since: versions of this one and later ones count
        until: versions of this one and earlier ones count
    """

    types: Sequence[str] = ()
    since: int = 0
    until: int = instants.MAX_VERSION

    def request(self) -> dict[str, Any]:
        """Return the selection as a part of an operation's request."""
        return {"types": list(self.types), "since": self.since, "until": self.until}

    @classmethod
    def of(cls, request: dict[str, Any]) -> "Selection":
        """Return the selection in an operation's request."""
        return cls(request["types"], request["since"], request["until"])

    def pages(self, resources: ResourceStore, store: str) -> Iterator[list[Version]]:
        """Yield the current versions, page by page; each may be deleted when it was yielded."""
        for page in resources.pages(store, PAGE, types=self.types, since=self.since):
            yield [version for version in page if version.version <= self.until]


def parse_types(text: str, field: str) -> list[str]:
    """Return the resource types in a list with commas.

    Raises:
        ApiError: 400 for one that there is not
    """
    found = [part.strip() for part in text.split(",") if part.strip()]
    for type_ in found:
        if type_ not in resource_types():
            raise invalid_argument(f"invalid {field}: {type_!r} is not a resource type")
    return found


def parse_instant(text: str, field: str) -> int:
    """Return the version of a change at a time; raises 400 for other text."""
    instant = instants.parse_instant(text)
    if instant is None:
        raise invalid_argument(f"invalid {field} {text!r}: YYYY-MM-DDThh:mm:ss.sss+zz:zz")
    return instants.version_of(instant)
