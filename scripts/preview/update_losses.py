"""Updates that lose data: rules that make it expire, and fewer disks."""

from collections.abc import Mapping

from scripts.lib.property_values import Special, Value
from scripts.preview.model import Change, PropertyChange, State
from scripts.preview.names import name, type_name
from scripts.preview.sentences import Loss, Name, title

BUCKET = "gcp:storage/bucket:Bucket"
TABLE = "gcp:bigquery/table:Table"
GROUP = "gcp:compute/regionInstanceGroupManager:RegionInstanceGroupManager"


def update_losses(change: Change, *, hide: bool) -> list[Loss]:
    """Return the losses of an update."""
    return [*_deleted_disks(change, hide=hide), *_expiries(change, hide=hide)]


def is_stateful(group: State) -> bool:
    """Return whether the instances of a group keep disks: the spools of adapters."""
    return group.get("statefulDisks") not in (Special.ABSENT, None, [])


def _deleted_disks(change: Change, *, hide: bool) -> list[Loss]:
    """Return the update after which a group has fewer disks that it keeps."""
    if change.old is None or change.new is None or change.old.type != GROUP:
        return []
    if not is_stateful(change.old):
        return []
    old, new = change.old.get("targetSize"), change.new.get("targetSize")
    key = ""
    if not is_stateful(change.new):
        key = "statefulDisks"
    elif isinstance(old, int | float) and isinstance(new, int | float) and new < old:
        key = "targetSize"
    if not key:
        return []
    words = " would delete disks of instances, with the undelivered data on them ("
    sentence = (*title(change.state, hide=hide), words, Name(key), ").")
    named = name(change.state, hide=hide)
    return [Loss(change.urn, type_name(change.state), named, "disks deleted", sentence)]


def _expiries(change: Change, *, hide: bool) -> list[Loss]:
    """Return the updates after which the cloud would delete data by itself."""
    state = change.state
    endings = {
        BUCKET: ("lifecycleRules", "would get a rule that deletes objects by itself"),
        TABLE: ("expirationTime", "would expire, with all rows in it"),
    }
    found = []
    for prop in change.properties:
        if _sets_deletion(state, prop) or _shortens_partitions(state, prop):
            rule, words = endings.get(state.type, ("", ""))
            if state.type == TABLE and prop.path[0] != rule:
                words = "would delete its older partitions by itself"
            sentence = (*title(state, hide=hide), f" {words} (", Name(str(prop.path[0])), ").")
            loss = Loss(change.urn, type_name(state), name(state, hide=hide), "expires", sentence)
            if loss not in found:
                found.append(loss)
    return found


def _sets_deletion(state: State, prop: PropertyChange) -> bool:
    new: Value = prop.new
    if state.type == BUCKET and prop.path[0] == "lifecycleRules":
        text = new.get("type") if isinstance(new, Mapping) else new
        touches = {"action", "condition"} & {s for s in prop.path if isinstance(s, str)}
        return text == "Delete" or ("condition" in touches and new is not Special.ABSENT)
    if state.type == TABLE and prop.path[0] == "expirationTime":
        return new not in (Special.ABSENT, None, 0)
    return False


def _shortens_partitions(state: State, prop: PropertyChange) -> bool:
    if state.type != TABLE or prop.path != ("timePartitioning", "expirationMs"):
        return False
    old, new = prop.old, prop.new
    if isinstance(old, int | float) and isinstance(new, int | float):
        return new < old
    return new not in (Special.ABSENT, None, 0)
