"""The lab's own commands, `gcloud` and `bq`, where they are installed."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from emulator.server.server_file import ServerInfo
from tests.support import http
from tests.support.hl7v2_messages import RESULT, admission, encoded

pytestmark = [
    pytest.mark.sockets,
    pytest.mark.skipif(
        not (shutil.which("gcloud") and shutil.which("bq")), reason="gcloud or bq is not installed"
    ),
]

LOCATION = "us-central1"
ROLES = ["bigquery.admin", "storage.objectAdmin", "healthcare.datasetAdmin"]


class Tools:
    """The commands on a project, with separate settings of a user who never signed in."""

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
        """The JSON that a command prints."""
        return json.loads(self(*command, "--format=json"))


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the commands' settings: the first command in a new one sets it up."""
    return tmp_path_factory.mktemp("gcloud")


@pytest.fixture
def tools(emulator: ServerInfo, project: str, settings: Path) -> Tools:
    return Tools(project, settings)


def test_gcloud_removes_a_bucket_with_all_inside(tools: Tools, tmp_path: Path) -> None:
    file = tmp_path / "note.txt"
    file.write_text("hello")
    storage = ("gcloud", "storage")
    uniform, fine = (f"gs://{tools.project}-removed-{number}" for number in range(2))
    tools(*storage, "buckets", "create", uniform, "--uniform-bucket-level-access")
    tools(*storage, "buckets", "create", fine)
    for bucket in (uniform, fine):
        tools(*storage, "cp", str(file), f"{bucket}/a/note.txt")
    listed = tools(*storage, "ls", "--recursive", uniform, fine)
    assert f"{uniform}/a/note.txt" in listed
    assert f"{fine}/a/note.txt" in listed
    tools(*storage, "rm", "--recursive", uniform, fine)
    left = tools(*storage, "ls")
    assert uniform not in left
    assert fine not in left


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
    query = [*bq, "query", "--use_legacy_sql=false"]
    tools(*query, "CREATE TABLE dataset1.finds AS SELECT 'none' AS text UNION ALL SELECT 'some'")
    assert json.loads(
        tools(*query, "--format=json", "SELECT COUNT(*), MAX(text) FROM dataset1.finds")
    ) == [{"f0_": "2", "f1_": "some"}]
    dry_run = tools(*query, "--dry_run", "SELECT * FROM dataset1.finds")
    assert "successfully validated" in dry_run
    assert "running this query will process 12 bytes" in dry_run
    assert json.loads(tools(*bq, "show", "--format=json", "dataset1.finds"))["numBytes"] == "12"
    legacy = f"SELECT text FROM [{tools.project}:dataset1.finds]"
    tools(*bq, "query", "--job_id=legacy", "--format=json", legacy)
    statistics = json.loads(tools(*bq, "show", "--format=json", "-j", "legacy"))["statistics"]
    assert statistics["totalBytesProcessed"] == "12"
    assert statistics["query"]["totalBytesBilled"] == str(10 << 20)
    jobs = json.loads(tools(*bq, "ls", "-j", "--format=json"))
    assert not [job for job in jobs if "BYTE_LENGTH" in json.dumps(job)]
    tools(*bq, "rm", "-r", "-f", "-d", "dataset1")


def test_gcloud_reads_and_writes_logs(tools: Tools) -> None:
    tools("gcloud", "logging", "write", "notes", "a first note", "--severity=NOTICE")
    [entry] = tools.read("gcloud", "logging", "read", "severity>=INFO AND note")
    assert (entry["textPayload"], entry["severity"]) == ("a first note", "NOTICE")
    assert entry["logName"] == f"projects/{tools.project}/logs/notes"
    assert entry["logName"] in tools.read("gcloud", "logging", "logs", "list")


def test_gcloud_acts_as_a_service_account(tools: Tools) -> None:
    account = f"importer@{tools.project}.iam.gserviceaccount.com"
    tools("gcloud", "iam", "service-accounts", "create", "importer")
    [created] = tools.read("gcloud", "iam", "service-accounts", "list")
    assert created["email"] == account
    token = tools(
        "gcloud", "auth", "print-access-token", f"--impersonate-service-account={account}"
    )
    assert token.strip() == f"local:serviceAccount:{account}"


def test_gcloud_manages_hl7v2_and_fhir_stores(
    tools: Tools, service_agent: str, tmp_path: Path
) -> None:
    where = [f"--location={LOCATION}"]
    tools("gcloud", "services", "enable", "healthcare.googleapis.com")
    tools("gcloud", "healthcare", "datasets", "create", "dataset1", *where)
    member = f"--member={service_agent}"
    project = ("gcloud", "projects", "add-iam-policy-binding", tools.project, member)
    tools(*project, "--role=roles/storage.objectAdmin")
    bucket = f"gs://{tools.project}-data"
    tools("gcloud", "storage", "buckets", "create", bucket, "--uniform-bucket-level-access")
    messages = [{"data": encoded(each)} for each in (admission(), RESULT)]
    patients = [{"resourceType": "Patient", "id": each, "active": True} for each in ("a", "b")]
    for name, lines in (("hl7", messages), ("fhir", patients)):
        (tmp_path / f"{name}.ndjson").write_text("\n".join(map(json.dumps, lines)))
    tools("gcloud", "storage", "cp", *map(str, tmp_path.glob("*.ndjson")), bucket)
    inside = [*where, "--dataset=dataset1"]
    parent = f"projects/{tools.project}/locations/{LOCATION}/datasets/dataset1"

    hl7v2 = ("gcloud", "healthcare", "hl7v2-stores")
    tools(*hl7v2, "create", "hl7", *inside)
    name = f"{parent}/hl7V2Stores/hl7"
    assert [one["name"] for one in tools.read(*hl7v2, "list", *inside)] == [name]
    assert tools.read(*hl7v2, "describe", "hl7", *inside) == {"name": name}
    tools(*hl7v2, "import", "gcs", "hl7", *inside, f"--gcs-uri={bucket}/hl7.ndjson")
    metrics = tools.read(*hl7v2, "metrics", "hl7", *inside)["metrics"]
    assert {one["messageType"]: one["count"] for one in metrics} == {"ADT": "1", "ORU": "1"}
    tools(*hl7v2, "export", "gcs", "hl7", *inside, f"--gcs-uri={bucket}/hl7-out")
    exported = tools("gcloud", "storage", "cat", f"{bucket}/hl7-out/*").splitlines()
    assert [json.loads(line)["data"] for line in exported] == [line["data"] for line in messages]
    tools(*hl7v2, "delete", "hl7", *inside, "--quiet")
    assert tools.read(*hl7v2, "list", *inside) == []

    fhir = ("gcloud", "healthcare", "fhir-stores")
    tools(*fhir, "create", "fhir", *inside, "--version=r4", "--enable-update-create")
    [listed] = tools.read(*fhir, "list", *inside)
    assert (listed["name"], listed["enableUpdateCreate"]) == (f"{parent}/fhirStores/fhir", True)
    structure = "--content-structure=resource"
    tools(*fhir, "import", "gcs", "fhir", *inside, f"--gcs-uri={bucket}/fhir.ndjson", structure)
    [metric] = tools.read(*fhir, "metrics", "fhir", *inside)["metrics"]
    assert (metric["resourceType"], metric["count"]) == ("Patient", "2")
    tools(*fhir, "export", "gcs", "fhir", *inside, f"--gcs-uri={bucket}/fhir-out")
    exported = tools("gcloud", "storage", "cat", f"{bucket}/fhir-out/*").splitlines()
    assert sorted(json.loads(line)["id"] for line in exported) == ["a", "b"]
    tools(*fhir, "delete", "fhir", *inside, "--quiet")


@pytest.fixture
def enabled(emulator: ServerInfo, project: str) -> None:
    """The APIs of secrets and repositories."""
    url = f"{emulator.url}/v1/projects/{project}/services:batchEnable"
    names = [f"{name}.googleapis.com" for name in ("secretmanager", "artifactregistry")]
    http.post(url, json={"serviceIds": names}).raise_for_status()


def test_gcloud_manages_secrets(tools: Tools, enabled: None, tmp_path: Path) -> None:
    secrets = ("gcloud", "secrets")
    file = tmp_path / "key.pem"
    file.write_bytes(b"one")
    where = ("--replication-policy=user-managed", "--locations=europe-west4")
    tools(*secrets, "create", "tls", *where, f"--data-file={file}", "--labels=team=imaging")
    file.write_bytes(b"two")
    tools(*secrets, "versions", "add", "tls", f"--data-file={file}")
    assert tools(*secrets, "versions", "access", "--secret=tls", "latest") == "two"
    tools(*secrets, "versions", "destroy", "2", "--secret=tls", "--quiet")
    versions = tools.read(*secrets, "versions", "list", "tls")
    assert [one["state"] for one in versions] == ["DESTROYED", "ENABLED"]
    tools(*secrets, "update", "tls", "--update-labels=team=ct")
    [listed] = tools.read(*secrets, "list", "--filter=labels.team=ct")
    assert listed["name"].endswith("/secrets/tls")


def test_gcloud_manages_repositories(tools: Tools, enabled: None) -> None:
    repositories = ("gcloud", "artifacts", "repositories")
    where = f"--location={LOCATION}"
    tools(*repositories, "create", "images", where, "--repository-format=docker")
    [listed] = tools.read(*repositories, "list", where)
    name = f"projects/{tools.project}/locations/{LOCATION}/repositories/images"
    assert (listed["name"], listed["format"]) == (name, "DOCKER")
    member = ("--member=user:a@example.com", "--role=roles/artifactregistry.reader")
    policy = tools.read(*repositories, "add-iam-policy-binding", "images", where, *member)
    assert policy["bindings"][0]["members"] == ["user:a@example.com"]
    tools(*repositories, "delete", "images", where, "--quiet")


def test_a_managed_group(tools: Tools, emulator: ServerInfo) -> None:
    project = f"projects/{tools.project}"
    services = f"{emulator.url}/v1/{project}/services"
    http.post(f"{services}/compute.googleapis.com:enable", json={}).raise_for_status()
    compute, where = ("gcloud", "compute"), "--region=us-central1"
    image = ("--image-family=cos-stable", "--image-project=cos-cloud")
    tools(*compute, "instance-templates", "create", "t", "--machine-type=e2-small", *image)
    groups = (*compute, "instance-groups", "managed")
    tools(*groups, "create", "g", where, "--template=t", "--size=1")
    group = f"{emulator.url}/compute/v1/{project}/regions/us-central1/instanceGroupManagers/g"
    assert http.get(group).json()["targetSize"] == 1
    tools(*groups, "delete", "g", where, "--quiet")
    assert http.get(group).status_code == 404
