"""The console's page: its files, and what they may load."""

import re
from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from emulator.app import create_app
from emulator.cloud import Cloud

FILES = {
    "/_console/": "text/html; charset=utf-8",
    "/_console/console.css": "text/css; charset=utf-8",
    "/_console/console.js": "text/javascript; charset=utf-8",
}


@pytest.mark.parametrize(("path", "media_type"), FILES.items())
def test_a_file_has_its_type_and_may_load_from_here_alone(
    client: TestClient, path: str, media_type: str
) -> None:
    answer = client.get(path)
    assert answer.headers["content-type"] == media_type
    policy = answer.headers["content-security-policy"].split("; ")
    assert policy[0] == "default-src 'none'"
    assert not [each for each in policy if "unsafe" in each or "http" in each or "*" in each]
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_the_page_names_its_own_files_alone_and_has_no_inline_code(client: TestClient) -> None:
    page = client.get("/_console/").text
    named = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert sorted(named) == ["/_console/console.css", "/_console/console.js", "data:,"]
    assert not re.search(r"<script[^>]*>[^<]|<style| style=| on[a-z]+=", page)
    script = client.get("/_console/console.js").text
    assert not re.search(
        r"https?://|innerHTML|outerHTML|insertAdjacentHTML|document\.write", script
    )


def test_another_file_is_not_there(client: TestClient) -> None:
    assert client.get("/_console/routes.py").status_code == 404
    assert client.post("/_console/").status_code == 405


def test_enforced_access_lets_the_page_be_read(open_cloud: Callable[..., Cloud]) -> None:
    with TestClient(create_app(open_cloud(enforce_iam=True)), "http://127.0.0.1") as client:
        stranger = {"Authorization": "Bearer local:user:eve@example.com"}
        assert "Local Google Cloud" in client.get("/_console/", headers=stranger).text
