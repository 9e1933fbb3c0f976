"""Handlers of long-running operations.

Documented: https://cloud.google.com/run/docs/reference/rest/v2/projects.locations.operations.
"""

from functools import partial
from typing import Any

from emulator.core.discovery import api
from emulator.core.errors import bad_field, unimplemented
from emulator.core.resources.paging import paginate
from emulator.core.rest import Call
from emulator.core.timestamps import parse_duration
from emulator.services.run.responses import DEFAULT_PAGE, MAX_PAGE, parent
from emulator.services.run.service import Run

MAX_WAIT_SECONDS = 60.0

Json = dict[str, Any]


def list_operations(call: Call[Run]) -> Json:
    """Return the operations of a location."""
    if call.query.get("filter"):
        raise unimplemented("A filter of operations is not served by the local Google Cloud yet.")
    collection = parent(call, "operations")
    return paginate(
        partial(call.service.operations.page, collection),
        call.query,
        "operations",
        scope=collection,
        default=DEFAULT_PAGE,
        maximum=MAX_PAGE,
    )


def get_operation(call: Call[Run]) -> Json:
    """One operation."""
    return call.service.operations.get(_name(call))


def delete_operation(call: Call[Run]) -> Json:
    """Forget an operation."""
    call.service.operations.delete(_name(call))
    return {}


def wait_operation(call: Call[Run]) -> Json:
    """Return an operation once it has ended, or after the timeout."""
    api("run", "v2").check("GoogleLongrunningWaitOperationRequest", call.body)
    try:
        seconds = parse_duration(call.body.get("timeout") or f"{MAX_WAIT_SECONDS}s")
    except ValueError as error:
        raise bad_field("timeout", f"timeout: {error}") from None
    return call.service.operations.wait(_name(call), min(seconds, MAX_WAIT_SECONDS))


def _name(call: Call[Run]) -> str:
    return f"{parent(call, 'operations')}/{call.path['operation']}"
