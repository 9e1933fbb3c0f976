"""Requests and answers of buckets and their policies.

https://cloud.google.com/storage/docs/json_api/v1/buckets

Inferred (conformance: storage-no-name-text, storage-no-permissions-text): the texts of refusals.
"""

from urllib.parse import urlencode

import httpx
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from emulator.core.discovery import method_in, whole_path
from emulator.core.rest import Call, Json
from emulator.core.strict_json import with_strict_json
from emulator.services.iam.models import without_conditions
from emulator.services.iam.validation import check_policy, check_requested_version
from emulator.services.storage import errors
from emulator.services.storage.errors import StorageError
from emulator.services.storage.models import resource, settings_of
from emulator.services.storage.service import Storage

_CHANGES = ("storage.objects.patch", "storage.objects.update")
_FORWARDED = (
    *_CHANGES,
    *(f"storage.objects.{verb}" for verb in ("compose", "copy", "delete", "get", "insert", "list")),
    "storage.objects.rewrite",
    "storage.objectAccessControls.list",
)
"""The methods that fake-gcs-server has."""
_OF_ANSWERS = {"alt", "fields", "prettyPrint", "projection"}
_OF_BODIES = {b"content-length", b"content-type", b"transfer-encoding"}


async def forward(storage: Storage, request: Request) -> Response:
    """Forward requests that are not about buckets themselves."""
    # Names of objects may hold slashes: only the raw path distinguishes them.
    path = whole_path(request.scope["raw_path"].decode("latin-1"))
    request = Request({**request.scope, "raw_path": path.encode("latin-1")}, request.receive)
    request = await with_strict_json(request)
    method = method_in("storage", "v1", request.method, path)
    if method not in (None, *_FORWARDED):
        raise StorageError(501, f"{method} is not served by the local Google Cloud yet.")
    answer = await storage.proxy(request)
    is_changed = method in _CHANGES and answer.status_code == httpx.codes.OK
    if is_changed and isinstance(answer, StreamingResponse):
        async for _ in answer.body_iterator:
            pass  # to its end, so that the connection can be used again
        return await _read_again(storage, request)
    return answer


async def _read_again(storage: Storage, request: Request) -> Response:
    """Return the changed object: fake-gcs-server answers a change in its own shape."""
    query = {key: value for key, value in request.query_params.items() if key in _OF_ANSWERS}
    headers = [one for one in request.scope["headers"] if one[0] not in _OF_BODIES]
    scope = {**request.scope, "method": "GET", "headers": headers}
    scope["query_string"] = urlencode(query).encode()
    return await storage.proxy(Request(scope))


def list_buckets(call: Call[Storage]) -> Json:
    """buckets.list: those of the project, and those of which the project is not known."""
    project = _project(call)
    prefix = call.query.get("prefix", "")
    items = [
        _represent(call, backend_resource)
        for backend_resource in call.service.backend.buckets()
        if backend_resource["name"].startswith(prefix)
        and call.service.buckets.project_of(backend_resource["name"]) in (None, project)
    ]
    return {"kind": "storage#buckets", **({"items": items} if items else {})}


def insert_bucket(call: Call[Storage]) -> Json:
    """buckets.insert."""
    project = _project(call)
    settings = settings_of(call.body)
    name = call.body.get("name")
    if not name:
        raise StorageError(400, "Required parameter: name", "required")
    backend_resource = call.service.backend.create(name)
    call.service.buckets.add(name, project, settings)
    return _represent(call, backend_resource)


def get_bucket(call: Call[Storage]) -> Json:
    """buckets.get."""
    backend_resource = _backend_resource(call)
    answer = _represent(call, backend_resource)
    expected = call.query.get("ifMetagenerationMatch")
    if expected not in (None, answer["metageneration"]):
        raise errors.condition_not_met()
    return answer


def patch_bucket(call: Call[Storage]) -> Json:
    """buckets.patch."""
    return _change(call, whole=False)


def put_bucket(call: Call[Storage]) -> Json:
    """buckets.update."""
    return _change(call, whole=True)


def get_layout(call: Call[Storage]) -> Json:
    """buckets.getStorageLayout: where a bucket lies, which gcloud asks before it lists."""
    bucket = get_bucket(call)
    settings = ("customPlacementConfig", "hierarchicalNamespace", "location", "locationType")
    layout = {key: bucket[key] for key in settings if key in bucket}
    return {"kind": "storage#storageLayout", "bucket": bucket["name"], **layout}


def list_managed_folders(call: Call[Storage]) -> Json:
    """managedFolders.list: an empty list. gcloud reads it before it deletes all objects."""
    if not get_bucket(call)["iamConfiguration"]["uniformBucketLevelAccess"]["enabled"]:
        raise StorageError(412, "Managed folders need uniform bucket-level access.")
    return {"kind": "storage#managedFolders"}


def delete_bucket(call: Call[Storage]) -> None:
    """buckets.delete; the bucket must be empty."""
    get_bucket(call)
    name = call.path["bucket"]
    call.service.backend.delete(name)
    call.service.buckets.delete(name)


def get_policy(call: Call[Storage]) -> Json:
    """buckets.getIamPolicy."""
    version = check_requested_version(call.query.get("optionsRequestedPolicyVersion"))
    name = _backend_resource(call)["name"]
    policy = call.service.buckets.policy(name)
    return _policy(name, policy if version == 3 else without_conditions(policy))


def set_policy(call: Call[Storage]) -> Json:
    """buckets.setIamPolicy."""
    name = _backend_resource(call)["name"]
    policy = {key: value for key, value in call.body.items() if key not in {"kind", "resourceId"}}
    check_policy(policy)
    call.service.iam.service_accounts.check_members(policy)
    return _policy(name, call.service.buckets.set_policy(name, policy))


def test_permissions(call: Call[Storage]) -> Json:
    """buckets.testIamPermissions: the caller owns the local Google Cloud."""
    _backend_resource(call)
    wanted = call.values("permissions")
    if not wanted:
        raise StorageError(400, "Required parameter: permissions", "required")
    return {"kind": "storage#testIamPermissionsResponse", "permissions": wanted}


def _change(call: Call[Storage], *, whole: bool) -> Json:
    backend_resource = _backend_resource(call)
    call.service.buckets.change(
        backend_resource["name"],
        settings_of(call.body),
        whole=whole,
        expected=call.query.get("ifMetagenerationMatch", ""),
    )
    return _represent(call, backend_resource)


def _project(call: Call[Storage]) -> str:
    project = call.query.get("project")
    if not project:
        raise StorageError(400, "Required parameter: project", "required")
    return call.service.projects.id_of(project)


def _backend_resource(call: Call[Storage]) -> Json:
    """Return the bucket as fake-gcs-server has it; one that is not there leaves nothing behind."""
    name = call.path["bucket"]
    try:
        return call.service.backend.bucket(name)
    except StorageError as error:
        if error.code == 404:
            call.service.buckets.delete(name)
        raise


def _represent(call: Call[Storage], backend_resource: Json) -> Json:
    return call.service.buckets.to_rest(backend_resource, call.service.root_url)


def _policy(name: str, policy: Json) -> Json:
    return {"kind": "storage#policy", "resourceId": resource(name), **policy}
