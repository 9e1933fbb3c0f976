"""The changes of a resource, by its versions, and the state without some of them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from emulator.services.healthcare.fhir.resources.models import ResourceStore
from emulator.services.healthcare.fhir.resources.version import Version

CREATE, UPDATE, DELETE = "CREATE", "UPDATE", "DELETE"
_VERSIONS = " UNION ALL ".join(
    f"SELECT number, store, type, id, version, method, body FROM {table}"  # noqa: S608 - our own
    for table in ("fhir_resources", "fhir_versions", "fhir_lost_versions")
)

_STEPS = (
    f"SELECT v.*, o.operation FROM ({_VERSIONS}) v LEFT JOIN fhir_operation_changes o"  # noqa: S608
    " ON o.store = v.store AND o.type = v.type AND o.id = v.id AND o.version = v.version"
    " WHERE v.store = ? AND v.type = ? AND v.id = ? ORDER BY v.version"
)


@dataclass(frozen=True, slots=True)
class Step:
    """A change of a resource.

    Attributes:
        change: `CREATE`, `UPDATE` or `DELETE`
        version: that the change made
        previous: the version before; None if the resource did not exist
        operation: the full name of the long-running operation that made it; empty for a call
    """

    change: str
    version: Version
    previous: Version | None
    operation: str


def changed(resources: ResourceStore, store: str, after: int) -> Iterator[tuple[str, str]]:
    """Yield the types and ids of the resources with a version later than one."""
    rows = resources.select(
        f"SELECT DISTINCT type, id FROM ({_VERSIONS}) WHERE store = ? AND version > ?"  # noqa: S608
        " ORDER BY type, id",
        (store, after),
    )
    return ((row["type"], row["id"]) for row in rows)


def steps(resources: ResourceStore, store: str, type_: str, id_: str) -> list[Step]:
    """Return the changes of a resource that are known, the first one first."""
    rows = resources.select(_STEPS, (store, type_, id_))
    found: list[Step] = []
    previous: Version | None = None
    for row in rows:
        version = Version.of(row)
        change = DELETE if version.is_deletion else UPDATE if previous else CREATE
        found.append(Step(change, version, previous, row["operation"] or ""))
        previous = None if version.is_deletion else version
    return found


def without(
    all_steps: Sequence[Step], is_chosen: Callable[[Step], bool]
) -> tuple[Version | None, list[Step]]:
    """Return the version that a resource has without the chosen changes, and these changes.

    The inverse of each change, the last one first, applies to what the later ones leave.
    """
    last = all_steps[-1].version
    state = None if last.is_deletion else last
    chosen = [step for step in reversed(all_steps) if is_chosen(step)]
    for step in chosen:
        if step.change == CREATE:
            state = None
        elif (step.change == DELETE) == (state is None):
            state = step.previous
    return state, chosen
