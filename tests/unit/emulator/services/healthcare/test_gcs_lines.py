"""Objects of Cloud Storage that are read line by line."""

from collections.abc import Iterator

import httpx
import pytest

from emulator.core.errors import ApiError
from emulator.services.healthcare.clients.gcs import GcsClient

MAX_BYTES = 10


def client(monkeypatch: pytest.MonkeyPatch, *chunks: bytes, status: int = 200) -> GcsClient:
    """A client of a storage service that sends these parts of an object."""

    def send(request: httpx.Request) -> httpx.Response:
        assert request.url.path.endswith("/b/bucket/o/a/b.ndjson")

        def parts() -> Iterator[bytes]:
            yield from chunks

        return httpx.Response(status, content=parts())

    storage = GcsClient("http://storage")
    transport = httpx.MockTransport(send)
    monkeypatch.setattr(
        storage, "_client", httpx.Client(transport=transport, base_url="http://storage")
    )
    return storage


@pytest.mark.parametrize(
    ("chunks", "lines"),
    [
        ([b"one\ntwo\nthree"], [b"one", b"two", b"three"]),
        ([b"o", b"ne\nt", b"wo", b"\n", b"three\n"], [b"one", b"two", b"three", b""]),
        ([b"\n\n"], [b"", b"", b""]),
        ([], [b""]),
        ([b"0123456789\n", b"01234", b"56789"], [b"0123456789", b"0123456789"]),
    ],
)
def test_lines_are_put_together_from_parts(
    monkeypatch: pytest.MonkeyPatch, chunks: list[bytes], lines: list[bytes]
) -> None:
    with client(monkeypatch, *chunks) as storage:
        assert [*storage.lines("bucket", "a/b.ndjson", MAX_BYTES)] == lines


@pytest.mark.parametrize("chunks", [[b"ok\n01234567890\nlater"], [b"ok\n", b"0123456", b"7890"]])
def test_a_line_that_is_too_long_is_named(
    monkeypatch: pytest.MonkeyPatch, chunks: list[bytes]
) -> None:
    with client(monkeypatch, *chunks) as storage:
        lines = storage.lines("bucket", "a/b.ndjson", MAX_BYTES)
        assert next(lines) == b"ok"
        with pytest.raises(ApiError, match=r"gs://bucket/a/b\.ndjson:2 is longer than 10 bytes"):
            next(lines)


def test_an_object_that_is_gone_and_a_service_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    for status, code in ((404, 404), (500, 503)):
        with client(monkeypatch, status=status) as storage, pytest.raises(ApiError) as caught:
            next(storage.lines("bucket", "a/b.ndjson", MAX_BYTES))
        assert caught.value.code == code
