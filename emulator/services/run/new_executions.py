"""New executions of jobs and their tasks.

Observed in public reports: the ids of executions and tasks.
"""

import uuid
from typing import Any

from emulator.core import timestamps
from emulator.services.run.conditions import (
    COMPLETED,
    RECONCILING,
    STARTED,
    SUCCEEDED,
    condition,
)
from emulator.services.run.models import Resource
from emulator.services.run.revisions import new_etag, suffix

_SUFFIX_LETTERS = 5
_TASK_FIELDS = ("containers", "volumes", "serviceAccount", "timeout", "maxRetries", "vpcAccess")

Json = dict[str, Any]


def new_execution(job: Resource, template: Json) -> Resource:
    """Return an execution of a job that has not begun.

    Args:
        job: the job
        template: its ExecutionTemplate, with what the request overrides
    """
    id_ = job["name"].rpartition("/")[2]
    now = timestamps.now()
    parallelism = template.get("parallelism")
    return {
        "name": f"{job['name']}/executions/{id_}-{suffix(_SUFFIX_LETTERS)}",
        "uid": str(uuid.uuid4()),
        "generation": "1",
        "createTime": now,
        "startTime": now,
        "updateTime": now,
        "launchStage": job.get("launchStage", "GA"),
        "job": id_,
        "taskCount": template["taskCount"],
        **({"parallelism": parallelism} if parallelism else {}),
        "template": template["template"],
        "reconciling": True,
        "conditions": [condition(COMPLETED, RECONCILING), condition(STARTED, SUCCEEDED)],
        "etag": new_etag(),
        **{field: template[field] for field in ("labels", "annotations") if field in template},
    }


def new_task(execution: Resource, index: int) -> Resource:
    """Return a task of an execution that has not begun."""
    now = timestamps.now()
    id_ = execution["name"].rpartition("/")[2]
    template = execution["template"]
    return {
        **{field: template[field] for field in _TASK_FIELDS if field in template},
        "name": f"{execution['name']}/tasks/{id_}-task{index}",
        "uid": str(uuid.uuid4()),
        "generation": "1",
        "createTime": now,
        "scheduledTime": now,
        "updateTime": now,
        "job": execution["job"],
        "execution": id_,
        **({"index": index} if index else {}),
        "reconciling": True,
        "conditions": [condition(COMPLETED, RECONCILING)],
        "etag": new_etag(),
    }
