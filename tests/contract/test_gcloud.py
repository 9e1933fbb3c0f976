"""The lab's own commands, `gcloud` and `bq`, where they are installed."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from emulator.layout import Running

pytestmark = [
    pytest.mark.sockets,
    pytest.mark.skipif(
        not (shutil.which("gcloud") and shutil.which("bq")), reason="gcloud or bq is not installed"
    ),
]

LOCATION = "us-central1"
ROLES = ["bigquery.admin", "storage.objectAdmin", "healthcare.datasetAdmin"]


class Tools:
    """The commands on a project, with settings of their own, as nobody has ever signed in."""

    def __init__(self, project: str, folder: Path) -> None:
        self.project = project
        self._environment = {
            **os.environ,
            "CLOUDSDK_CONFIG": str(folder),
            "CLOUDSDK_CORE_PROJECT": project,
        }

    def __call__(self, *command: str) -> str:
        done = subprocess.run(
            command, env=self._environment, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def read(self, *command: str) -> Any:
        """What a command prints as JSON."""
        return json.loads(self(*command, "--format=json"))


@pytest.fixture
def tools(emulator: Running, project: str, tmp_path: Path) -> Tools:
    return Tools(project, tmp_path)


def test_gcloud_removes_a_bucket_with_all_inside(tools: Tools, tmp_path: Path) -> None:
    file = tmp_path / "note.txt"
    file.write_text("hello")
    for number, access in enumerate(("--uniform-bucket-level-access", "")):
        bucket = f"gs://{tools.project}-removed-{number}"
        tools("gcloud", "storage", "buckets", "create", bucket, *([access] if access else []))
        tools("gcloud", "storage", "cp", str(file), f"{bucket}/a/note.txt")
        assert f"{bucket}/a/note.txt" in tools("gcloud", "storage", "ls", "--recursive", bucket)
        tools("gcloud", "storage", "rm", "--recursive", bucket)
        assert bucket not in tools("gcloud", "storage", "ls")


def test_the_labs_provisioning(tools: Tools, service_agent: str) -> None:
    where = [f"--location={LOCATION}"]
    tools("gcloud", "services", "enable", "healthcare.googleapis.com")
    tools("gcloud", "healthcare", "datasets", "create", "dataset1", *where)
    for role in ROLES:
        tools(
            "gcloud",
            "projects",
            "add-iam-policy-binding",
            tools.project,
            f"--member={service_agent}",
            f"--role=roles/{role}",
        )
    inside = [*where, "--dataset=dataset1"]
    tools("gcloud", "healthcare", "dicom-stores", "create", "dicomstore1", *inside)

    datasets = tools.read("gcloud", "healthcare", "datasets", "list", *where)
    name = f"projects/{tools.project}/locations/{LOCATION}/datasets/dataset1"
    assert [one["name"] for one in datasets] == [name]
    stores = tools.read("gcloud", "healthcare", "dicom-stores", "list", *inside)
    assert [one["name"] for one in stores] == [f"{name}/dicomStores/dicomstore1"]
    bindings = tools.read("gcloud", "projects", "get-iam-policy", tools.project)["bindings"]
    granted = {one["role"] for one in bindings if service_agent in one["members"]}
    assert granted == {f"roles/{role}" for role in ROLES}
    tools("gcloud", "healthcare", "datasets", "delete", "dataset1", *where, "--quiet")
    assert tools.read("gcloud", "healthcare", "datasets", "list", *where) == []


def test_the_labs_bigquery_dataset(tools: Tools) -> None:
    bq = ["bq", "--headless"]
    tools(*bq, "mk", f"--location={LOCATION}", "--dataset", "--description=DICOM", "dataset1")

    shown = json.loads(tools(*bq, "show", "--format=json", "dataset1"))
    assert shown["description"] == "DICOM"
    assert shown["location"] == LOCATION
    rows = json.loads(
        tools(*bq, "query", "--format=json", "--use_legacy_sql=false", "SELECT 1 AS one")
    )
    assert rows == [{"one": "1"}]
    tools(*bq, "rm", "-r", "-f", "-d", "dataset1")
