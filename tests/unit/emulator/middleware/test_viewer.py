"""The viewer's files beside the APIs: types, caching, what pages may load, and what stays away."""

import base64
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from emulator.app import create_app
from emulator.cloud import Cloud
from viewer import cache

STORE = "projects/local-project/locations/us-central1/datasets/dataset1/dicomStores/chest"
SOURCE = "local-project~us-central1~dataset1~chest"


@pytest.mark.parametrize("path", ["/", "/viewer", f"/viewer/{SOURCE}", "/index.html"])
def test_a_page_is_the_viewers(client: TestClient, dist: Path, path: str) -> None:
    answer = client.get(f"{path}?StudyInstanceUIDs=1.2.3")
    assert answer.text.endswith("The viewer")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    ("path", "content", "media_type"),
    [
        ("/app.bundle.0123456789abcdef.js", "app()", "text/javascript; charset=utf-8"),
        ("/0123456789abcdef.wasm", "wasm", "application/wasm"),
        ("/app.bundle.css", "p {}", "text/css; charset=utf-8"),
        ("/assets/favicon.ico", "icon", "image/vnd.microsoft.icon"),
        ("/LICENSE.unknown", "text", "application/octet-stream"),
    ],
)
def test_a_file_has_its_media_type(
    client: TestClient, dist: Path, path: str, content: str, media_type: str
) -> None:
    answer = client.get(path)
    assert answer.text == content
    assert answer.headers["content-type"] == media_type
    assert answer.headers["x-content-type-options"] == "nosniff"
    head = client.head(path)
    assert (head.text, head.headers["content-length"]) == ("", str(len(content)))


def test_only_a_name_with_a_hash_is_kept_without_asking(client: TestClient, dist: Path) -> None:
    kept = client.get("/app.bundle.0123456789abcdef.js").headers["cache-control"]
    assert kept == "public, max-age=31536000, immutable"
    asked = client.get("/app.bundle.css")
    assert asked.headers["cache-control"] == "no-cache"
    again = client.get("/app.bundle.css", headers={"If-None-Match": asked.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_a_page_loads_from_this_origin_alone(
    client: TestClient, dist: Path, digest_of_script: bytes
) -> None:
    policy = client.get("/").headers["content-security-policy"].split("; ")
    assert policy[0] == "default-src 'self'"
    digest = base64.b64encode(digest_of_script).decode()
    assert f"script-src 'self' 'wasm-unsafe-eval' 'sha256-{digest}'" in policy
    assert "frame-ancestors 'none'" in policy
    assert not [each for each in policy if "http" in each or "*" in each]


@pytest.mark.parametrize(
    "path",
    [
        "/../secret",
        "/assets/../../secret",
        "/%2e%2e/secret",
        "/assets/%2e%2e%2f%2e%2e%2fsecret",
        "/assets/link",
        "/assets\\..\\secret",
        "/assets/",
    ],
)
def test_nothing_outside_of_the_folder_is_read(client: TestClient, dist: Path, path: str) -> None:
    client.get("/")
    answer = client.get(path)
    assert answer.status_code >= 400
    assert answer.json()["error"]["message"]


@pytest.mark.parametrize("path", ["/viewer/object.txt", "/viewer/a~b/c", "/assets/other.png"])
def test_other_paths_belong_to_the_apis(client: TestClient, dist: Path, path: str) -> None:
    client.get("/")
    # Cloud Storage's XML API, whose backend is not there.
    assert client.get(path).status_code >= 500
    assert client.post("/").status_code == 404


def test_the_configuration_names_the_stores_of_the_moment(
    client: TestClient, dist: Path, dataset: str
) -> None:
    client.get("/")
    client.post(f"/v1/{dataset}/fhirStores?fhirStoreId=f", json={"version": "R4"})
    for store in ("lung", "chest"):
        client.post(f"/v1/{dataset}/dicomStores?dicomStoreId={store}", json={}).raise_for_status()
    config = _config(client)
    assert [each["sourceName"] for each in config["dataSources"]] == [
        SOURCE,
        SOURCE.replace("chest", "lung"),
    ]
    assert config["defaultDataSourceName"] == SOURCE
    root = config["dataSources"][0]["configuration"]["qidoRoot"]
    assert root == f"/v1/{STORE}/dicomWeb"
    assert client.get(f"{root}/studies").status_code in {200, 204}
    client.delete(f"/v1/{STORE}").raise_for_status()
    assert len(_config(client)["dataSources"]) == 1


def _config(client: TestClient) -> Any:
    answer = client.get("/app-config.js")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    text = answer.text.removeprefix("window.config = ").removesuffix(";\n")
    return json.loads(text)


def test_before_it_is_fetched_its_pages_say_how_to(
    client: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "folder", lambda: tmp_path / "none")
    error = client.get("/").json()["error"]
    assert error["message"].startswith("The viewer is not here yet: `")
    assert error["message"].endswith(" viewer` fetches it.")


def test_a_cache_that_was_deleted_meanwhile_has_no_files(client: TestClient, dist: Path) -> None:
    assert client.get("/").status_code == 200
    shutil.rmtree(dist)
    assert client.get("/app.bundle.css").json()["error"]["code"] == 503  # Cloud Storage's


def test_enforced_access_leaves_the_viewer_to_everyone(
    open_cloud: Callable[..., Cloud], dist: Path
) -> None:
    with TestClient(create_app(open_cloud(enforce_iam=True)), "http://127.0.0.1") as client:
        stranger = {"Authorization": "Bearer local:user:eve@example.com"}
        assert client.get("/", headers=stranger).text.endswith("The viewer")
        assert client.get("/v1/projects/local-project", headers=stranger).status_code == 403


def test_a_page_of_another_machine_gets_nothing(client: TestClient, dist: Path) -> None:
    assert client.get("/", headers={"Host": "evil.example"}).status_code == 403
