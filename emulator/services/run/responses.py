"""Handlers of services, jobs and worker pools: create, get, list, patch, delete.

Documented: https://cloud.google.com/run/docs/reference/rest. Observed in public reports: the texts
of refusals.
"""

import uuid
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from starlette.datastructures import QueryParams

from emulator.core import timestamps
from emulator.core.discovery import api
from emulator.core.errors import aborted, already_exists, permission_denied
from emulator.core.resources.field_mask import FieldMask
from emulator.core.resources.paging import paginate
from emulator.core.rest import Call
from emulator.services.iam import callers
from emulator.services.iam_api.default_account import ensure_default_account
from emulator.services.iap.names import policy_name
from emulator.services.run import templates
from emulator.services.run.conditions import READY, RECONCILING, SUCCEEDED, condition
from emulator.services.run.models import Resource
from emulator.services.run.resource_types import JOB, REVISION, SERVICE, ResourceType
from emulator.services.run.revisions import new_etag, new_revision
from emulator.services.run.service import Run

MAX_PAGE, DEFAULT_PAGE = 1000, 100

Json = dict[str, Any]


def parent(call: Call[Run], collection: str) -> str:
    """Return the collection of resources in the path."""
    project = call.service.projects.resolve(call.path["project"])
    return f"projects/{project}/locations/{call.path['location']}/{collection}"


def name_of(call: Call[Run], resource_type: ResourceType) -> str:
    """Return the full name of the resource in the path."""
    return f"{parent(call, resource_type.collection)}/{call.path['id']}"


def exists(call: Call[Run], name: str) -> bool:
    """Whether a resource exists."""
    return call.service.resources.find(name) is not None


def create(call: Call[Run], resource_type: ResourceType) -> Json:
    """Create a resource; the operation ends once it runs, or does not."""
    run, id_ = call.service, call.query.get(resource_type.id_parameter, "")
    collection = parent(call, resource_type.collection)
    templates.check_id(resource_type, id_)
    name = f"{collection}/{id_}"
    body = _checked(call, resource_type, name, templates.given(resource_type, call.body))
    now = timestamps.now()
    caller = _caller(call)
    whole = {
        **body,
        "name": name,
        "uid": str(uuid.uuid4()),
        "generation": "1",
        "createTime": now,
        "updateTime": now,
        "creator": caller,
        "lastModifier": caller,
        "etag": new_etag(),
        "reconciling": True,
        "conditions": [condition(READY, RECONCILING)],
        "terminalCondition": condition(READY, RECONCILING),
    }
    with run.lock:
        if run.resources.find(whole["name"]):
            raise already_exists(f"Resource '{id_}' already exists.")
        if _is_dry(call):
            return run.operations.ended(whole)
        return _begin(run, resource_type, whole, run.resources.create, is_new_revision=True)


def get(call: Call[Run], resource_type: ResourceType) -> Json:
    """One resource."""
    return call.service.resources.get(name_of(call, resource_type))


def list_resources(call: Call[Run], resource_type: ResourceType) -> Json:
    """Return the resources of a location."""
    return page(call, parent(call, resource_type.collection), resource_type.collection)


def page(call: Call[Run], collection: str, field: str) -> Json:
    """Return a page of a collection."""
    return paginate(
        partial(call.service.resources.page, collection),
        call.query,
        field,
        scope=collection,
        default=DEFAULT_PAGE,
        maximum=MAX_PAGE,
    )


def patch(call: Call[Run], resource_type: ResourceType) -> Json:
    """Change a resource: the fields of the mask, or all that a client may set."""
    run, name = call.service, name_of(call, resource_type)
    given = templates.given(resource_type, call.body)
    if call.query.get("allowMissing") == "true" and run.resources.find(name) is None:
        query = QueryParams({**call.query, resource_type.id_parameter: _id(name)})
        return create(replace(call, query=query), resource_type)
    with run.lock:
        present = run.resources.get(name)
        check_etag(present, call.body.get("etag", ""))
        settable = templates.settable(resource_type)
        kept = {key: value for key, value in present.items() if key not in settable}
        mask = FieldMask.parse(
            call.query.get("updateMask", ""), api("run", "v2"), resource_type.message
        )
        changed = mask.apply(present, given) if mask.paths else given
        body = _checked(
            call, resource_type, name, {key: changed[key] for key in changed if key in settable}
        )
        whole = {
            **kept,
            **body,
            "updateTime": timestamps.now(),
            "lastModifier": _caller(call),
            "generation": str(int(present["generation"]) + 1),
            "etag": new_etag(),
            "reconciling": True,
            "terminalCondition": condition(READY, RECONCILING),
        }
        if _is_dry(call):
            return run.operations.ended(whole)
        is_new = body["template"] != present["template"] or (
            call.query.get("forceNewRevision") == "true"
        )
        write = partial(_replace, run, name)
        return _begin(run, resource_type, whole, write, is_new_revision=is_new)


def delete(call: Call[Run], resource_type: ResourceType) -> Json:
    """Delete a resource; the operation ends once nothing of it runs."""
    run, name = call.service, name_of(call, resource_type)
    with run.lock:
        present = run.resources.get(name)
        check_etag(present, call.query.get("etag", ""))
        if _is_dry(call):
            return run.operations.ended(present)
        marked = {"deleteTime": timestamps.now()}
        run.resources.update(name, lambda body: {**body, **marked})
        run.iam.policies.delete_prefix(name)
        if resource_type is SERVICE:
            # A new service of this name must not let in who passed the proxy before this one.
            run.iam.policies.delete_prefix(policy_name(name))
        operation = run.operations.start(name, survives_error=True)
    remove = run.executions.remove if resource_type is JOB else run.rollouts.remove
    run.events.add(partial(remove, name))
    return operation


def check_etag(present: Resource, etag: str) -> None:
    """Raise an error if a client names another etag than that of a resource.

    Raises:
        ApiError: 409
    """
    if etag and etag != present.get("etag"):
        raise aborted(
            f"Conflict for resource '{_id(present['name'])}': version '{etag}' was specified but "
            f"current version is '{present.get('etag')}'."
        )


def _begin(
    run: Run,
    resource_type: ResourceType,
    whole: Resource,
    write: Callable[..., None],
    *,
    is_new_revision: bool,
) -> Json:
    """Write a resource, with its new revision if it has one, and start an operation on it.

    Raises:
        ApiError: 409 if the revision that the template names exists
    """
    if resource_type is JOB:
        ready = {"terminalCondition": condition(READY, SUCCEEDED)}
        done = {**whole, **ready, "observedGeneration": whole["generation"], "conditions": []}
        done.pop("reconciling")
        write(done)
        operation = run.operations.start(whole["name"])
        run.operations.finish(whole["name"], done)
        return run.operations.get(operation["name"])
    revisions = []
    if is_new_revision:
        revisions = [new_revision(resource_type, whole)]
        if run.resources.find(revisions[0]["name"]):
            raise already_exists(
                f"Revision named '{_id(revisions[0]['name'])}' with different configuration "
                "already exists."
            )
        whole = {**whole, "latestCreatedRevision": revisions[0]["name"]}
    write(whole, *revisions)
    operation = run.operations.start(whole["name"])
    run.events.add(partial(run.rollouts.roll_out, whole["name"]))
    return operation


def _replace(run: Run, name: str, body: Resource, *revisions: Resource) -> None:
    run.resources.create(*revisions)
    run.resources.update(name, lambda present: {**_since(present), **body})


def _since(present: Resource) -> Resource:
    """Return what the rollout of an earlier change may have written meanwhile."""
    fields = ("latestReadyRevision", "uri", "urls")
    return {field: present[field] for field in fields if field in present}


def _checked(call: Call[Run], resource_type: ResourceType, name: str, body: Json) -> Json:
    """Return a resource with its defaults.

    Raises:
        ApiError: 400 for a template that is not valid, 403 for a service account that is missing
    """
    project = call.service.projects.resolve(call.path["project"])
    default = ensure_default_account(call.service.iam_api, project)
    whole = templates.complete(resource_type, body, call.body, default)
    if resource_type is SERVICE:
        revisions = call.service.resources.below(f"{name}/{REVISION.collection}/")
        ids = {_id(one["name"]) for one in revisions}
        templates.check_traffic(whole, {*ids, whole["template"].get("revision", "")})
    account = templates.container_template(resource_type, whole)["serviceAccount"]
    if call.service.iam_api.accounts.find(account) is None:
        raise permission_denied(
            f"Permission 'iam.serviceaccounts.actAs' denied on service account {account} (or it "
            "may not exist)."
        )
    return whole


def _id(name: str) -> str:
    return name.rpartition("/")[2]


def _is_dry(call: Call[Run]) -> bool:
    return call.query.get("validateOnly") == "true"


def _caller(call: Call[Run]) -> str:
    return callers.member_of(call.authorization).partition(":")[2]
