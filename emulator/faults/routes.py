"""Calls that put faults in force; the real cloud has none, and needs none."""

from collections.abc import Iterator

from starlette.routing import Route

from emulator.faults import responses


def routes() -> Iterator[Route]:
    """Every route, under `/_emulator/`."""
    yield Route("/_emulator/faults", responses.add, methods=["POST"])
    yield Route("/_emulator/faults", responses.listed, methods=["GET"])
    yield Route("/_emulator/faults", responses.clear, methods=["DELETE"])
