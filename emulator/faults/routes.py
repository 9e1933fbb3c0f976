"""Paths of fault injection, which the real cloud does not have."""

from collections.abc import Iterator
from functools import partial

from starlette.routing import Route

from emulator.faults import responses
from emulator.faults.models import Faults


def routes(faults: Faults) -> Iterator[Route]:
    """Yield every route, under `/_emulator/`."""
    yield Route("/_emulator/faults", partial(responses.add, faults), methods=["POST"])
    yield Route("/_emulator/faults", partial(responses.list_faults, faults), methods=["GET"])
    yield Route("/_emulator/faults", partial(responses.clear, faults), methods=["DELETE"])
