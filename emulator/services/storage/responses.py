"""Requests and answers of buckets and their policies.

https://cloud.google.com/storage/docs/json_api/v1/buckets
"""

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlencode

import httpx
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from emulator.discovery import method_in, whole_path
from emulator.errors import ApiError
from emulator.fields import select
from emulator.http import Call, JsonResponse, limited_body, parse_json
from emulator.iam.models import without_conditions
from emulator.iam.responses import check_agents
from emulator.iam.validation import check_policy, check_requested_version
from emulator.storage import errors
from emulator.storage.errors import StorageError
from emulator.storage.models import resource, settings_of

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

Json = dict[str, Any]
Handler = Callable[[Call], Json | None]


def served(handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint for a handler, which runs in a thread; no answer is a 204."""

    async def endpoint(request: Request) -> Response:
        try:
            call = Call(
                cloud=request.app.state.cloud,
                path=request.path_params,
                query=request.query_params,
                body=parse_json(await limited_body(request)),
            )
            answer = await run_in_threadpool(handler, call)
            if answer is None:
                return Response(status_code=204)
            if fields := call.query.get("fields"):
                answer = select(answer, fields)
        except ApiError as error:
            raise errors.of(error) from error
        return JsonResponse(answer)

    return endpoint


async def forward(request: Request) -> Response:
    """Whatever is not about buckets themselves."""
    # Names of objects may hold slashes: only the path as it was sent tells them from others.
    path = whole_path(request.scope["raw_path"].decode("latin-1"))
    request = Request({**request.scope, "raw_path": path.encode("latin-1")}, request.receive)
    method = method_in("storage", "v1", request.method, path)
    if method not in (None, *_FORWARDED):
        raise StorageError(501, f"{method} is not served by the local Google Cloud yet.")
    answer: StreamingResponse = await request.app.state.storage(request)
    if method in _CHANGES and answer.status_code == httpx.codes.OK:
        async for _ in answer.body_iterator:
            pass  # to its end, so that the connection can be used again
        return await _read_again(request)
    return answer


async def _read_again(request: Request) -> Response:
    """The object that was changed: fake-gcs-server answers a change in a shape of its own."""
    query = {key: value for key, value in request.query_params.items() if key in _OF_ANSWERS}
    headers = [one for one in request.scope["headers"] if one[0] not in _OF_BODIES]
    scope = {**request.scope, "method": "GET", "headers": headers}
    scope["query_string"] = urlencode(query).encode()
    answer: Response = await request.app.state.storage(Request(scope))
    return answer


def list_buckets(call: Call) -> Json:
    """buckets.list: those of the project, and those of which the project is not known."""
    project = _project(call)
    prefix = call.query.get("prefix", "")
    items = [
        _shown(call, twin)
        for twin in call.cloud.storage.buckets()
        if twin["name"].startswith(prefix)
        and call.cloud.buckets.project_of(twin["name"]) in (None, project)
    ]
    return {"kind": "storage#buckets", **({"items": items} if items else {})}


def insert_bucket(call: Call) -> Json:
    """buckets.insert."""
    project = _project(call)
    settings = settings_of(call.body)
    name = call.body.get("name")
    if not name:
        raise StorageError(400, "Required parameter: name", "required")
    twin = call.cloud.storage.create(name)
    call.cloud.buckets.add(name, project, settings)
    return _shown(call, twin)


def get_bucket(call: Call) -> Json:
    """buckets.get."""
    twin = _twin(call)
    answer = _shown(call, twin)
    expected = call.query.get("ifMetagenerationMatch")
    if expected not in (None, answer["metageneration"]):
        raise errors.condition_not_met()
    return answer


def patch_bucket(call: Call) -> Json:
    """buckets.patch."""
    return _change(call, whole=False)


def put_bucket(call: Call) -> Json:
    """buckets.update."""
    return _change(call, whole=True)


def get_layout(call: Call) -> Json:
    """buckets.getStorageLayout: where a bucket lies, which gcloud asks before it lists."""
    bucket = get_bucket(call)
    settings = ("customPlacementConfig", "hierarchicalNamespace", "location", "locationType")
    shown = {key: bucket[key] for key in settings if key in bucket}
    return {"kind": "storage#storageLayout", "bucket": bucket["name"], **shown}


def list_managed_folders(call: Call) -> Json:
    """managedFolders.list: none, as nothing here makes one; gcloud asks before it removes all."""
    if not get_bucket(call)["iamConfiguration"]["uniformBucketLevelAccess"]["enabled"]:
        raise StorageError(412, "Managed folders need uniform bucket-level access.")
    return {"kind": "storage#managedFolders"}


def delete_bucket(call: Call) -> None:
    """buckets.delete; the bucket must be empty."""
    get_bucket(call)
    name = call.path["bucket"]
    call.cloud.storage.delete(name)
    call.cloud.buckets.drop(name)


def get_policy(call: Call) -> Json:
    """buckets.getIamPolicy."""
    version = check_requested_version(call.query.get("optionsRequestedPolicyVersion"))
    name = _twin(call)["name"]
    policy = call.cloud.buckets.policy(name)
    return _policy(name, policy if version == 3 else without_conditions(policy))


def set_policy(call: Call) -> Json:
    """buckets.setIamPolicy."""
    name = _twin(call)["name"]
    policy = {key: value for key, value in call.body.items() if key not in {"kind", "resourceId"}}
    check_policy(policy)
    check_agents(call.cloud, policy)
    return _policy(name, call.cloud.buckets.set_policy(name, policy))


def test_permissions(call: Call) -> Json:
    """buckets.testIamPermissions: the caller owns the local Google Cloud."""
    _twin(call)
    wanted = call.values("permissions")
    if not wanted:
        raise StorageError(400, "Required parameter: permissions", "required")
    return {"kind": "storage#testIamPermissionsResponse", "permissions": wanted}


def _change(call: Call, *, whole: bool) -> Json:
    twin = _twin(call)
    call.cloud.buckets.change(
        twin["name"],
        settings_of(call.body),
        whole=whole,
        expected=call.query.get("ifMetagenerationMatch", ""),
    )
    return _shown(call, twin)


def _project(call: Call) -> str:
    project = call.query.get("project")
    if not project:
        raise StorageError(400, "Required parameter: project", "required")
    return call.cloud.projects.id_of(project)


def _twin(call: Call) -> Json:
    """The bucket as fake-gcs-server has it; one that is not there leaves nothing behind."""
    name = call.path["bucket"]
    try:
        return call.cloud.storage.bucket(name)
    except StorageError as error:
        if error.code == 404:
            call.cloud.buckets.drop(name)
        raise


def _shown(call: Call, twin: Json) -> Json:
    return call.cloud.buckets.shown(twin, call.cloud.settings.root_url)


def _policy(name: str, policy: Json) -> Json:
    return {"kind": "storage#policy", "resourceId": resource(name), **policy}
