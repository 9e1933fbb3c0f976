"""JSON in single quotes, as the lab's own commands send it with curl, to every service."""

import json
import shutil
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from emulator.server.server_file import ServerInfo
from tests.support.import_export import Lab
from tests.support.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.sockets

FEW = "gs://gcs-public-data--healthcare-nih-chest-xray/dicom/0000008*.dcm"


@pytest.fixture
def lab(emulator: ServerInfo, project: str, grant: Callable[..., None]) -> Lab:
    grant("roles/storage.objectAdmin", "roles/bigquery.admin")
    return Lab(emulator, project)


def curl(method: str, url: str, data: str) -> Any:
    program = shutil.which("curl")
    assert program, "curl is not installed"
    headers = ["-H", "Authorization: Bearer token", "-H", "Content-Type: application/json"]
    command = [program, "-sS", "-X", method, *headers, "--data", data, url]
    return json.loads(
        subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE_SECONDS).stdout
    )


def test_the_labs_export_command(lab: Lab) -> None:
    lab.import_(FEW)
    table = lab.table_uri("dicomstore1")

    started = curl(
        "POST",
        f"{lab.root}/v1/{lab.store}:export",
        f"{{ 'bigqueryDestination': {{ 'tableUri': '{table}' }} }}",
    )

    assert "error" not in lab.wait(started["name"])
    assert lab.query("SELECT COUNT(*) FROM dataset1.dicomstore1") == [(lab.count(),)]


def test_a_store_and_a_topic(lab: Lab) -> None:
    stores = f"{lab.root}/v1/{lab.dataset}/dicomStores"
    created = curl("POST", f"{stores}?dicomStoreId=quoted", "{labels: {'a': 'b',},}")
    topic = curl("PUT", f"{lab.root}/v1/projects/{lab.project}/topics/quoted", "{'labels': {},}")

    assert created["labels"] == {"a": "b"}
    assert topic["name"].endswith("/topics/quoted")


def test_bigquery_and_what_it_passes_on(lab: Lab) -> None:
    root = f"{lab.root}/bigquery/v2/projects/{lab.project}"
    created = curl("POST", f"{root}/datasets", "{'datasetReference': {'datasetId': 'quoted',},}")
    answer = curl("POST", f"{root}/queries", "{query: 'SELECT 1 AS one', 'useLegacySql': false,}")

    assert created["datasetReference"]["datasetId"] == "quoted"
    assert answer["rows"] == [{"f": [{"v": "1"}]}]


def test_cloud_storage_and_what_it_passes_on(lab: Lab) -> None:
    name = f"quoted-{lab.project}"[:60]
    created = curl(
        "POST", f"{lab.root}/storage/v1/b?project={lab.project}", f"{{'name': '{name}',}}"
    )
    content = "{'this is': content,}"
    curl("POST", f"{lab.root}/upload/storage/v1/b/{name}/o?uploadType=media&name=a.txt", content)
    path = f"{lab.root}/storage/v1/b/{name}/o/a.txt"
    changed = curl("PATCH", path, "{metadata: {'a': 'b',},}")

    assert created["name"] == name
    assert changed["metadata"] == {"a": "b"}
    assert lab.buckets.bucket(name).blob("a.txt").download_as_text() == content


def test_a_body_that_no_dialect_has_is_a_400(lab: Lab) -> None:
    answer = curl("POST", f"{lab.root}/v1/{lab.store}:export", "{ 'bigqueryDestination': ")

    assert answer["error"]["code"] == 400
    assert answer["error"]["status"] == "INVALID_ARGUMENT"
    assert answer["error"]["message"].startswith("Invalid JSON payload received. Unexpected end")
