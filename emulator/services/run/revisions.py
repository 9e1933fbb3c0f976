"""Revisions: what a service or a worker pool ran with at a time.

Documented (https://cloud.google.com/run/docs/reference/rest/v2/projects.locations.services.revisions
and https://cloud.google.com/run/docs/rollouts-rollbacks-traffic-migration): the fields, and that a
revision never changes. Observed in public reports: the form of ids.
"""

import secrets
import string
import uuid
from typing import Any

from emulator.core import timestamps
from emulator.services.run.conditions import CONTAINER_HEALTHY, READY, RECONCILING, condition
from emulator.services.run.models import Resource
from emulator.services.run.resource_types import SERVICE, ResourceType

_OF_TEMPLATE = frozenset({"healthCheckDisabled", "revision"})
"""Fields of a template that a revision does not have."""
_CONSONANTS = "".join(sorted({*string.ascii_lowercase} - {*"aeiou"}))

Json = dict[str, Any]


def new_revision(resource_type: ResourceType, owner: Resource) -> Resource:
    """Return the revision of the template of a service or a worker pool, which is not ready.

    Args:
        resource_type: of the owner
        owner: with its template and generation
    """
    template = owner["template"]
    id_ = owner["name"].rpartition("/")[2]
    name = template.get("revision") or f"{id_}-{int(owner['generation']):05d}-{suffix()}"
    now = timestamps.now()
    return {
        **{field: value for field, value in template.items() if field not in _OF_TEMPLATE},
        "name": f"{owner['name']}/revisions/{name}",
        "uid": str(uuid.uuid4()),
        "generation": "1",
        "createTime": now,
        "updateTime": now,
        "launchStage": owner.get("launchStage", "GA"),
        "reconciling": True,
        "conditions": [condition(READY, RECONCILING), condition(CONTAINER_HEALTHY, RECONCILING)],
        "etag": new_etag(),
        **({"service": id_} if resource_type is SERVICE else {}),
    }


def suffix(length: int = 3) -> str:
    """Return random letters that make an id of the service unique."""
    return "".join(secrets.choice(_CONSONANTS) for _ in range(length))


def new_etag() -> str:
    """Return an etag, which clients can't read."""
    return f'"{secrets.token_urlsafe(12)}"'


def targets(owner: Resource) -> dict[str, int]:
    """Return the ids of the revisions that serve a service or a worker pool, with percentages.

    A target without a revision is the latest one that is ready; none is before the first one.
    """
    found: dict[str, int] = {}
    for target in owner.get("traffic") or owner.get("instanceSplits", []):
        id_ = target.get("revision") or owner.get("latestReadyRevision", "").rpartition("/")[2]
        if id_ and target.get("percent"):
            found[id_] = found.get(id_, 0) + target["percent"]
    return found
