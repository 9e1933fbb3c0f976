"""Responses of the control calls."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from emulator.control.models import Control
from emulator.core.rest import JsonResponse


async def health(control: Control, _request: Request) -> Response:
    """Return whether everything is ready, and the state of each backend."""
    backends = control.backends
    return JsonResponse(
        {
            "ready": backends.ready(),
            "trouble": backends.failure(),
            "services": backends.states(),
        }
    )


async def reset(control: Control, _request: Request) -> Response:
    """Delete everything but the public bucket; respond once all is ready again."""
    await run_in_threadpool(control.reset)
    await run_in_threadpool(control.backends.reset)
    return JsonResponse({})


async def seed(control: Control, _request: Request) -> Response:
    """Restore missing and altered objects of the public bucket."""
    await run_in_threadpool(control.backends.seed)
    return JsonResponse({})


async def operation_log(control: Control, request: Request) -> Response:
    """Return the log behind an operation's `logsUrl`: each failed item, and the reason."""
    name = request.path_params["operation"]
    await run_in_threadpool(control.operations.get, name)
    failures = await run_in_threadpool(control.operations.failures, name)
    return JsonResponse({"operation": name, "entries": failures})
