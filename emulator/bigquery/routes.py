"""Paths of BigQuery that `bq` calls, on the emulator's own port.

Client libraries talk to bqemulator directly. `bq` first reads the discovery document at the API's
address, which bqemulator does not serve; so it is served here, and all else is passed on.
"""

from collections.abc import Iterator

from starlette.routing import Route

from emulator.bigquery import responses

_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


def routes() -> Iterator[Route]:
    """Every route."""
    yield Route("/$discovery/rest", responses.discovery, methods=["GET"])
    yield Route("/discovery/v1/apis/bigquery/v2/rest", responses.discovery, methods=["GET"])
    yield Route("/bigquery/v2/{path:path}", responses.forward, methods=_METHODS)
    yield Route("/upload/bigquery/v2/{path:path}", responses.forward, methods=_METHODS)
    yield Route("/resumable/upload/bigquery/v2/{path:path}", responses.forward, methods=_METHODS)
