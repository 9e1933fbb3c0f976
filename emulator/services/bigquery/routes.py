"""Paths of BigQuery, on the emulator's own port.

Datasets and tables are answered here, because bqemulator keeps only a part of what is said of them;
so is the discovery document that `bq` reads first. Jobs, queries, rows and uploads are passed on.
"""

from collections.abc import Callable, Iterator
from functools import partial

from starlette.routing import Route

from emulator.core import rest
from emulator.core.rest import Call, Json
from emulator.core.route_tree import LazyRoute
from emulator.services.bigquery import errors, responses
from emulator.services.bigquery.service import BigQuery

_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
_DATASETS = "/projects/{project}/datasets"
_TABLES = f"{_DATASETS}/{{dataset}}/tables"
_ROOTS = ("/bigquery/v2", "")  # without it: see `discovery.whole_path`
_FORWARDED = (
    "/bigquery/v2/{path:path}",
    "/projects",
    "/projects/{path:path}",
    "/upload/bigquery/v2/{path:path}",
    "/resumable/upload/bigquery/v2/{path:path}",
)
_Handler = Callable[[Call[BigQuery]], Json | None]
_SERVED: tuple[tuple[str, str, _Handler], ...] = (
    ("GET", "/projects/{project}/serviceAccount", responses.get_service_account),
    ("GET", _DATASETS, responses.list_datasets),
    ("POST", _DATASETS, responses.insert_dataset),
    ("GET", f"{_DATASETS}/{{dataset}}", responses.get_dataset),
    ("PATCH", f"{_DATASETS}/{{dataset}}", responses.patch_dataset),
    ("PUT", f"{_DATASETS}/{{dataset}}", responses.put_dataset),
    ("DELETE", f"{_DATASETS}/{{dataset}}", responses.delete_dataset),
    ("GET", _TABLES, responses.list_tables),
    ("POST", _TABLES, responses.insert_table),
    ("GET", f"{_TABLES}/{{table}}", responses.get_table),
    ("PATCH", f"{_TABLES}/{{table}}", responses.patch_table),
    ("PUT", f"{_TABLES}/{{table}}", responses.put_table),
    ("DELETE", f"{_TABLES}/{{table}}", responses.delete_table),
)


def routes(bigquery: BigQuery) -> Iterator[Route]:
    """Yield every route."""
    yield LazyRoute("/$discovery/rest", responses.discovery, "GET")
    yield LazyRoute("/discovery/v1/apis/bigquery/v2/rest", responses.discovery, "GET")
    for method, path, handler in _SERVED:
        endpoint = rest.endpoint(bigquery, handler, render_error=errors.to_bigquery_error)
        for root in _ROOTS:
            yield LazyRoute(f"{root}{path}", endpoint, method)
    for path in _FORWARDED:
        yield Route(path, partial(responses.forward, bigquery), methods=_METHODS)
