"""Paths of Cloud Run (https://cloud.google.com/run/docs/reference/rest)."""

from collections.abc import Iterator
from functools import partial

from starlette.routing import Route

from emulator.core import rest
from emulator.core.rest import JsonResponse
from emulator.services.iam.responses import policy_routes
from emulator.services.run import below_responses as below
from emulator.services.run import operation_responses as operations
from emulator.services.run import responses
from emulator.services.run.resource_types import JOB, SERVICE, WORKER_POOL
from emulator.services.run.service import Run
from emulator.services.run.serving.iap.tokens import KEYS_PATH

VERSION = "v2"
_LOCATION = "/projects/{project}/locations/{location}"
_EXECUTIONS = f"{_LOCATION}/jobs/{{id:id}}/executions"
_EXECUTION = f"{_EXECUTIONS}/{{execution:id}}"
_OPERATION = f"{_LOCATION}/operations/{{operation:id}}"


def routes(run: Run) -> Iterator[Route]:
    """Yield every route of the service."""
    yield Route(KEYS_PATH, lambda _: JsonResponse(run.iap_tokens.key_set()))
    route = partial(rest.routes, run, versions=(VERSION,))
    for resource_type in (SERVICE, JOB, WORKER_POOL):
        collection = f"{_LOCATION}/{resource_type.collection}"
        one = f"{collection}/{{id:id}}"
        name = partial(responses.name_of, resource_type=resource_type)
        yield from policy_routes(
            run.iam, run, one, name, responses.exists, "run", versions=(VERSION,)
        )
        for method, path, handler in (
            ("POST", collection, responses.create),
            ("GET", collection, responses.list_resources),
            ("GET", one, responses.get),
            ("PATCH", one, responses.patch),
            ("DELETE", one, responses.delete),
        ):
            yield from route(method, path, partial(handler, resource_type=resource_type))
    for resource_type in (SERVICE, WORKER_POOL):
        revisions = f"{_LOCATION}/{resource_type.collection}/{{id:id}}/revisions"
        for method, path, handler in (
            ("GET", revisions, below.list_revisions),
            ("GET", f"{revisions}/{{revision:id}}", below.get_revision),
            ("DELETE", f"{revisions}/{{revision:id}}", below.delete_revision),
        ):
            yield from route(method, path, partial(handler, resource_type=resource_type))
    yield from route("POST", f"{_LOCATION}/jobs/{{id:id}}:run", below.run_job)
    yield from route("GET", _EXECUTIONS, below.list_executions)
    yield from route("GET", _EXECUTION, below.get_execution)
    yield from route("DELETE", _EXECUTION, below.delete_execution)
    yield from route("POST", f"{_EXECUTION}:cancel", below.cancel_execution)
    yield from route("GET", f"{_EXECUTION}/tasks", below.list_tasks)
    yield from route("GET", f"{_EXECUTION}/tasks/{{task:id}}", below.get_task)
    yield from route("GET", f"{_LOCATION}/operations", operations.list_operations)
    yield from route("GET", _OPERATION, operations.get_operation)
    yield from route("DELETE", _OPERATION, operations.delete_operation)
    yield from route("POST", f"{_OPERATION}:wait", operations.wait_operation)
