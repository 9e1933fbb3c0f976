"""A stack's resources, and whether they still exist, as the services report.

The names come from the stack's state before it is destroyed. A row of
`scripts/resources/resource_types.py` says how to look up a type; a type without a row is reported
as not checked.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from string import Formatter
from typing import Any

from scripts.lib.google import clients, retry
from scripts.lib.google.errors import translate_errors
from scripts.preview import names
from scripts.resources.lookup import Lookup, NotServedError
from scripts.resources.resource_type import ResourceType
from scripts.resources.resource_types import RESOURCE_TYPES

_MORE = ("condition",)  # of a grant, besides the inputs in its id
_KEY = "gcp:kms/cryptoKey:CryptoKey"
_VIEW = ("view", "materializedView")


@dataclass(frozen=True)
class ManagedResource:
    """A resource that the stack created.

    Attributes:
        type: Pulumi's type token
        id: as the provider writes it, usually a full name
        urn: the engine's name for it
        project: the provider's, for resources that do not name one
        values: the properties that identify it
        view: whether it is a BigQuery view
    """

    type: str
    id: str
    urn: str
    project: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    view: bool = False

    @classmethod
    def of(
        cls, type_: str, id_: str, urn: str, properties: Mapping[str, Any], project: str
    ) -> "ManagedResource":
        """Keep the properties that identify a resource; no secret, no data."""
        row = RESOURCE_TYPES.get(type_)
        wanted = {*_fields(row), *_MORE} if row else set()
        values = {key: properties[key] for key in sorted(wanted) if properties.get(key)}
        view = type_.startswith("gcp:bigquery/table:") and any(map(properties.get, _VIEW))
        return cls(type_, id_, urn, project, values, view=view)

    @property
    def key(self) -> tuple[str, str]:
        """The identity of the resource; a replaced resource has the URN of its successor."""
        return self.urn, self.id

    @property
    def type_name(self) -> str:
        """The type of the resource, for people."""
        if self.is_grant:
            return "grant"
        return "BigQuery view" if self.view else names.type_name_of(self.type)

    @property
    def name(self) -> str:
        """Its full name; of a grant "ROLE for MEMBER on RESOURCE"."""
        if self.is_grant:
            return f"{self.values['role']} for {self.values['member']} on {self.resource_name}"
        return self.id

    @property
    def is_grant(self) -> bool:
        """Whether it is a role for a member."""
        row = RESOURCE_TYPES.get(self.type)
        return row is not None and row.grant

    @property
    def resource_name(self) -> str:
        """The resource's own name; for a grant, the name of the resource it is on."""
        row = RESOURCE_TYPES.get(self.type)
        found = row.identify(self.values, self.project) if row and row.grant else None
        return found.partition(" ")[0] if found else self.id

    def to_json(self) -> dict[str, Any]:
        """Return the journal's representation."""
        return asdict(self)

    def to_report(self) -> dict[str, str]:
        """Return the shape in which `--json` prints it."""
        return {"kind": self.type_name, "name": self.name, "type": self.type}


def _fields(row: ResourceType) -> set[str]:
    fields = {f.partition(".")[0] for _, f, _, _ in Formatter().parse(row.id) if f}
    return fields | {"project"}


class Status(StrEnum):
    """The answer of the services about a resource."""

    GONE = "gone"
    THERE = "still there"
    UNKNOWN = "not checked"


def check_exists(resources: Iterable[ManagedResource]) -> list[tuple[ManagedResource, Status]]:
    """Ask the services which of these exist.

    Contents of a deleted container are not looked up.

    Raises:
        ScriptError: a service does not answer
    """
    lookup = Lookup()
    gone: set[str] = set()
    found = []
    # Containers have shorter names than their contents.
    for resource in sorted(
        resources, key=lambda resource: (len(resource.resource_name), resource.is_grant)
    ):
        status = _status(resource, lookup, gone)
        # A bucket's name may be a project's name too.
        if status is Status.GONE and not resource.is_grant and "/" in resource.id:
            gone.add(resource.id)
        found.append((resource, status))
    order = {id(resource): index for index, resource in enumerate(resources)}
    return sorted(found, key=lambda each: order[id(each[0])])


def _status(resource: ManagedResource, lookup: Lookup, gone: set[str]) -> Status:
    row = RESOURCE_TYPES.get(resource.type)
    if row is None:
        return Status.UNKNOWN
    if any(f"{resource.resource_name}/".startswith(f"{name}/") for name in gone):
        return Status.GONE
    check = CHECKS.get(resource.type)
    try:
        if check is not None:
            there = check(lookup, resource)
        else:
            there = row.find(resource.values, resource.project, resource.id, lookup)
    except NotServedError:
        return Status.UNKNOWN
    return Status.THERE if there else Status.GONE


def _usable_key(lookup: Lookup, key: ManagedResource) -> bool:
    """Return whether a key has a usable version: Google keeps the name of a key for ever."""
    collection = "projects.locations.keyRings.cryptoKeys"
    if lookup.get("kms", collection, key.id) is None:
        return False
    versions = clients.key_management().projects().locations().keyRings().cryptoKeys()
    at = versions.cryptoKeyVersions()
    request = at.list(parent=key.id)
    while request is not None:
        with translate_errors(f"listing the versions of {key.id}"):
            answer = retry.call(request.execute)
        for version in answer.get("cryptoKeyVersions", []):
            if not version["state"].startswith("DESTROY"):
                return True
        request = at.list_next(request, answer)
    return False


CHECKS: dict[str, Callable[[Lookup, ManagedResource], bool]] = {_KEY: _usable_key}
"""Types whose names stay after their deletion."""
