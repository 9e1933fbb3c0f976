"""The discovery document of BigQuery, and bqemulator's answers passed on."""

import json
from pathlib import Path

import googleapiclient.discovery_cache
import httpx
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from emulator.errors import not_found, unavailable
from emulator.http import JsonResponse

_DOCUMENT = Path(googleapiclient.discovery_cache.__file__).parent / "documents/bigquery.v2.json"
_HOP_BY_HOP = {"connection", "content-length", "host", "keep-alive", "transfer-encoding"}
_QUERY_SECONDS = 600.0


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
    client = httpx.AsyncClient(
        base_url=request.app.state.cloud.bigquery_url, timeout=_QUERY_SECONDS
    )
    headers = [(k, v) for k, v in request.headers.items() if k not in _HOP_BY_HOP]
    outgoing = client.build_request(
        request.method,
        f"{request.url.path}?{request.url.query}",
        headers=headers,
        content=request.stream() if request.method != "GET" else None,
    )
    try:
        answer = await client.send(outgoing, stream=True)
    except httpx.TransportError as error:
        await client.aclose()
        raise unavailable(f"BigQuery is not ready: {error}") from None
    shown = {k: v for k, v in answer.headers.items() if k not in _HOP_BY_HOP}
    return StreamingResponse(
        answer.aiter_raw(), answer.status_code, shown, background=BackgroundTask(client.aclose)
    )
