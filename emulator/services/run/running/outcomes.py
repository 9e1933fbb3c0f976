"""Resources after a rollout: their conditions, and which revisions serve."""

from emulator.core import timestamps
from emulator.services.run.conditions import Condition
from emulator.services.run.models import Resource
from emulator.services.run.resource_types import SERVICE, type_of
from emulator.services.run.revisions import new_etag


def with_conditions(body: Resource, *changed: Condition) -> Resource:
    """Return a resource with conditions in the place of those of the same types."""
    types = {one["type"] for one in changed}
    kept = [one for one in body.get("conditions", []) if one["type"] not in types]
    return {**body, "conditions": [*changed, *kept]}


def served_by(revision: str, owner: Resource) -> Resource:
    """Return a service or a worker pool, one of whose revisions has become ready."""
    if owner["latestCreatedRevision"] != revision:
        return owner
    return {**owner, "latestReadyRevision": revision, "reconciling": True}


def outcome_of(one: Condition) -> tuple[str, str, str]:
    """Return the parts of a condition that say more than its time."""
    return one["type"], one["state"], one.get("message", "")


def settled(body: Resource) -> Resource:
    """Return a resource whose newest generation has become what it is to be, or has failed."""
    whole = {**body, "updateTime": timestamps.now(), "etag": new_etag()}
    whole["observedGeneration"] = whole["generation"]
    whole.pop("reconciling", None)
    return whole


def serving_statuses(owner: Resource) -> Resource:
    """Return the fields that say which revisions serve."""
    if type_of(owner["name"]) is SERVICE:
        return {"trafficStatuses": [{**target} for target in owner.get("traffic", [])]}
    return {"instanceSplitStatuses": [{**split} for split in owner.get("instanceSplits", [])]}
