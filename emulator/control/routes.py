"""Calls about the local Google Cloud itself, which the real one does not have."""

from collections.abc import Iterator

from starlette.routing import Route

from emulator.control import responses


def routes() -> Iterator[Route]:
    """Every route: all under `/_emulator/`, but for the token endpoint of OAuth."""
    yield Route("/_emulator/health", responses.health, methods=["GET"])
    yield Route("/_emulator/reset", responses.reset, methods=["POST"])
    yield Route("/_emulator/seed", responses.seed, methods=["POST"])
    yield Route("/_emulator/logs/{operation:path}", responses.operation_log, methods=["GET"])
    yield Route("/token", responses.token, methods=["POST"])
