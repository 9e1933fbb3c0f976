"""Requests and answers of datasets and tables; all other calls are passed on to bqemulator."""

import json
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import googleapiclient.discovery_cache
import httpx
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from emulator.bigquery import datasets, errors, tables
from emulator.bigquery.errors import BigQueryError
from emulator.discovery import method_of, whole_path
from emulator.errors import ApiError, not_found, unavailable
from emulator.fields import select
from emulator.http import Call, JsonResponse, limited_body, parse_json

_DOCUMENT = Path(googleapiclient.discovery_cache.__file__).parent / "documents/bigquery.v2.json"
_HOP_BY_HOP = {"connection", "content-length", "host", "keep-alive", "transfer-encoding"}
_QUERY_SECONDS = 600.0
# bqemulator speaks plain HTTP: to load the certificates of this machine takes longer than a call.
_NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

Answer = dict[str, Any] | None
Handler = Callable[[Call, str], Answer]


def served(handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint for a handler of a call and its If-Match; no answer is a 204."""

    async def endpoint(request: Request) -> Response:
        try:
            call = Call(
                cloud=request.app.state.cloud,
                path=request.path_params,
                query=request.query_params,
                body=parse_json(await limited_body(request)),
            )
            answer = await run_in_threadpool(handler, call, request.headers.get("if-match", ""))
            if answer is None:
                return Response(status_code=204)
            if fields := call.query.get("fields"):
                answer = select(answer, fields)
        except ApiError as error:
            raise errors.of(error) from error
        return JsonResponse(answer)

    return endpoint


def insert_dataset(call: Call, _etag: str) -> Answer:
    """datasets.insert."""
    return datasets.insert(call.cloud, call.path["project"], call.body)


def list_datasets(call: Call, _etag: str) -> Answer:
    """datasets.list."""
    return datasets.listed(call.cloud, call.path["project"], call.query)


def get_dataset(call: Call, _etag: str) -> Answer:
    """datasets.get."""
    return datasets.get(call.cloud, *_dataset(call))


def patch_dataset(call: Call, etag: str) -> Answer:
    """datasets.patch."""
    return datasets.patch(call.cloud, *_dataset(call), call.body, etag)


def put_dataset(call: Call, etag: str) -> Answer:
    """datasets.update."""
    return datasets.put(call.cloud, *_dataset(call), call.body, etag)


def delete_dataset(call: Call, _etag: str) -> Answer:
    """datasets.delete."""
    contents = call.query.get("deleteContents", "").lower() == "true"
    datasets.delete(call.cloud, *_dataset(call), contents=contents)
    return None


def insert_table(call: Call, _etag: str) -> Answer:
    """tables.insert."""
    return tables.insert(call.cloud, *_dataset(call), call.body)


def list_tables(call: Call, _etag: str) -> Answer:
    """tables.list."""
    return tables.listed(call.cloud, *_dataset(call), call.query)


def get_table(call: Call, _etag: str) -> Answer:
    """tables.get."""
    return tables.get(call.cloud, *_dataset(call), call.path["table"])


def patch_table(call: Call, etag: str) -> Answer:
    """tables.patch."""
    return tables.patch(call.cloud, call.path, call.body, etag)


def put_table(call: Call, etag: str) -> Answer:
    """tables.update."""
    return tables.put(call.cloud, call.path, call.body, etag)


def delete_table(call: Call, _etag: str) -> Answer:
    """tables.delete."""
    tables.delete(call.cloud, *_dataset(call), call.path["table"])
    return None


def _dataset(call: Call) -> tuple[str, str]:
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


async def forward(request: Request) -> Response:
    """Pass a request on to bqemulator, and its answer back, both as streams."""
    client = httpx.AsyncClient(timeout=_QUERY_SECONDS, verify=_NO_CERTIFICATES)
    path = whole_path(request.scope["raw_path"].decode("latin-1")).encode("latin-1")
    query = request.scope["query_string"]
    address = httpx.URL(request.app.state.cloud.bigquery_url)
    headers = [(k, v) for k, v in request.headers.items() if k not in _HOP_BY_HOP]
    outgoing = client.build_request(
        request.method,
        # As it came: what is escaped in it means something else in plain.
        address.copy_with(raw_path=path + (b"?" + query if query else b"")),
        headers=headers,
        content=request.stream() if request.method != "GET" else None,
    )
    try:
        answer = await client.send(outgoing, stream=True)
    except httpx.TransportError as error:
        await client.aclose()
        raise errors.of(unavailable(f"BigQuery is not ready: {error}")) from None
    if answer.status_code in (404, 405):
        try:
            return await _refusal(request, answer)
        finally:
            await client.aclose()
    shown = {k: v for k, v in answer.headers.items() if k not in _HOP_BY_HOP}
    return StreamingResponse(
        answer.aiter_raw(), answer.status_code, shown, background=BackgroundTask(client.aclose)
    )


async def _refusal(request: Request, answer: httpx.Response) -> Response:
    """A 404 or 405 of bqemulator's, which tells paths that it has not in a shape of its own.

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
