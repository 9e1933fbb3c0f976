"""The calls to Cloud Storage (its JSON API) that imports and exports make."""

from collections.abc import Iterable, Iterator
from urllib.parse import quote

import httpx

from emulator.core import http_client
from emulator.core.errors import ApiError, invalid_argument, not_found, unavailable
from emulator.services.healthcare.clients.gcs_uri import GcsUriPattern

TIMEOUT_SECONDS = 60.0
PAGE = 1000


class GcsClient:
    """A client of the Cloud Storage service at an address.

    Raises:
        ApiError: each call, 404 where the bucket is not there and 503 where the service is not.
    """

    def __init__(self, url: str) -> None:
        self._client = http_client.client(url, seconds=TIMEOUT_SECONDS)

    def __enter__(self) -> "GcsClient":
        return self

    def __exit__(self, *_error: object) -> None:
        self._client.close()

    def check_bucket(self, bucket: str) -> None:
        """Raise 404 if there is no such bucket."""
        self._send("GET", f"/storage/v1/b/{quote(bucket)}", bucket)

    def find(self, source: GcsUriPattern) -> Iterator[str]:
        """Yield the names of the objects that match a URI, page by page."""
        page = {"prefix": source.prefix, "maxResults": str(PAGE)}
        path = f"/storage/v1/b/{quote(source.bucket)}/o"
        while True:
            listed = self._send("GET", path, source.bucket, params=page).json()
            yield from filter(source.matches, (item["name"] for item in listed.get("items", [])))
            if not listed.get("nextPageToken"):
                return
            page["pageToken"] = listed["nextPageToken"]

    def read(self, bucket: str, name: str, max_bytes: int) -> bytes:
        """Return the content of an object.

        Raises:
            ApiError: 404 for one that is not there, 400 for one of more than so many bytes.
        """
        path = f"/storage/v1/b/{quote(bucket)}/o/{quote(name, safe='')}"
        try:
            if int(self._send("GET", path, bucket).json()["size"]) > max_bytes:
                raise invalid_argument(f"gs://{bucket}/{name} is longer than {max_bytes} bytes.")
            return self._send("GET", path, bucket, params={"alt": "media"}).content
        except ApiError as error:
            if error.status != "NOT_FOUND":
                raise
            raise not_found(
                f"The Cloud Storage object gs://{bucket}/{name} does not exist."
            ) from None

    def lines(self, bucket: str, name: str, max_bytes: int) -> Iterator[bytes]:
        """Yield the lines of an object, without their ends, as they come: none is kept.

        Raises:
            ApiError: 404 for one that is not there, 400 for a line of more than so many bytes.
        """
        path = f"/storage/v1/b/{quote(bucket)}/o/{quote(name, safe='')}"
        try:
            with self._client.stream("GET", path, params={"alt": "media"}) as answer:
                if answer.status_code == httpx.codes.NOT_FOUND:
                    raise not_found(
                        f"The Cloud Storage object gs://{bucket}/{name} does not exist."
                    )
                if answer.is_error:
                    raise _refusal(answer, bucket)
                for number, line in enumerate(_lines(answer.iter_bytes(), max_bytes), start=1):
                    if len(line) > max_bytes:
                        where = f"gs://{bucket}/{name}:{number}"
                        raise invalid_argument(f"{where} is longer than {max_bytes} bytes.")
                    yield line
        except httpx.HTTPError as error:
            raise unavailable(f"Cloud Storage can't be reached: {type(error).__name__}") from error

    def write(
        self, bucket: str, name: str, content: bytes | Iterable[bytes], content_type: str
    ) -> None:
        """Write an object; overwrite an existing one.

        Args:
            bucket: its name
            name: of the object
            content: of the object; parts are sent as they come, and an error between two of them
                leaves the object as it was
            content_type: its media type
        """
        self._send(
            "POST",
            f"/upload/storage/v1/b/{quote(bucket)}/o",
            bucket,
            params={"uploadType": "media", "name": name},
            content=content,
            headers={"Content-Type": content_type},
        )

    def _send(
        self,
        method: str,
        path: str,
        bucket: str,
        *,
        params: dict[str, str] | None = None,
        content: bytes | Iterable[bytes] | None = None,
        headers: dict[str, str] | None = None,
    ) -> httpx.Response:
        try:
            answer = self._client.request(
                method, path, params=params, content=content, headers=headers
            )
        except httpx.HTTPError as error:
            raise unavailable(f"Cloud Storage can't be reached: {type(error).__name__}") from error
        if answer.status_code == httpx.codes.NOT_FOUND:
            raise not_found(f"The Cloud Storage bucket gs://{bucket} does not exist.")
        if answer.is_error:
            raise _refusal(answer, bucket)
        return answer


def _lines(chunks: Iterator[bytes], max_bytes: int) -> Iterator[bytes]:
    """Yield lines; the beginning of one that is too long is the last."""
    parts: list[bytes] = []
    held = 0
    for chunk in chunks:
        first, *others = chunk.split(b"\n")
        parts.append(first)
        held += len(first)
        if others:
            yield b"".join(parts)
            yield from others[:-1]
            parts, held = [others[-1]], len(others[-1])
        if held > max_bytes:
            break
    yield b"".join(parts)


def _refusal(answer: httpx.Response, bucket: str) -> ApiError:
    return unavailable(f"Cloud Storage answered {answer.status_code} for gs://{bucket}.")
