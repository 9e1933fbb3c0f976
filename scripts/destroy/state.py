"""A stack's state: its resources, and those that a destroy has to leave."""

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from scripts.resources.shared_grants import AUDIT_LOGS, is_entry

Json = dict[str, Any]

_STACK = "pulumi:pulumi:Stack"
_GCP = "pulumi:providers:gcp"
HEALTHCARE_DATASET = "gcp:healthcare/dataset:Dataset"
BIGQUERY_DATASET = "gcp:bigquery/dataset:Dataset"
BIGQUERY_TABLE = "gcp:bigquery/table:Table"
BUCKET = "gcp:storage/bucket:Bucket"
BUCKET_OBJECT = "gcp:storage/bucketObject:BucketObject"
GROUP = "gcp:compute/regionInstanceGroupManager:RegionInstanceGroupManager"
KEY_RING = "gcp:kms/keyRing:KeyRing"
KEY = "gcp:kms/cryptoKey:CryptoKey"
SERVICE = "gcp:projects/service:Service"
AGENT = "gcp:projects/serviceIdentity:ServiceIdentity"
EXISTING_GRANT = "gcp-healthcare-dicom:index:ExistingGrant"
"""Records that the grant of its name existed before the stack: components/existing_grants.py."""

_STORES = ("dicomStore:DicomStore", "fhirStore:FhirStore", "hl7Store:Hl7Store")
_DATA = frozenset(
    {HEALTHCARE_DATASET, BIGQUERY_DATASET, BIGQUERY_TABLE, BUCKET}
    | {f"gcp:healthcare/{store}" for store in (*_STORES, "consentStore:ConsentStore")}
)


class RetentionReason(StrEnum):
    """Why a resource of the stack is left."""

    PROTECT = "protected by Pulumi (protect)"
    PREVENT = "its deletionPolicy is PREVENT"
    DELETION_PROTECTION = "its deletionProtection is on"
    ENDANGERED = "to be kept, but what it lies in or its key would go"
    NEEDED = "what is left needs it"
    ACCESS = "data is left, and access to it stays logged and granted"
    ABANDON = "its deletionPolicy is ABANDON"
    EXISTED = "it existed before the stack"
    SHARED = "another stack needs it"
    UNSEEN = "a stack of another backend may need it (--remove-grants deletes it)"
    RETAIN = "the program says so (retainOnDelete)"
    KEY_RING = "Google never deletes a key ring"
    KEY = "Google keeps the name of a key; its versions are destroyed"
    SERVICE = "services stay enabled"
    AGENT = "Google's own account"


HELD = frozenset(
    {
        RetentionReason.PROTECT,
        RetentionReason.PREVENT,
        RetentionReason.DELETION_PROTECTION,
        RetentionReason.ENDANGERED,
        RetentionReason.NEEDED,
        RetentionReason.ACCESS,
    }
)
"""Reasons to leave a resource in the stack too; the others leave it in the cloud only."""

_BY_ITSELF = frozenset({RetentionReason.KEY_RING, RetentionReason.SERVICE, RetentionReason.AGENT})
"""Reasons that do not depend on other resources."""


@dataclass(frozen=True)
class Entry:
    """A resource of the state.

    Attributes:
        urn: the engine's name for it
        type: Pulumi's type token
        id: as the provider writes it; empty for a component
        values: its outputs, and inputs without an output
        needs: URNs of resources that must outlive it
        managed: whether the stack created it in the cloud: no component, no provider, nothing
            that was only read
        why: the reason in the state to leave it, if there is one
        touched: time of its last creation or change by the stack
    """

    urn: str
    type: str
    id: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    needs: frozenset[str] = frozenset()
    managed: bool = False
    why: RetentionReason | None = None
    touched: datetime | None = None

    @property
    def name(self) -> str:
        """The logical name."""
        return self.urn.rpartition("::")[2]

    @classmethod
    def from_json(cls, body: Json) -> "Entry":
        """Read an entry of `deployment.resources` of an exported stack."""
        values = {**(body.get("inputs") or {}), **(body.get("outputs") or {})}
        type_ = body["type"]
        managed = bool(body.get("custom")) and not body.get("external")
        return cls(
            urn=body["urn"],
            type=type_,
            id=body.get("id", ""),
            values=values,
            needs=frozenset(_needs(body)),
            managed=managed and not type_.startswith("pulumi:"),
            why=_why(body, values),
            touched=_latest(body.get("created"), body.get("modified")),
        )


def _needs(body: Json) -> Iterator[str]:
    yield from body.get("dependencies") or ()
    for urns in (body.get("propertyDependencies") or {}).values():
        yield from urns or ()
    provider = body.get("provider", "").rpartition("::")[0]
    yield from (urn for urn in (provider, body.get("parent"), body.get("deletedWith")) if urn)


def _why(body: Json, values: Mapping[str, Any]) -> RetentionReason | None:
    if body.get("protect"):
        return RetentionReason.PROTECT
    policy, type_ = values.get("deletionPolicy"), body["type"]
    if policy == "PREVENT":
        return RetentionReason.PREVENT
    if type_ == BIGQUERY_TABLE and values.get("deletionProtection"):
        return RetentionReason.DELETION_PROTECTION
    if policy == "ABANDON":
        return RetentionReason.ABANDON
    if body.get("retainOnDelete"):
        return RetentionReason.RETAIN
    if type_ == SERVICE and values.get("disableOnDestroy"):
        return None
    return {
        KEY_RING: RetentionReason.KEY_RING,
        KEY: RetentionReason.KEY,
        SERVICE: RetentionReason.SERVICE,
        AGENT: RetentionReason.AGENT,
    }.get(type_)


def _with_existing(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """Return the entries with the grants that existed before the stack marked as such."""
    found = tuple(entries)
    names = {entry.name for entry in found if entry.type == EXISTING_GRANT}
    return tuple(
        replace(entry, why=RetentionReason.EXISTED)
        if entry.why is RetentionReason.RETAIN and entry.name in names and is_entry(entry.type)
        else entry
        for entry in found
    )


def _latest(*times: str | None) -> datetime | None:
    return max((datetime.fromisoformat(time) for time in times if time), default=None)


@dataclass(frozen=True)
class State:
    """A stack's state, with the resources that a destroy deletes and leaves."""

    entries: tuple[Entry, ...] = ()
    pending: int = 0
    exists: bool = False

    @classmethod
    def from_json(cls, exported: Json | None) -> "State":
        """Read `pulumi stack export`; a stack that has never been is empty."""
        deployment = (exported or {}).get("deployment") or {}
        entries = _with_existing(
            Entry.from_json(body) for body in deployment.get("resources") or ()
        )
        pending = len(deployment.get("pending_operations") or ())
        return cls(entries, pending, exists=exported is not None)

    def leaving(self, urns: Container[str], why: RetentionReason) -> "State":
        """Return the state with these entries of policies as left, unless they are already."""
        entries = tuple(
            replace(entry, why=why) if entry.urn in urns and entry.why is None else entry
            for entry in self.entries
        )
        return replace(self, entries=entries)

    @property
    def managed(self) -> list[Entry]:
        """The resources of the stack in the cloud."""
        return [entry for entry in self.entries if entry.managed]

    @property
    def touched(self) -> datetime | None:
        """The last creation or change of a resource that is still in the stack."""
        return max((e.touched for e in self.entries if e.touched), default=None)

    def left(self) -> dict[str, RetentionReason]:
        """Return the resources that a destroy leaves: URN -> reason.

        Their dependencies and containers are left too. While data is left, so are its grants and
        the audit configuration, so that access stays logged. A resource that Pulumi would only
        forget is left in the stack if its container or key would be deleted.
        """
        by_itself = {e.urn: e.why for e in self.entries if e.why in _BY_ITSELF}
        reasons = {**self._reasons(), **self._held(), **by_itself}
        managed = {entry.urn for entry in self.managed}
        return {urn: why for urn, why in reasons.items() if urn in managed}

    def targets(self) -> list[str] | None:
        """Return the URNs to destroy; None for everything."""
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
        """Return the resources of a type that a destroy would delete."""
        left = self.left()
        return [e for e in self.managed if e.type == type_ and e.urn not in left]

    def _reasons(self) -> dict[str, RetentionReason]:
        return {entry.urn: entry.why for entry in self.entries if entry.why}

    def _held(self) -> dict[str, RetentionReason]:
        """Return the resources that stay in the stack, components and providers included."""
        reasons = self._reasons()
        held = {urn: why for urn, why in reasons.items() if why in HELD}
        self._hold_what_is_needed(held)
        for entry in self.entries:
            let_go = (
                entry.why in (RetentionReason.ABANDON, RetentionReason.RETAIN)
                and entry.urn not in held
            )
            if let_go and self._would_be_lost(entry, held, reasons):
                held[entry.urn] = RetentionReason.ENDANGERED
                self._hold_what_is_needed(held)
        self._hold_access(held)
        return held

    def _would_be_lost(
        self,
        entry: Entry,
        held: Mapping[str, RetentionReason],
        reasons: Mapping[str, RetentionReason],
    ) -> bool:
        """Return whether a resource would be lost although Pulumi only forgets it."""
        if any(urn not in held and urn not in reasons for urn in self._containers(entry)):
            return True
        needed = {entry.urn: RetentionReason.NEEDED}
        self._hold_what_is_needed(needed)
        keys = {other.urn for other in self.managed if other.type == KEY}
        return any(urn in keys and urn not in held for urn in needed)

    def _hold_access(self, held: dict[str, RetentionReason]) -> None:
        """Add the audit configuration and the grants of the data that is held."""
        data = {e.urn for e in self.managed if e.urn in held and e.type in _DATA}
        if not data:
            return
        for entry in self.managed:
            needs_data = is_entry(entry.type) and not data.isdisjoint(entry.needs)
            if entry.type == AUDIT_LOGS or needs_data:
                held.setdefault(entry.urn, RetentionReason.ACCESS)
        self._hold_what_is_needed(held)

    def _hold_what_is_needed(self, held: dict[str, RetentionReason]) -> None:
        """Add the dependencies of the held resources."""
        by_urn = {entry.urn: entry for entry in self.entries}
        todo = list(held)
        while todo:
            entry = by_urn.get(todo.pop())
            if entry is None:
                continue
            for urn in (*entry.needs, *self._containers(entry)):
                if urn in by_urn and urn not in held:
                    held[urn] = RetentionReason.NEEDED
                    todo.append(urn)

    def _containers(self, entry: Entry) -> Iterable[str]:
        """Return the container of the resource by its name: a store's or a table's dataset."""
        if not entry.managed or not entry.id:
            return []
        return [
            other.urn
            for other in self.entries
            if other.managed and other.id and entry.id.startswith(f"{other.id}/")
        ]
