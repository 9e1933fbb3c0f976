"""Apache Beam's connector for DICOM stores, as its users run it, on Beam's local runner.

The pipelines, the connector, its client and the files of Cloud Storage are those of the wheel of
`apache-beam`; the packages below them are the project's own, some newer than Beam allows. Nothing
runs on Dataflow.
"""

import base64
import json
import os
import subprocess
import sys
from typing import Any

import pytest

from emulator.server.server_file import ServerInfo
from tests.contract.clients import installing
from tests.support import http
from tests.support.dicom_files import make_dicom

pytestmark = pytest.mark.sockets

STUDY, SERIES = "1.2.3", "1.2.3.4"
TAGS = {"studies": "0020000D", "series": "0020000E", "instances": "00080018"}


@pytest.fixture
def store(emulator: ServerInfo, project: str, grant: Any) -> str:
    """The resource name of an empty store that notifies the subscription `stored`."""
    grant("roles/pubsub.publisher")
    pubsub = f"{emulator.url}/v1/projects/{project}"
    topic = f"projects/{project}/topics/stored"
    http.put(f"{pubsub}/topics/stored", json={}).raise_for_status()
    http.put(f"{pubsub}/subscriptions/stored", json={"topic": topic}).raise_for_status()
    parent = f"projects/{project}/locations/us-central1/datasets"
    http.post(f"{emulator.url}/v1/{parent}?datasetId=d", json={}).raise_for_status()
    body = {"notificationConfigs": [{"pubsubTopic": topic}]}
    stores = f"{emulator.url}/v1/{parent}/d/dicomStores"
    http.post(f"{stores}?dicomStoreId=beam", json=body).raise_for_status()
    return f"{parent}/d/dicomStores/beam"


def put_files(emulator: ServerInfo, project: str, files: dict[str, bytes]) -> str:
    """Put files into a new bucket; return a pattern of them."""
    bucket = f"{project}-files"
    url = f"{emulator.url}/storage/v1/b?project={project}"
    http.post(url, json={"name": bucket}).raise_for_status()
    upload = f"{emulator.url}/upload/storage/v1/b/{bucket}/o?uploadType=media"
    for name, content in files.items():
        http.post(f"{upload}&name={name}", content=content).raise_for_status()
    return f"gs://{bucket}/*.dcm"


def store_and_pull(emulator: ServerInfo, project: str, store: str) -> str:
    """Store the first instance; return the data of its notification."""
    web = f"{emulator.url}/v1/{store}/dicomWeb/studies"
    content = make_dicom(SOPInstanceUID=f"{SERIES}.0")
    headers = {"Content-Type": "application/dicom"}
    http.post(web, content=content, headers=headers).raise_for_status()
    url = f"{emulator.url}/v1/projects/{project}/subscriptions/stored:pull"
    [message] = http.post(url, json={"maxMessages": 10}).json()["receivedMessages"]
    return base64.b64decode(message["message"]["data"]).decode()


def run_pipelines(*arguments: str) -> dict[str, list[dict[str, Any]]]:
    """Run the pipelines; return the results of each."""
    try:
        packages = installing.python_packages("pipeline")
    except installing.MissingError as error:
        pytest.skip(str(error))
    done = subprocess.run(
        [sys.executable, installing.PYTHON / "pipeline.py", *arguments],
        env=os.environ | {"PYTHONPATH": str(packages)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    steps: dict[str, list[dict[str, Any]]] = {}
    for line in done.stdout.splitlines():
        result = json.loads(line)
        steps.setdefault(result.pop("step"), []).append(result)
    return steps


def test_its_connector_stores_searches_and_follows_notifications(
    emulator: ServerInfo, project: str, store: str
) -> None:
    files = {f"{n}.dcm": make_dicom(SOPInstanceUID=f"{SERIES}.{n}") for n in range(1, 4)}
    files["other.dcm"] = make_dicom(
        StudyInstanceUID="1.2.9", SeriesInstanceUID="1.2.9.1", SOPInstanceUID="1.2.9.1.1"
    )
    files["changed.dcm"] = make_dicom(SOPInstanceUID=f"{SERIES}.0", PatientID="p2")
    message = store_and_pull(emulator, project, store)
    saw = run_pipelines(emulator.url, store, put_files(emulator, project, files), message)

    stored = sorted(saw["upload"], key=lambda one: one["success"])
    changed = {"status": 409, "success": False, "input": f"gs://{project}-files/changed.dcm"}
    assert stored == [changed, *[{"status": 200, "success": True}] * 4]
    instances = [*(f"{SERIES}.{n}" for n in range(4)), "1.2.9.1.1"]
    searched = sorted(searches_of(saw["search"]))
    assert searched == [
        # Of 5, a whole page: the page after it is a 204, so that the client asks for one again.
        ("instances", "1", 200, instances),
        ("instances", "100", 200, instances),
        ("instances", "2", 200, instances),
        ("series", "500", 200, [SERIES, "1.2.9.1"]),
        ("studies", "500", 200, [STUDY, "1.2.9"]),
        ("studies", "500", 204, []),  # nothing found, which the connector calls a failure
    ]
    assert searches_of(saw["message"]) == [("instances", "500", 200, [f"{SERIES}.0"])]


def searches_of(results: list[dict[str, Any]]) -> list[tuple[str, str, int, list[str]]]:
    """Return each search's level, last page size, status and the UIDs found."""
    searches = []
    for one in results:
        level = one["input"]["search_type"]
        assert one["success"] == (one["status"] == 200)
        uids = sorted(item[TAGS[level]]["Value"][0] for item in one["result"])
        size = one["input"].get("params", {}).get("limit", "500")
        searches.append((level, str(size), one["status"], uids))
    return searches
