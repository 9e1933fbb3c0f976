"""What a stack's state says: what the stack made, and what of it a destroy has to leave."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

Json = dict[str, Any]

_STACK = "pulumi:pulumi:Stack"
_GCP = "pulumi:providers:gcp"
HEALTHCARE_DATASET = "gcp:healthcare/dataset:Dataset"
BIGQUERY_DATASET = "gcp:bigquery/dataset:Dataset"
BIGQUERY_TABLE = "gcp:bigquery/table:Table"
BUCKET = "gcp:storage/bucket:Bucket"
KEY_RING = "gcp:kms/keyRing:KeyRing"
KEY = "gcp:kms/cryptoKey:CryptoKey"
SERVICE = "gcp:projects/service:Service"
AGENT = "gcp:projects/serviceIdentity:ServiceIdentity"


class Why(StrEnum):
    """Why something that the stack made is left."""

    PROTECT = "protected by Pulumi (protect)"
    PREVENT = "its deletionPolicy is PREVENT"
    DELETION_PROTECTION = "its deletionProtection is on"
    ENDANGERED = "to be kept, but what it lies in or its key would go"
    NEEDED = "what is left needs it"
    ABANDON = "its deletionPolicy is ABANDON"
    RETAIN = "the program says so (retainOnDelete)"
    KEY_RING = "Google never deletes a key ring"
    KEY = "Google keeps the name of a key; its versions are destroyed"
    SERVICE = "services stay enabled"
    AGENT = "Google's own account"


HELD = frozenset({Why.PROTECT, Why.PREVENT, Why.DELETION_PROTECTION, Why.ENDANGERED, Why.NEEDED})
"""Left in the cloud and in the stack; the others only in the cloud."""

_BY_ITSELF = frozenset({Why.KEY_RING, Why.SERVICE, Why.AGENT})
"""Left whatever else is; a key is not: only what is left keeps its versions."""


@dataclass(frozen=True)
class Entry:
    """A resource of the state.

    Attributes:
        urn: the engine's name for it.
        type: Pulumi's type token.
        id: as the provider writes it; empty of a component.
        values: its properties: outputs, and inputs that have no output.
        needs: URNs of what must outlive it.
        made: whether the stack made it in the cloud: no component, no provider, nothing that was
            only read.
        why: the state's own reason to leave it, if there is one.
        touched: when the stack last created or changed it.
    """

    urn: str
    type: str
    id: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    needs: frozenset[str] = frozenset()
    made: bool = False
    why: Why | None = None
    touched: datetime | None = None

    @classmethod
    def from_json(cls, body: Json) -> "Entry":
        """Read an entry of `deployment.resources` of an exported stack."""
        values = {**(body.get("inputs") or {}), **(body.get("outputs") or {})}
        type_ = body["type"]
        made = bool(body.get("custom")) and not body.get("external")
        return cls(
            urn=body["urn"],
            type=type_,
            id=body.get("id", ""),
            values=values,
            needs=frozenset(_needs(body)),
            made=made and not type_.startswith("pulumi:"),
            why=_why(body, values),
            touched=_latest(body.get("created"), body.get("modified")),
        )


def _needs(body: Json) -> Iterator[str]:
    yield from body.get("dependencies") or ()
    for urns in (body.get("propertyDependencies") or {}).values():
        yield from urns or ()
    provider = body.get("provider", "").rpartition("::")[0]
    yield from (urn for urn in (provider, body.get("parent"), body.get("deletedWith")) if urn)


def _why(body: Json, values: Mapping[str, Any]) -> Why | None:
    if body.get("protect"):
        return Why.PROTECT
    policy, type_ = values.get("deletionPolicy"), body["type"]
    if policy == "PREVENT":
        return Why.PREVENT
    if type_ == BIGQUERY_TABLE and values.get("deletionProtection"):
        return Why.DELETION_PROTECTION
    if policy == "ABANDON":
        return Why.ABANDON
    if body.get("retainOnDelete"):
        return Why.RETAIN
    if type_ == SERVICE and values.get("disableOnDestroy"):
        return None
    return {KEY_RING: Why.KEY_RING, KEY: Why.KEY, SERVICE: Why.SERVICE, AGENT: Why.AGENT}.get(type_)


def _latest(*times: str | None) -> datetime | None:
    return max((datetime.fromisoformat(time) for time in times if time), default=None)


@dataclass(frozen=True)
class State:
    """A stack's state, and what follows from it for a destroy."""

    entries: tuple[Entry, ...] = ()
    pending: int = 0

    @classmethod
    def from_json(cls, exported: Json | None) -> "State":
        """Read `pulumi stack export`; a stack that has never been is empty."""
        deployment = (exported or {}).get("deployment") or {}
        entries = tuple(Entry.from_json(body) for body in deployment.get("resources") or ())
        return cls(entries, len(deployment.get("pending_operations") or ()))

    @property
    def made(self) -> list[Entry]:
        """What the stack made in the cloud."""
        return [entry for entry in self.entries if entry.made]

    @property
    def touched(self) -> datetime | None:
        """When the stack last created or changed anything that is still in it."""
        return max((e.touched for e in self.entries if e.touched), default=None)

    def left(self) -> dict[str, Why]:
        """Find what a destroy leaves: URN -> the reason, of resources that the stack made.

        What something that is left depends on, or lies in, is left too. Something to be let go of
        would be lost with what it lies in, or with the key that encrypts it: then all of it stays.
        """
        by_itself = {e.urn: e.why for e in self.entries if e.why in _BY_ITSELF}
        reasons = {**self._reasons(), **self._held(), **by_itself}
        made = {entry.urn for entry in self.made}
        return {urn: why for urn, why in reasons.items() if urn in made}

    def targets(self) -> list[str] | None:
        """Name what to destroy, by URN; None for everything."""
        held = self._held()
        if not held:
            return None
        urns = (e.urn for e in self.entries if e.urn not in held and e.type != _STACK)
        return list(dict.fromkeys(urns))

    def project_of(self, entry: Entry) -> str:
        """Look up the project that a resource's provider works in; empty if it names none."""
        providers = (e for e in self.entries if e.type == _GCP and e.urn in entry.needs)
        return next((str(e.values.get("project", "")) for e in providers), "")

    def destroyed(self, type_: str) -> list[Entry]:
        """What of a type a destroy would delete."""
        left = self.left()
        return [e for e in self.made if e.type == type_ and e.urn not in left]

    def _reasons(self) -> dict[str, Why]:
        return {entry.urn: entry.why for entry in self.entries if entry.why}

    def _held(self) -> dict[str, Why]:
        """What stays in the stack, too; components and providers among it."""
        reasons = self._reasons()
        held = {urn: why for urn, why in reasons.items() if why in HELD}
        self._hold_what_is_needed(held)
        for entry in self.entries:
            let_go = entry.why in (Why.ABANDON, Why.RETAIN) and entry.urn not in held
            if let_go and self._would_be_lost(entry, held, reasons):
                held[entry.urn] = Why.ENDANGERED
                self._hold_what_is_needed(held)
        return held

    def _would_be_lost(
        self, entry: Entry, held: Mapping[str, Why], reasons: Mapping[str, Why]
    ) -> bool:
        """Whether something would be lost though the engine lets go of it."""
        if any(urn not in held and urn not in reasons for urn in self._containers(entry)):
            return True
        needed = {entry.urn: Why.NEEDED}
        self._hold_what_is_needed(needed)
        keys = {other.urn for other in self.made if other.type == KEY}
        return any(urn in keys and urn not in held for urn in needed)

    def _hold_what_is_needed(self, held: dict[str, Why]) -> None:
        """Add to what is held all that it needs."""
        by_urn = {entry.urn: entry for entry in self.entries}
        todo = list(held)
        while todo:
            entry = by_urn.get(todo.pop())
            if entry is None:
                continue
            for urn in (*entry.needs, *self._containers(entry)):
                if urn in by_urn and urn not in held:
                    held[urn] = Why.NEEDED
                    todo.append(urn)

    def _containers(self, entry: Entry) -> Iterable[str]:
        """What the resource lies in, as far as names tell: a store's dataset, a table's."""
        if not entry.made or not entry.id:
            return []
        return [
            other.urn
            for other in self.entries
            if other.made and other.id and entry.id.startswith(f"{other.id}/")
        ]
