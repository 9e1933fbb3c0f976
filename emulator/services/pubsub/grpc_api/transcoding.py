"""gRPC to REST: a request becomes a call of the REST API, its response a message.

So both have the same validation, errors, faults on demand and state. Documented: the mapping of
google/api/http.proto, and the JSON of https://protobuf.dev/programming-guides/json/.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

import httpx
from google.protobuf import json_format
from google.rpc import error_details_pb2, status_pb2  # noqa: F401 - registers the details' types

from emulator.core.errors import RPC_CODES, ApiError, invalid_argument, unavailable
from emulator.services.pubsub.grpc_api.methods import Method

_FIELD = re.compile(r"{([\w.]+)}")
_NAME = re.compile(r"projects/[^/]+(/(topics|subscriptions)/[^/]+)?")


class RestApi:
    """The REST API of the same emulator."""

    def __init__(self, root_url: str) -> None:
        self._client = httpx.AsyncClient(base_url=root_url, timeout=60, trust_env=False)

    async def call(self, method: Method, request: Any, headers: Mapping[str, str]) -> Any:
        """Return the response to a request.

        Args:
            method: the method of the request
            request: a message of its class
            headers: of the HTTP request

        Raises:
            ApiError: the API's error, or 503 if it can't be reached
        """
        fields = json_format.MessageToDict(request)
        path = "/v1/" + _FIELD.sub(lambda match: _name(fields, match[1]), method.path)
        named = {match[1] for match in _FIELD.finditer(method.path)}
        rest = {name: value for name, value in fields.items() if name not in named}
        given: dict[str, Any] = (
            {"params": dict(_flat(rest))} if method.verb in ("GET", "DELETE") else {"json": rest}
        )
        try:
            answer = await self._client.request(method.verb, path, headers=headers, **given)
        except httpx.TransportError as error:
            raise unavailable(f"The local Google Cloud does not answer: {error}") from error
        if answer.is_error:
            raise _error(answer)
        return json_format.ParseDict(answer.json(), method.response(), ignore_unknown_fields=True)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def status_details(error: ApiError) -> bytes:
    """Return the google.rpc.Status that gRPC sends as `grpc-status-details-bin`."""
    body = {"code": RPC_CODES.get(error.status, 2), "message": error.message}
    status = json_format.ParseDict({**body, "details": error.details}, status_pb2.Status())
    return bytes(status.SerializeToString())


def _name(fields: Mapping[str, Any], path: str) -> str:
    """Return the name in a field such as `topic` or `topic.name`, for a URL.

    Raises:
        ApiError: 400: it is not the name of a project, topic or subscription
    """
    value: Any = fields
    for part in path.split("."):
        value = value.get(part, {})
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise invalid_argument(f"Invalid resource name given (name={value or ''}).")
    return quote(value)


def _flat(fields: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield query parameters; fields of messages have dotted names."""
    for name, value in fields.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _error(answer: httpx.Response) -> ApiError:
    try:
        error = answer.json()["error"]
        return ApiError(answer.status_code, error["status"], error["message"], error.get("details"))
    except (ValueError, KeyError):
        return ApiError(answer.status_code, "UNKNOWN", f"HTTP status {answer.status_code}")
