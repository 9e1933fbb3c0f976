"""The emulator's own calls to fake-gcs-server."""

from typing import Any
from urllib.parse import quote

import httpx

from emulator.core import http_client
from emulator.services.storage.errors import StorageError, no_bucket
from emulator.services.storage.object_names import BUCKET

Json = dict[str, Any]
_SECONDS = 60.0


class Backend:
    """fake-gcs-server at an address. Safe for many threads.

    Args:
        url: The address, without a path.
        transport: What carries the requests, in tests.

    Raises:
        StorageError: each call, where the server refuses or can't be reached.
    """

    def __init__(self, url: str, transport: httpx.BaseTransport | None = None) -> None:
        self._client = http_client.client(url, seconds=_SECONDS, transport=transport)

    def close(self) -> None:
        """Close its connections."""
        self._client.close()

    def buckets(self) -> list[Json]:
        """Every bucket."""
        return self._call("GET", "/storage/v1/b").get("items") or []

    def bucket(self, name: str) -> Json:
        """One bucket; there is none of a name that can't be one's."""
        if not BUCKET.fullmatch(name):
            raise no_bucket()
        return self._call("GET", _path(name))

    def create(self, name: str) -> Json:
        """Make a bucket."""
        if not BUCKET.fullmatch(name):
            raise StorageError(400, f"Invalid bucket name: {name[:100]!r}")
        return self._call("POST", "/storage/v1/b", {"name": name})

    def delete(self, name: str) -> None:
        """Delete an empty bucket."""
        try:
            self._call("DELETE", _path(name))
        except StorageError as error:
            if error.code == httpx.codes.PRECONDITION_FAILED:
                raise StorageError(409, "The bucket you tried to delete is not empty.") from error
            raise

    def read(self, bucket: str, name: str) -> bytes:
        """Return the content of an object."""
        path = f"{_path(bucket)}/o/{quote(name, safe='')}"
        try:
            answer = self._client.get(path, params={"alt": "media"})
        except httpx.HTTPError as error:
            raise unreachable(error) from error
        if answer.is_error:
            raise StorageError(answer.status_code, f"No such object: {bucket}/{name}")
        return answer.content

    def _call(self, method: str, path: str, body: Json | None = None) -> Json:
        try:
            answer = self._client.request(method, path, json=body)
        except httpx.HTTPError as error:
            raise unreachable(error) from error
        if answer.status_code == httpx.codes.NOT_FOUND:
            raise no_bucket()
        if answer.is_error:
            raise StorageError(answer.status_code, _message(answer))
        content: Json = answer.json() if answer.content.strip() else {}
        return content


def unreachable(error: httpx.HTTPError) -> StorageError:
    """503: fake-gcs-server starts, or starts again."""
    return StorageError(503, f"Cloud Storage is not ready: {type(error).__name__}.")


def _path(bucket: str) -> str:
    return f"/storage/v1/b/{quote(bucket, safe='')}"


def _message(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return f"fake-gcs-server answered {answer.status_code}."
