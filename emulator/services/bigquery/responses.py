"""Requests and answers of datasets and tables; all other calls are passed on to bqemulator."""

import json
import ssl
from collections.abc import Callable
from functools import partial
from pathlib import Path

import googleapiclient.discovery_cache
import httpx
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from emulator.core.discovery import method_of, whole_path
from emulator.core.errors import ApiError, not_found, unavailable
from emulator.core.rest import Call, Json, JsonResponse
from emulator.core.strict_json import with_body, with_strict_json
from emulator.services.bigquery import datasets, errors, tables
from emulator.services.bigquery.errors import BigQueryError
from emulator.services.bigquery.queries import dry_run, legacy_sql, query_results
from emulator.services.bigquery.service import BigQuery

_DOCUMENT = Path(googleapiclient.discovery_cache.__file__).parent / "documents/bigquery.v2.json"
_HOP_BY_HOP = {"connection", "content-length", "host", "keep-alive", "transfer-encoding"}
_QUERY_SECONDS = 600.0
# bqemulator speaks plain HTTP: to load the certificates of this machine takes longer than a call.
_NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


API = "bigquery.googleapis.com"


def get_service_account(call: Call[BigQuery]) -> Json:
    """Return the account that encrypts with customer-managed keys; the first call creates it.

    Google creates it when it is first asked for, as `bq show --encryption_service_account` does
    (https://cloud.google.com/bigquery/docs/customer-managed-encryption).
    """
    projects = call.service.projects
    project, number = (of(call.path["project"]) for of in (projects.id_of, projects.number_of))
    email = call.service.iam.service_accounts.create_agent(project, number, API)
    return {"kind": "bigquery#getServiceAccountResponse", "email": email}


def insert_dataset(call: Call[BigQuery]) -> Json:
    """datasets.insert."""
    return datasets.insert(call.service, call.path["project"], call.body)


def list_datasets(call: Call[BigQuery]) -> Json:
    """datasets.list."""
    return datasets.list_page(call.service, call.path["project"], call.query)


def get_dataset(call: Call[BigQuery]) -> Json:
    """datasets.get."""
    return datasets.get(call.service, *_dataset(call))


def patch_dataset(call: Call[BigQuery]) -> Json:
    """datasets.patch."""
    return datasets.patch(call.service, *_dataset(call), call.body, call.if_match)


def put_dataset(call: Call[BigQuery]) -> Json:
    """datasets.update."""
    return datasets.put(call.service, *_dataset(call), call.body, call.if_match)


def delete_dataset(call: Call[BigQuery]) -> None:
    """datasets.delete."""
    contents = call.query.get("deleteContents", "").lower() == "true"
    datasets.delete(call.service, *_dataset(call), contents=contents)


def insert_table(call: Call[BigQuery]) -> Json:
    """tables.insert."""
    return tables.insert(call.service, *_dataset(call), call.body)


def list_tables(call: Call[BigQuery]) -> Json:
    """tables.list."""
    return tables.list_page(call.service, *_dataset(call), call.query)


def get_table(call: Call[BigQuery]) -> Json:
    """tables.get."""
    return tables.get(call.service, *_dataset(call), call.path["table"])


def patch_table(call: Call[BigQuery]) -> Json:
    """tables.patch."""
    return tables.patch(call.service, call.path, call.body, call.if_match)


def put_table(call: Call[BigQuery]) -> Json:
    """tables.update."""
    return tables.put(call.service, call.path, call.body, call.if_match)


def delete_table(call: Call[BigQuery]) -> None:
    """tables.delete."""
    tables.delete(call.service, *_dataset(call), call.path["table"])


def _dataset(call: Call[BigQuery]) -> tuple[str, str]:
    return call.path["project"], call.path["dataset"]


async def discovery(request: Request) -> Response:
    """Google's discovery document, with this address for Google's."""
    if request.query_params.get("version", "v2") != "v2":
        raise not_found("Only version v2 of BigQuery has a discovery document here.")
    document = json.loads(_DOCUMENT.read_bytes())
    root = str(request.base_url)
    document |= {
        "rootUrl": root,
        "baseUrl": f"{root}bigquery/v2/",
        "servicePath": "bigquery/v2/",
        "basePath": "/bigquery/v2/",
    }
    return JsonResponse(document)


async def forward(bigquery: BigQuery, request: Request) -> Response:
    """Pass a request on to bqemulator, and its answer back, both as streams."""
    request = await with_strict_json(request)
    path = whole_path(request.scope["raw_path"].decode("latin-1"))
    project = query_results.project_of(path)
    estimated = None
    if project:
        request, body = await _in_googlesql(request)
        if body is not None:
            dry_run.refuse_script(body)
            estimated = await run_in_threadpool(bigquery.statistics.estimate, project, body)
    client = httpx.AsyncClient(timeout=_QUERY_SECONDS, verify=_NO_CERTIFICATES)
    query = request.scope["query_string"]
    address = httpx.URL(bigquery.backend_url)
    headers = [(k, v) for k, v in request.headers.items() if k not in _HOP_BY_HOP]
    outgoing = client.build_request(
        request.method,
        # As it came: what is escaped in it means something else in plain.
        address.copy_with(raw_path=path.encode("latin-1") + (b"?" + query if query else b"")),
        headers=headers,
        content=request.stream() if request.method != "GET" else None,
    )
    try:
        answer = await client.send(outgoing, stream=True)
    except httpx.TransportError as error:
        await client.aclose()
        raise errors.to_bigquery_error(unavailable(f"BigQuery is not ready: {error}")) from None
    if answer.status_code in (404, 405):
        try:
            return await _refusal(request, answer)
        finally:
            await client.aclose()
    # 400 refuses a query at once, as a dry run does.
    if project and (answer.status_code < 300 or answer.status_code == 400):

        def finish(content: bytes) -> bytes:
            worded = query_results.as_bigquery(content, partial(datasets.location, bigquery))
            return bigquery.statistics.complete(project, worded, estimated)

        return await _result(answer, client, finish)
    passed_on = {k: v for k, v in answer.headers.items() if k not in _HOP_BY_HOP}
    return StreamingResponse(
        answer.aiter_raw(), answer.status_code, passed_on, background=BackgroundTask(client.aclose)
    )


async def _in_googlesql(request: Request) -> tuple[Request, Json | None]:
    """Return a request and its body; references of legacy SQL to tables are rewritten.

    The body is None if there is none, as in a request that starts no job.
    """
    if request.method != "POST":
        return request, None
    try:
        body = json.loads(await request.body())
    except ValueError:
        return request, None
    query = legacy_sql.query_of(body)
    if query is None or (sql := legacy_sql.googlesql(query)) == query.get("query"):
        return request, body
    query["query"] = sql
    return with_body(request, json.dumps(body).encode()), body


async def _result(
    answer: httpx.Response, client: httpx.AsyncClient, finish: Callable[[bytes], bytes]
) -> Response:
    """Return the result of a query, or a job, as BigQuery words it.

    Args:
        answer: of bqemulator
        client: which is closed
        finish: returns the JSON of an answer with BigQuery's words and figures

    Raises:
        ApiError: the query failed
    """
    try:
        content = await answer.aread()
    finally:
        await client.aclose()
    try:
        result = await run_in_threadpool(finish, content) if content else content
    except ApiError as error:
        raise errors.to_bigquery_error(error) from None
    return Response(result, answer.status_code, media_type=answer.headers.get("content-type"))


async def _refusal(request: Request, answer: httpx.Response) -> Response:
    """Return a 404 or 405 of bqemulator, which reports unknown paths in a format of its own.

    Raises:
        BigQueryError: it is one.
    """
    content = await answer.aread()
    if b'"error"' in content:
        return Response(content, answer.status_code, media_type="application/json")
    if method := method_of(request.method, request.url.path):
        message = f"{method} is not served by the local Google Cloud yet."
        raise BigQueryError(501, "notImplemented", message)
    raise BigQueryError(404, "notFound", f"No such path: {request.url.path}.")
