"""Answers of the control calls."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from emulator.control.models import Services
from emulator.http import JsonResponse


async def health(request: Request) -> Response:
    """Whether everything is ready, and the services beside this one each for itself."""
    neighbours = _neighbours(request)
    return JsonResponse(
        {
            "ready": neighbours.ready(),
            "trouble": neighbours.trouble(),
            "services": neighbours.states(),
        }
    )


async def reset(request: Request) -> Response:
    """Forget everything but the public bucket; answers once all is ready again."""
    await run_in_threadpool(request.app.state.cloud.reset)
    await run_in_threadpool(_neighbours(request).reset)
    return JsonResponse({})


async def seed(request: Request) -> Response:
    """Put back what is missing or altered in the public bucket."""
    await run_in_threadpool(_neighbours(request).seed)
    return JsonResponse({})


def _neighbours(request: Request) -> Services:
    services: Services = request.app.state.neighbours
    return services


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
