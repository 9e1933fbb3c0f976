"""Requests as Google's clients change them on their way."""

import asyncio
import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydicom.data import get_testdata_file
from starlette.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send

from emulator.middleware.gzip_request import GzipRequestMiddleware
from tests.support.emulator_names import LOCATION

COMPRESSED = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
DATASETS = f"/v1/{LOCATION}/datasets"


def received(messages: Iterator[dict[str, Any]]) -> list[bytes]:
    """The pieces of a body that an application behind `GzipRequestMiddleware` gets."""
    found: list[bytes] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert b"content-encoding" not in dict(scope["headers"])
        while True:
            message = await receive()
            found.append(message["body"])
            if not message["more_body"]:
                break
        assert (await receive())["type"] == "http.disconnect"

    async def receive() -> Message:
        return next(messages, {"type": "http.disconnect"})

    async def send(_: Message) -> None:
        raise AssertionError

    scope = {"type": "http", "path": "/v1/x", "headers": [(b"content-encoding", b"gzip")]}
    asyncio.run(GzipRequestMiddleware(app)(scope, receive, send))
    return found


@pytest.mark.parametrize("size", [1, 7, 100, 1_000_000])
@pytest.mark.parametrize("content", [b"", b"short", bytes(range(256)) * 1000, b"0" * 5_000_000])
def test_bodies_come_in_pieces_of_a_bounded_size(size: int, content: bytes) -> None:
    sent = gzip.compress(content)
    parts = [sent[start : start + size] for start in range(0, len(sent), size)]
    last = len(parts) - 1
    found = received(
        {"type": "http.request", "body": part, "more_body": number < last}
        for number, part in enumerate(parts)
    )
    assert b"".join(found) == content
    assert max(map(len, found)) <= 64 * 1024


def test_compressed_messages_are_inflated(client: TestClient) -> None:
    client.post(f"{DATASETS}?datasetId=d", json={}).raise_for_status()
    content = gzip.compress(b'{"labels": {"team": "imaging"}}')
    stores = f"{DATASETS}/d/dicomStores?dicomStoreId="
    answer = client.post(f"{stores}s", content=content, headers=COMPRESSED)
    assert answer.json()["labels"] == {"team": "imaging"}
    again = client.post(f"{stores}e", headers=COMPRESSED)
    assert again.json()["name"].endswith("/dicomStores/e"), "an empty body is an empty body"


def test_a_compressed_instance_is_stored_as_it_was(client: TestClient) -> None:
    client.post(f"{DATASETS}?datasetId=d", json={}).raise_for_status()
    client.post(f"{DATASETS}/d/dicomStores?dicomStoreId=s", json={}).raise_for_status()
    content = Path(str(get_testdata_file("CT_small.dcm"))).read_bytes()
    web = f"{DATASETS}/d/dicomStores/s/dicomWeb"
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/dicom"}
    sent = client.post(f"{web}/studies", content=gzip.compress(content), headers=headers)
    assert sent.status_code == 200, sent.text
    [found] = client.get(f"{web}/instances").json()
    values = (found[tag]["Value"][0] for tag in ("0020000D", "0020000E", "00080018"))
    path = "{}/studies/{}/series/{}/instances/{}".format(web, *values)
    accept = {"Accept": "application/dicom; transfer-syntax=*"}
    assert client.get(path, headers=accept).content == content


@pytest.mark.parametrize(
    ("content", "code", "text"),
    [
        (b"{}", 400, "not compressed by gzip"),
        (gzip.compress(b'{"timeZone": "UTC"}', mtime=0)[:-9], 400, "ends before"),
        (gzip.compress(b'{"timeZone": "UTC"}', mtime=0)[:5], 400, "ends before"),
        (gzip.compress(b" " * 11 * 1024 * 1024), 413, "longer than"),
        (gzip.compress(b'{"timeZone": ', mtime=0), 400, "Invalid JSON"),
    ],
)
def test_what_inflates_to_nothing_good_is_refused(
    client: TestClient, content: bytes, code: int, text: str
) -> None:
    refused = client.post(f"{DATASETS}?datasetId=d", content=content, headers=COMPRESSED)
    assert (refused.status_code, refused.json()["error"]["code"]) == (code, code)
    assert text in refused.json()["error"]["message"]
    assert client.get(DATASETS).json() == {}


def test_a_post_overrides_its_method(client: TestClient) -> None:
    client.post(f"{DATASETS}?datasetId=d", json={}).raise_for_status()
    patch = {"X-HTTP-Method-Override": "PATCH", **COMPRESSED}
    zone = gzip.compress(b'{"timeZone": "Europe/Zurich"}')
    client.post(f"{DATASETS}/d?updateMask=timeZone", content=zone, headers=patch)
    assert client.get(f"{DATASETS}/d").json()["timeZone"] == "Europe/Zurich"
    delete = {"X-HTTP-Method-Override": "DELETE"}
    assert client.get(f"{DATASETS}/d", headers=delete).status_code == 200, "only a POST does"
    assert client.post(f"{DATASETS}/d", headers=delete).json() == {}
    assert client.get(f"{DATASETS}/d").status_code == 404
    unknown = {"X-HTTP-Method-Override": "CONNECT"}
    assert client.post(f"{DATASETS}/d", headers=unknown).status_code == 405


def test_a_compressed_form_stands_for_a_query(client: TestClient) -> None:
    for name in ("a", "b"):
        client.post(f"{DATASETS}?datasetId={name}", json={}).raise_for_status()
    get = {"X-HTTP-Method-Override": "GET", "Content-Encoding": "gzip"}
    listed = client.post(DATASETS, content=gzip.compress(b"pageSize=1"), headers=get).json()
    assert [one["name"].rpartition("/")[2] for one in listed["datasets"]] == ["a"]
    assert client.post(DATASETS, content=b"pageSize=1", headers=get).status_code == 400
