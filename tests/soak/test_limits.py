"""Limits of request bodies and memory, and secrets that must not be kept."""

import json
import random
import re
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from emulator.core.rest import MAX_JSON_BYTES
from tests.soak.api_methods import NAMES, Method, methods
from tests.soak.fuzzing import LOCATION, PROJECT, TOKEN, Target

pytestmark = pytest.mark.sockets

ROUTES = 40
"""Methods that are sent too much in the short form; all in the long one."""
MEGABYTES, MEGABYTES_LONG = 192, 2048
MAX_GROWTH_MB = 96
"""Of the server while a body passes through it."""
_CHUNK = bytes(1 << 20)
BUCKET = "limits"


@pytest.fixture(scope="module", autouse=True)
def bucket(victim: Target) -> None:
    """Create the bucket that the calls name."""
    victim.call("POST", f"/storage/v1/b?project={PROJECT}", "nothing", json={"name": BUCKET})


def _path(method: Method) -> str:
    path = method.spec.get("flatPath", method.spec["path"])
    return f"/{method.root}" + re.sub(r"\{\+?(\w+)\}", lambda found: NAMES.get(found[1], "x"), path)


def test_too_long_a_body_is_refused_wherever_one_is_taken(
    victim: Target, draw: random.Random, soak: bool, report: Callable[..., None]
) -> None:
    taking = [
        method
        for method in methods()
        if "request" in method.spec and method.spec["request"]["$ref"] != "HttpBody"
    ]
    assert len(taking) > 100
    sent = [
        (m.spec["httpMethod"], _path(m)) for m in (taking if soak else draw.sample(taking, ROUTES))
    ]
    sent += [
        ("POST", "/_emulator/faults"),
        ("POST", f"/storage/v1/b?project={PROJECT}"),
        ("PATCH", f"/storage/v1/b/{BUCKET}"),
        ("PUT", f"/storage/v1/b/{BUCKET}/iam"),
        ("POST", f"/upload/storage/v1/b/{BUCKET}/o?uploadType=resumable"),
        ("POST", "/batch/storage/v1"),
        ("POST", f"/bigquery/v2/projects/{PROJECT}/datasets"),
        ("PATCH", f"/bigquery/v2/projects/{PROJECT}/datasets/d"),
        ("POST", f"/bigquery/v2/projects/{PROJECT}/datasets/d/tables"),
    ]
    long = json.dumps({"x": "x" * MAX_JSON_BYTES}).encode()
    refused = 0
    for method, path in sent:
        answer = victim.call(method, path, "too long a body", content=long)
        # What no route serves takes no body at all.
        assert answer.status_code in (413, 501), f"{method} {path}: {answer.text[:200]}"
        assert answer.json()["error"]["code"] == answer.status_code
        refused += answer.status_code == 413
    assert refused > len(sent) // 3
    victim.check()
    report("bodies that are too long", tried=len(sent), refused=refused, lost=0)


class _Peak:
    """The most memory that a server used while a block ran, over what it had before."""

    def __init__(self, victim: Target) -> None:
        self._process = Path(f"/proc/{victim.running.pid}")
        self.growth_mb = 0

    def __enter__(self) -> "_Peak":
        (self._process / "clear_refs").write_text("5")  # forgets the peak
        self._before = self._read("VmRSS")
        return self

    def __exit__(self, *_error: object) -> None:
        self.growth_mb = (self._read("VmHWM") - self._before) >> 10

    def _read(self, name: str) -> int:
        lines = (self._process / "status").read_text().splitlines()
        [line] = [line for line in lines if line.startswith(f"{name}:")]
        return int(line.split()[1])


def _long(head: bytes, megabytes: int, end: bytes) -> Iterator[bytes]:
    yield head
    for _ in range(megabytes):
        yield _CHUNK
    yield end


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak from /proc")
def test_long_bodies_pass_through_and_stay_in_no_memory(
    victim: Target, soak: bool, report: Callable[..., None]
) -> None:
    megabytes = MEGABYTES_LONG if soak else MEGABYTES
    web = f"/v1/{victim.new_store()}/dicomWeb/studies"
    part = b"--b\r\nContent-Type: application/dicom\r\n\r\n"
    related = {"Content-Type": 'multipart/related; type="application/dicom"; boundary=b'}
    data = b'--b\r\nContent-Type: application/json\r\n\r\n{"name":"two"}\r\n--b\r\n\r\n'
    upload = f"/upload/storage/v1/b/{BUCKET}/o"
    ways = {
        "a part": (web, part, related, 409),
        "a file": (web, b"", {"Content-Type": "application/dicom"}, 409),
        "an object": (f"{upload}?uploadType=media&name=one", b"", {}, 200),
        "an object in parts": (f"{upload}?uploadType=multipart", data, related, 200),
    }
    for what, (path, head, headers, status) in ways.items():
        body = _long(head, megabytes, b"\r\n--b--\r\n" if head else b"")
        with _Peak(victim) as peak:
            answer = victim.call("POST", path, what, content=body, headers=headers)
        assert answer.status_code == status, (what, answer.text[:300])
        assert peak.growth_mb < MAX_GROWTH_MB, what
        report(f"memory for {megabytes} MB as {what}", megabytes=peak.growth_mb)
    incoming = victim.running.state / "dicom" / "incoming"
    assert [path.name for path in incoming.iterdir()] == []
    for name in ("one", "two"):
        found = victim.call("GET", f"/storage/v1/b/{BUCKET}/o/{name}", "nothing").json()
        assert int(found["size"]) == megabytes << 20


def _flood(victim: Target, begun: bytes) -> None:
    address = victim.client.base_url
    with socket.create_connection((address.host, address.port or 80), timeout=60) as connection:
        connection.sendall(begun)
        for _ in range(MEGABYTES):
            connection.sendall(b"x" * len(_CHUNK))


@pytest.mark.parametrize("begun", [b"GET /v1/", b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: "])
def test_a_head_without_end_ends_its_connection(victim: Target, begun: bytes) -> None:
    with pytest.raises((BrokenPipeError, ConnectionResetError)):
        _flood(victim, begun)
    assert victim.call("GET", "/_emulator/health", "nothing").json()["ready"]
    long = {"X-Long": "x" * 60_000}
    for _ in range(3):  # one connection, and heads that are long but not too long
        victim.call("POST", "/v1/projects/none", "nothing", content=_CHUNK, headers=long)
        assert victim.client.get("/_emulator/health", headers=long).status_code == 200
    victim.check()


def test_no_log_holds_a_token(victim: Target, report: Callable[..., None]) -> None:
    bigquery = f"/bigquery/v2/projects/{PROJECT}"
    objects = f"/storage/v1/b/{BUCKET}/o"
    paths = [
        f"/v1/projects/{PROJECT}",
        f"/v1/{LOCATION}/datasets",
        f"/v1/{LOCATION}/datasets/no/dicomStores/no/dicomWeb/studies",
        "/v1/no/such/path",
        f"{bigquery}/datasets",
        f"{bigquery}/jobs/none",
        objects,
        f"{objects}/none?alt=media",
        f"/download{objects}/none?alt=media",
        f"/{BUCKET}/none",
        "/_emulator/health",
        "/_emulator/logs/none",
    ]
    tried = 0
    for path in paths:
        for key in ("access_token", "oauth_token", "key", "X-Goog-Signature"):
            sign = "&" if "?" in path else "?"
            for method in ("GET", "POST"):
                victim.call(method, f"{path}{sign}{key}={TOKEN}", key, content=b"{")
                tried += 1
    for upload in ("media&name=t", "resumable&name=t"):
        path = f"/upload{objects}?uploadType={upload}&access_token={TOKEN}"
        begun = victim.call("POST", path, upload)
        assert TOKEN not in begun.headers.get("Location", "")
    victim.client.post("/token", data={"assertion": TOKEN})
    victim.client.get("/v1/projects", headers={"Cookie": TOKEN, "Host": TOKEN, "Origin": TOKEN})
    victim.check()
    report("tokens in requests", tried=tried, lost=0)
