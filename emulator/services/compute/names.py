"""Names of resources, and the addresses by which requests and answers refer to them.

Documented (https://cloud.google.com/compute/docs/reference/rest/v1): a reference is a full or a
partial URL, and answers have the full one.
"""

import re
from typing import NamedTuple

LINKS = "https://www.googleapis.com/compute/v1/"
PATTERN = r"(?:[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?)"
_NAME = re.compile(PATTERN)
_FULL = re.compile(
    r"(?:https?://[^/]+/)?(?:compute/\w+/)?(projects/[^/]+/(?:global|(?:regions|zones)/[^/]+)/.+)"
)
_IN_PROJECT = re.compile(r"(?:global|(?:regions|zones)/[^/]+)/.+")
_PARTS = re.compile(
    r"projects/(?P<project>[^/]+)/(?P<location>global|(?:regions|zones)/[^/]+)"
    r"/(?P<collection>\w+)/(?P<id>[^/]+)"
)


class Parts(NamedTuple):
    """The parts of a name.

    Attributes:
        project: its id
        location: `global`, `regions/R` or `zones/Z`
        collection: such as `addresses`
        id: the last part
    """

    project: str
    location: str
    collection: str
    id: str

    @property
    def parent(self) -> str:
        """The collection with what comes before it."""
        return f"projects/{self.project}/{self.location}/{self.collection}"

    @property
    def name(self) -> str:
        """The whole name."""
        return f"{self.parent}/{self.id}"


def is_valid(name: str) -> bool:
    """Whether a resource may be called so."""
    return _NAME.fullmatch(name) is not None


def link(name: str) -> str:
    """Return the URL of a name such as `projects/P/global/networks/default`."""
    return LINKS + name


def parse(reference: str, project: str) -> Parts | None:
    """Return what a full or partial URL refers to; None if it is not one.

    Args:
        reference: as a request has it
        project: of the request, for partial URLs
    """
    if _IN_PROJECT.fullmatch(reference):
        reference = f"projects/{project}/{reference}"
    full = _FULL.fullmatch(reference)
    match = _PARTS.fullmatch(full[1]) if full else None
    return Parts(**match.groupdict()) if match else None


def parts_of(name: str) -> Parts:
    """Return the parts of a name or of its URL, which is known to be one."""
    found = parse(name, "")
    assert found is not None, name
    return found


def last(link_or_name: str) -> str:
    """Return the last part, such as the name of a machine type or a zone."""
    return link_or_name.rpartition("/")[2]
