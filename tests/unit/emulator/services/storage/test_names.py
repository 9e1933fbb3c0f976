"""Names that would lead a file out of its bucket, and what is passed on of a request."""

import json
from typing import Any

import pytest
from starlette.testclient import TestClient

from emulator.services.storage.request_names import MAX_METADATA_BYTES
from tests.support.fake_storage import FakeStorage

UPLOAD = "/upload/storage/v1/b/bucket-1/o"
OBJECTS = "/storage/v1/b/bucket-1/o"
RELATED = "multipart/related; boundary=b"
RESUMABLE = f"{UPLOAD}?uploadType=resumable"


def _related(metadata: bytes, head: bytes = b"Content-Type: application/json") -> bytes:
    parts = b"--b\r\n" + head + b"\r\n\r\n" + metadata
    return parts + b"\r\n--b\r\nContent-Type: a/b\r\n\r\n../content\r\n--b--"


def _form(key: bytes) -> bytes:
    file = b'--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\nx\r\n--b--'
    return b'--b\r\nContent-Disposition: form-data; name="key"\r\n\r\n' + key + b"\r\n" + file


HOSTILE: dict[str, dict[str, Any]] = {
    "query": {"url": f"{UPLOAD}?uploadType=media&name=../x", "content": b"x"},
    "encoded query": {"url": f"{UPLOAD}?uploadType=media&name=a%2F..%2F..%2Fx", "content": b"x"},
    "backslashes": {"url": f"{UPLOAD}?uploadType=media&name=..%5Cx", "content": b"x"},
    "copy": {"url": f"{OBJECTS}/a/rewriteTo/b/bucket-1/o/..%2F..%2Fx"},
    "a bucket": {"url": f"{OBJECTS}/a/copyTo/b/..%2Fevil/o/x"},
    "XML": {"url": "/bucket-1/%2e%2e/x", "content": b"x"},
    "resumable": {"url": RESUMABLE, "json": {"name": "../x"}},
    "in capitals": {"url": RESUMABLE, "json": {"NAME": "../x"}},
    "escaped": {"url": RESUMABLE, "content": rb'{"name":"\u002e\u002e/x"}'},
    "twice": {"url": RESUMABLE, "content": b'{"name":"../x","name":"y"}'},
    "with more behind": {"url": RESUMABLE, "content": b'{"name":"../x"} {"name":"y"}'},
    "no JSON": {"url": RESUMABLE, "content": b'{"name":"../x"'},
    "in parts": {"url": UPLOAD, "content": _related(b'{"name":"../x"}'), "kind": RELATED},
    "parts in other lines": {
        "url": UPLOAD,
        "content": _related(b'{"name":"../x"}').replace(b"\r\n", b"\n"),
        "kind": RELATED,
    },
    "quoted-printable": {
        "url": UPLOAD,
        "content": _related(b'{"name":"=2E./x"}', b"Content-Transfer-Encoding: Quoted-Printable"),
        "kind": RELATED,
    },
    "a part without end": {
        "url": UPLOAD,
        "content": _related(b'{"x":"' + b"x" * MAX_METADATA_BYTES + b'","name":"../x"}'),
        "kind": RELATED,
    },
    "a form": {
        "url": "/bucket-1/",
        "content": _form(b"../x"),
        "kind": "multipart/form-data; boundary=b",
    },
    "a batch": {
        "url": "/batch/storage/v1",
        "content": b"--b\r\n\r\nDELETE /storage/v1/b/bucket-1/o/..%2Fx HTTP/1.1\r\n\r\n--b--",
        "kind": "multipart/mixed; boundary=b",
    },
}


@pytest.mark.parametrize("way", HOSTILE)
def test_a_name_that_leads_elsewhere_is_refused(
    client: TestClient, bucket: str, fake: FakeStorage, way: str
) -> None:
    sent = dict(HOSTILE[way])
    headers = {"Content-Type": content_type} if (content_type := sent.pop("kind", "")) else {}
    asked = len(fake.requests)

    answer = client.post(**sent, headers=headers)

    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["errors"][0]["reason"] == "invalid"
    assert len(fake.requests) == asked


@pytest.mark.parametrize("name", ["a..b/c", "...", ".hidden/x", "a/b.", "..a", "%2e%2e", "ü ☃"])
def test_any_other_name_is_passed_on_with_its_body(
    client: TestClient, bucket: str, fake: FakeStorage, name: str
) -> None:
    metadata = json.dumps({"name": name}).encode()
    body = _related(metadata)
    for sent in (
        {"url": UPLOAD, "params": {"uploadType": "media", "name": name}, "content": b"../x"},
        {"url": UPLOAD, "content": body, "headers": {"Content-Type": RELATED}},
        {"url": RESUMABLE, "content": metadata},
        {"url": RESUMABLE, "params": {"uploadType": "resumable", "name": name}, "content": b""},
    ):
        answer = client.post(**sent)
        assert answer.status_code == 200, answer.text
        assert fake.requests[-1].content == sent["content"]


def test_a_long_body_arrives_whole(client: TestClient, bucket: str, fake: FakeStorage) -> None:
    content = _related(b'{"name":"long"}').replace(b"../content", b"x" * 3 * MAX_METADATA_BYTES)
    answer = client.post(UPLOAD, content=content, headers={"Content-Type": RELATED})
    assert answer.status_code == 200
    assert fake.requests[-1].content == content


def test_a_prefix_is_no_name(client: TestClient, bucket: str) -> None:
    assert client.get(f"{OBJECTS}?prefix=../&delimiter=/").status_code == 200
