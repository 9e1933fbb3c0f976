"""Answers of the control calls."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from emulator.http import JsonResponse


async def health(request: Request) -> Response:
    """Whether the services beside this one are ready."""
    state = request.app.state
    return JsonResponse({"ready": state.ready(), "trouble": state.trouble()})


async def operation_log(request: Request) -> Response:
    """The log behind an operation's `logsUrl`: what failed, and why."""
    cloud, name = request.app.state.cloud, request.path_params["operation"]
    await run_in_threadpool(cloud.operations.get, name)
    failures = await run_in_threadpool(cloud.operations.failures, name)
    return JsonResponse({"operation": name, "entries": failures})


async def token(_request: Request) -> Response:
    """An access token for anyone on this machine: every caller owns the local Google Cloud.

    It lets Google's libraries use the service-account key of `emulator.credentials` as a real one
    (https://datatracker.ietf.org/doc/html/rfc7523).
    """
    return JsonResponse({"access_token": "local", "expires_in": 3600, "token_type": "Bearer"})
