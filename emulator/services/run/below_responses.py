"""Handlers of executions and tasks of jobs, and of revisions.

Documented: https://cloud.google.com/run/docs/reference/rest/v2/projects.locations.jobs/run.
"""

from functools import partial
from typing import Any

from emulator.core import timestamps
from emulator.core.discovery import api
from emulator.core.errors import failed_precondition
from emulator.core.rest import Call
from emulator.services.run.resource_types import EXECUTION, JOB, REVISION, TASK, ResourceType
from emulator.services.run.responses import check_etag, name_of, page
from emulator.services.run.revisions import targets
from emulator.services.run.service import Run

Json = dict[str, Any]


def execution_name(call: Call[Run]) -> str:
    """Return the full name of the execution in the path."""
    return f"{name_of(call, JOB)}/{EXECUTION.collection}/{call.path['execution']}"


def run_job(call: Call[Run]) -> Json:
    """Start an execution of a job; the operation ends with it."""
    run = call.service
    messages = api("run", "v2")
    messages.check("GoogleCloudRunV2RunJobRequest", call.body)
    with run.lock:
        job = run.resources.get(name_of(call, JOB))
        check_etag(job, call.body.get("etag", ""))
        template = _overridden(job["template"], call.body.get("overrides") or {})
        if call.body.get("validateOnly"):
            return run.operations.ended(job)
        execution = run.executions.create(job, template)
        operation = run.operations.start(execution["name"])
    run.events.add(partial(run.executions.advance, execution["name"]))
    return operation


def list_executions(call: Call[Run]) -> Json:
    """Return the executions of a job."""
    return page(call, f"{name_of(call, JOB)}/{EXECUTION.collection}", EXECUTION.collection)


def get_execution(call: Call[Run]) -> Json:
    """One execution."""
    return call.service.resources.get(execution_name(call))


def cancel_execution(call: Call[Run]) -> Json:
    """Stop an execution; the operation ends once its tasks have."""
    run, name = call.service, execution_name(call)
    execution = run.resources.get(name)
    check_etag(execution, call.body.get("etag", ""))
    if "completionTime" in execution:
        raise failed_precondition(f"Execution {name.rpartition('/')[2]} has already completed.")
    operation = run.operations.start(name, survives_error=True)
    run.events.add(partial(run.executions.cancel, name))
    return operation


def delete_execution(call: Call[Run]) -> Json:
    """Delete an execution; its tasks are stopped."""
    run, name = call.service, execution_name(call)
    present = run.resources.get(name)
    check_etag(present, call.query.get("etag", ""))
    if call.query.get("validateOnly") == "true":
        return run.operations.ended(present)
    marked = {"deleteTime": timestamps.now()}
    run.resources.update(name, lambda body: {**body, **marked})
    operation = run.operations.start(name, survives_error=True)
    run.events.add(partial(run.executions.remove, name))
    return operation


def list_tasks(call: Call[Run]) -> Json:
    """Return the tasks of an execution."""
    return page(call, f"{execution_name(call)}/{TASK.collection}", TASK.collection)


def get_task(call: Call[Run]) -> Json:
    """One task."""
    name = f"{execution_name(call)}/{TASK.collection}/{call.path['task']}"
    return call.service.resources.get(name)


def list_revisions(call: Call[Run], resource_type: ResourceType) -> Json:
    """Return the revisions of a service or a worker pool."""
    return page(call, f"{name_of(call, resource_type)}/{REVISION.collection}", REVISION.collection)


def get_revision(call: Call[Run], resource_type: ResourceType) -> Json:
    """One revision."""
    return call.service.resources.get(_revision(call, resource_type))


def delete_revision(call: Call[Run], resource_type: ResourceType) -> Json:
    """Delete a revision that does not serve."""
    run, name = call.service, _revision(call, resource_type)
    present = run.resources.get(name)
    check_etag(present, call.query.get("etag", ""))
    owner = run.resources.get(name_of(call, resource_type))
    if name == owner["latestCreatedRevision"] or call.path["revision"] in targets(owner):
        raise failed_precondition(
            f"Revision {call.path['revision']} can't be deleted: it serves, or is the newest one."
        )
    if call.query.get("validateOnly") == "true":
        return run.operations.ended(present)
    run.resources.delete(name)
    operation = run.operations.start(name)
    run.operations.finish(name, present)
    return run.operations.get(operation["name"])


def _revision(call: Call[Run], resource_type: ResourceType) -> str:
    return f"{name_of(call, resource_type)}/{REVISION.collection}/{call.path['revision']}"


def _overridden(template: Json, overrides: Json) -> Json:
    """Return the template of an execution, with what the request overrides.

    An override without the name of a container is for the first one.
    """
    inner = dict(template["template"])
    containers = [dict(one) for one in inner["containers"]]
    for given in overrides.get("containerOverrides", []):
        named = [one for one in containers if one.get("name") == given.get("name")]
        container = named[0] if named else containers[0]
        if given.get("args") or given.get("clearArgs"):
            container["args"] = given.get("args", [])
        env = {one["name"]: one for one in [*container.get("env", []), *given.get("env", [])]}
        container["env"] = [*env.values()]
    inner["containers"] = containers
    if timeout := overrides.get("timeout"):
        inner["timeout"] = timeout
    count = overrides.get("taskCount") or template["taskCount"]
    return {**template, "taskCount": count, "template": inner}
