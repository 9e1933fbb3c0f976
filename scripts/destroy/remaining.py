"""What a stack made, and whether it is still there: asked of the services, not of Pulumi.

The names are taken from the stack's state before it is destroyed. How a kind of resource is looked
for is a row of `scripts/adoption/kinds.py`, by Pulumi's type token; what has no row is not checked,
and said not to be.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from string import Formatter
from typing import Any

from scripts.adoption.kinds import KINDS, Kind
from scripts.adoption.lookup import Lookup, NotServedError
from scripts.common import clients, retrying
from scripts.common.errors import translated
from scripts.preview import names

_MORE = ("condition",)  # of a grant, beside what its id is made of
_KEY = "gcp:kms/cryptoKey:CryptoKey"
_VIEW = ("view", "materializedView")


@dataclass(frozen=True)
class Made:
    """Something that the stack made.

    Attributes:
        type: Pulumi's type token.
        id: as the provider writes it, a full name as a rule.
        urn: the engine's name for it.
        project: the provider's, for what does not name one.
        values: those of its properties that it is looked for by.
        view: a table that only shows others.
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
    ) -> "Made":
        """Keep of a resource what it is looked for by, and nothing else: no secret, no data."""
        row = KINDS.get(type_)
        wanted = {*_fields(row), *_MORE} if row else set()
        values = {key: properties[key] for key in sorted(wanted) if properties.get(key)}
        view = type_.startswith("gcp:bigquery/table:") and any(map(properties.get, _VIEW))
        return cls(type_, id_, urn, project, values, view=view)

    @property
    def key(self) -> tuple[str, str]:
        """What tells it apart; a resource that was replaced has the URN of its successor."""
        return self.urn, self.id

    @property
    def kind(self) -> str:
        """What it is, in words."""
        if self.is_grant:
            return "grant"
        return "BigQuery view" if self.view else names.kind_of(self.type)

    @property
    def name(self) -> str:
        """Its full name; of a grant "ROLE for MEMBER on RESOURCE"."""
        if self.is_grant:
            return f"{self.values['role']} for {self.values['member']} on {self.resource}"
        return self.id

    @property
    def is_grant(self) -> bool:
        """Whether it is a role for a member."""
        row = KINDS.get(self.type)
        return row is not None and row.grant

    @property
    def resource(self) -> str:
        """The resource itself; of a grant the one it is on."""
        row = KINDS.get(self.type)
        found = row.identify(self.values, self.project) if row and row.grant else None
        return found.partition(" ")[0] if found else self.id

    def to_json(self) -> dict[str, Any]:
        """Give the shape in which it is remembered."""
        return asdict(self)

    def shown(self) -> dict[str, str]:
        """Give the shape in which `--json` prints it."""
        return {"kind": self.kind, "name": self.name, "type": self.type}


def _fields(row: Kind) -> set[str]:
    fields = {f.partition(".")[0] for _, f, _, _ in Formatter().parse(row.id) if f}
    return fields | {"project"}


class Verdict(StrEnum):
    """What the services say of something."""

    GONE = "gone"
    THERE = "still there"
    UNKNOWN = "not checked"


def examine(made: Iterable[Made]) -> list[tuple[Made, Verdict]]:
    """Ask the services which of these exist.

    What lay in something that is gone is gone with it, and not asked for again.

    Raises:
        ScriptError: a service can't tell.
    """
    lookup = Lookup()
    gone: set[str] = set()
    found = []
    # Containers have shorter names than what lies in them.
    for thing in sorted(made, key=lambda thing: (len(thing.resource), thing.is_grant)):
        verdict = _verdict(thing, lookup, gone)
        # A bucket's name alone may be that of a project as well.
        if verdict is Verdict.GONE and not thing.is_grant and "/" in thing.id:
            gone.add(thing.id)
        found.append((thing, verdict))
    order = {id(thing): place for place, thing in enumerate(made)}
    return sorted(found, key=lambda each: order[id(each[0])])


def _verdict(thing: Made, lookup: Lookup, gone: set[str]) -> Verdict:
    row = KINDS.get(thing.type)
    if row is None:
        return Verdict.UNKNOWN
    if any(f"{thing.resource}/".startswith(f"{name}/") for name in gone):
        return Verdict.GONE
    check = CHECKS.get(thing.type)
    try:
        if check is not None:
            there = check(lookup, thing)
        else:
            there = row.find(thing.values, thing.project, thing.id, lookup)
    except NotServedError:
        return Verdict.UNKNOWN
    return Verdict.THERE if there else Verdict.GONE


def _usable_key(lookup: Lookup, key: Made) -> bool:
    """Tell whether a key has a version that can still be used: Google keeps the name for good."""
    collection = "projects.locations.keyRings.cryptoKeys"
    if lookup.get("kms", collection, key.id) is None:
        return False
    versions = clients.key_management().projects().locations().keyRings().cryptoKeys()
    at = versions.cryptoKeyVersions()
    request = at.list(parent=key.id)
    while request is not None:
        with translated(f"listing the versions of {key.id}"):
            answer = retrying.call(request.execute)
        for version in answer.get("cryptoKeyVersions", []):
            if not version["state"].startswith("DESTROY"):
                return True
        request = at.list_next(request, answer)
    return False


CHECKS: dict[str, Callable[[Lookup, Made], bool]] = {_KEY: _usable_key}
"""Kinds that can't be gone as others can."""
