"""The console's page: its files, and what they may load."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from emulator import console
from emulator.app import create_app
from emulator.cloud import Cloud

FOLDER = Path(str(console.__file__)).parent
MODULES = sorted(file.relative_to(FOLDER).as_posix() for file in FOLDER.rglob("*.js"))
MAX_LINES = 300
FILES = {
    "": "text/html; charset=utf-8",
    "console.css": "text/css; charset=utf-8",
    **dict.fromkeys(MODULES, "text/javascript; charset=utf-8"),
}


@pytest.mark.parametrize(("name", "media_type"), FILES.items())
def test_a_file_has_its_type_and_may_load_from_here_alone(
    client: TestClient, name: str, media_type: str
) -> None:
    answer = client.get(f"/_console/{name}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == media_type
    policy = answer.headers["content-security-policy"].split("; ")
    assert policy[0] == "default-src 'none'"
    assert {"script-src 'self'", "connect-src 'self'", "form-action 'none'"} <= {*policy}
    assert {"frame-ancestors 'none'", "require-trusted-types-for 'script'"} <= {*policy}
    assert not [each for each in policy if "unsafe" in each or "http" in each or "*" in each]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"


def test_the_page_names_its_own_files_alone_and_has_no_inline_code(client: TestClient) -> None:
    page = client.get("/_console/").text
    named = re.findall(r'(?:src|href)="([^"#]+)"', page)
    # All modules are named, so that a browser fetches them at once and not level by level.
    files = ["console.css", *MODULES]
    assert sorted(named) == [*sorted(f"/_console/{file}" for file in files), "data:,"]
    assert not re.search(r"<script[^>]*>[^<]|<style| style=| on[a-z]+=", page)


@pytest.mark.parametrize("name", MODULES)
def test_a_module_sets_text_alone_and_loads_its_neighbours_alone(name: str) -> None:
    script = (FOLDER / name).read_text()
    unsafe = r"https?://|innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|localStorage"
    assert not re.search(unsafe, script)
    imported = re.findall(r'from "([^"]+)"', script)
    assert [each for each in imported if not (FOLDER / name).parent.joinpath(each).is_file()] == []
    assert script.count("\n") <= MAX_LINES


def test_every_table_is_on_the_page() -> None:
    imported = re.findall(r'from "\./(tables/[^"]+)"', (FOLDER / "console.js").read_text())
    assert imported == [name for name in MODULES if name.startswith("tables/")]


def test_another_file_is_not_there(client: TestClient) -> None:
    for name in ("routes.py", "tables/", "tables/none.js", "console.html"):
        assert client.get(f"/_console/{name}").status_code == 404
    assert client.post("/_console/").status_code == 405


def test_enforced_access_lets_the_page_be_read(open_cloud: Callable[..., Cloud]) -> None:
    with TestClient(create_app(open_cloud(enforce_iam=True)), "http://127.0.0.1") as client:
        stranger = {"Authorization": "Bearer local:user:eve@example.com"}
        assert "Local Google Cloud" in client.get("/_console/", headers=stranger).text
