"""Calls about the local Google Cloud itself, which the real one does not have."""

from collections.abc import Iterator
from functools import partial

from starlette.routing import Route

from emulator.control import inspection, responses
from emulator.control.models import Control
from emulator.core import rest
from emulator.core.route_tree import LazyRoute


def routes(control: Control) -> Iterator[Route]:
    """Yield every route: all under `/_emulator/`."""
    for method, name, handler in (
        ("GET", "health", responses.health),
        ("POST", "reset", responses.reset),
        ("POST", "seed", responses.seed),
        ("GET", "logs/{operation:path}", responses.operation_log),
    ):
        yield LazyRoute(f"/_emulator/{name}", partial(handler, control), method)
    project = "/_emulator/projects/{project}"
    for path, shown in (
        (f"{project}/containers", inspection.containers),
        (f"{project}/datasets", inspection.datasets),
        (f"{project}/policies", inspection.policies),
        (f"{project}/topics/{{topic:id}}/messages", inspection.messages),
    ):
        yield LazyRoute(path, rest.endpoint(control.inspected, shown), "GET")
