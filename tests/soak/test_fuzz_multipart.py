"""Requests to store that are cut at any byte, and bodies in parts that are none."""

import random
import socket
from collections.abc import Callable

import pytest

from tests.soak.fuzzing import Target
from tests.support.dicom_files import make_dicom

pytestmark = pytest.mark.sockets

CUTS, CUTS_LONG = 150, 1500
BOUNDARY = "cut-here"
CONTENT_TYPE = f'multipart/related; type="application/dicom"; boundary={BOUNDARY}'
JSON = {"Accept": "application/dicom+json"}


def body(*sops: str) -> bytes:
    """Return a body with one instance in each part."""
    parts = b"".join(
        f"--{BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n".encode()
        + make_dicom(SOPInstanceUID=sop)
        + b"\r\n"
        for sop in sops
    )
    return parts + f"--{BOUNDARY}--\r\n".encode()


def count(victim: Target, store: str) -> int:
    metrics = victim.call("GET", f"/v1/{store}:getDICOMStoreMetrics", "nothing").json()
    return int(metrics["instanceCount"])


def left(victim: Target) -> list[str]:
    return [path.name for path in (victim.running.state / "dicom" / "incoming").iterdir()]


def test_a_body_that_is_cut_stores_nothing(
    victim: Target, draw: random.Random, soak: bool, report: Callable[..., None]
) -> None:
    store = victim.new_store()
    whole = body("1.2.1", "1.2.2")
    edges = [at for at in range(len(whole)) if whole[at : at + 2] in (b"\r\n", b"--")]
    cuts = {*edges, *range(len(whole) - 40, len(whole) - 3)}
    cuts |= {draw.randrange(len(whole)) for _ in range(CUTS_LONG if soak else CUTS)}
    for cut in sorted(cuts):
        headers = {"Content-Type": CONTENT_TYPE, **JSON}
        url = f"/v1/{store}/dicomWeb/studies"
        answer = victim.call("POST", url, f"{cut} bytes", content=whole[:cut], headers=headers)
        ended = whole[:cut].rstrip().endswith(b"--" + BOUNDARY.encode() + b"--")
        assert answer.status_code == (200 if ended else 400), (cut, answer.text)
        if not ended:
            assert "cut off" in answer.text or "headers" in answer.text, (cut, answer.text)
    assert count(victim, store) in (0, 2)
    assert left(victim) == []
    report("bodies cut", tried=len(cuts), lost=0)


def test_a_client_that_goes_away_leaves_nothing(
    victim: Target, draw: random.Random, soak: bool, report: Callable[..., None]
) -> None:
    store = victim.new_store()
    whole = body("1.2.1", "1.2.2")
    address = victim.client.base_url
    times = 400 if soak else 40
    for _ in range(times):
        cut = draw.randrange(1, len(whole))
        head = (
            f"POST /v1/{store}/dicomWeb/studies HTTP/1.1\r\nHost: {address.host}:{address.port}\r\n"
            f"Content-Type: {CONTENT_TYPE}\r\nContent-Length: {len(whole)}\r\n\r\n"
        )
        with socket.create_connection((address.host, address.port or 80)) as connection:
            connection.sendall(head.encode() + whole[:cut])
    victim.call("GET", "/v1/projects/local-project", "nothing")
    assert count(victim, store) == 0
    victim.check()
    assert left(victim) == []
    report("clients gone", tried=times, lost=0)


@pytest.mark.parametrize(
    ("content_type", "content", "code"),
    [
        ("multipart/related", b"x", 400),
        ('multipart/related; boundary=""', b"x", 400),
        (f"multipart/related; boundary={'b' * 300}", b"x", 400),
        ('multipart/related; type="application/dicom+xml"; boundary=b', b"--b--", 400),
        ('multipart/related; type="text/plain"; boundary=b', b"--b--", 400),
        (CONTENT_TYPE, b"", 400),
        (CONTENT_TYPE, b"no boundary at all", 400),
        (CONTENT_TYPE, b"--other\r\n\r\n\r\n--other--", 400),
        (CONTENT_TYPE, b"--cut-here\r\n" + b"X: y\r\n" * 5000, 400),
        (CONTENT_TYPE, b"--cut-here--", 400),
        ("text/plain", b"x", 400),
        ("", b"x", 400),
        ("application/dicom", b"", 409),
        ("application/dicom", b"\0" * 1000, 409),
    ],
)
def test_what_is_no_body_in_parts_is_refused(
    victim: Target, content_type: str, content: bytes, code: int
) -> None:
    store = victim.new_store()
    headers = {"Content-Type": content_type, **JSON}
    url = f"/v1/{store}/dicomWeb/studies"
    answer = victim.call(
        "POST", url, f"{content_type} {content[:40]!r}", content=content, headers=headers
    )
    assert answer.status_code == code, answer.text
    assert count(victim, store) == 0
    assert left(victim) == []
