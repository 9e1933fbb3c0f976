"""The form of a response: decided by the Accept header alone."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.support.dicom_files import make_dicom

FILE, OCTETS = "application/dicom", "application/octet-stream"


@pytest.fixture
def instance(client: TestClient, store: str, pixels: Any) -> str:
    """The address of an instance with two frames."""
    address = f"/v1/{store}/dicomWeb/studies"
    content = make_dicom(pixels=pixels, EncapsulatedDocument=b"%PDF" * 2000)
    client.post(address, content=content, headers={"Content-Type": FILE}).raise_for_status()
    return f"{address}/1.2.3/series/1.2.3.4/instances/1.2.3.4.5"


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("", f"{FILE}; transfer-syntax=*"),
        ("", FILE),
        ("/frames/1", OCTETS),
        ("/frames/1", "image/png"),
        ("/bulkdata/7FE00010", OCTETS),
    ],
)
def test_a_media_type_beside_a_wildcard_is_a_single_part(
    client: TestClient, instance: str, path: str, media_type: str
) -> None:
    accept = f"{media_type}, */*;q=0.1"

    answer = client.get(f"{instance}{path}", headers={"Accept": accept})

    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"].startswith(media_type.partition(";")[0])


@pytest.mark.parametrize("path", ["", "/frames/1", "/bulkdata/7FE00010"])
@pytest.mark.parametrize("accept", ["*/*", "text/html, */*;q=0.1"])
def test_a_wildcard_alone_gets_parts(
    client: TestClient, instance: str, path: str, accept: str
) -> None:
    answer = client.get(f"{instance}{path}", headers={"Accept": accept})

    assert answer.headers["Content-Type"].startswith("multipart/related")


def test_several_frames_are_parts_whatever_is_asked_for(client: TestClient, instance: str) -> None:
    answer = client.get(f"{instance}/frames/1,2", headers={"Accept": OCTETS})

    assert answer.headers["Content-Type"].startswith("multipart/related")


def test_several_accept_headers_are_one(client: TestClient, instance: str) -> None:
    headers = [("Accept", "text/html"), ("Accept", FILE)]

    answer = client.get(instance, headers=headers)

    assert answer.headers["Content-Type"].startswith(FILE)
