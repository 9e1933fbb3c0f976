"""The scripts that import and export FHIR resources, against a FHIR store."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import typer
from google.cloud import bigquery
from google.cloud.storage import Client as StorageClient
from typer.testing import CliRunner

from emulator.server.server_file import ServerInfo
from scripts import export_fhir, import_fhir
from scripts.lib.errors import ExitCode
from tests.support.fhir_resources import observation, patient
from tests.support.import_export import ANONYMOUS, healthcare

pytestmark = pytest.mark.sockets


class Hospital:
    """A dataset with two FHIR stores, and a bucket, in a project of its own."""

    def __init__(self, running: ServerInfo, project: str) -> None:
        self._running, self.project = running, project
        datasets = healthcare(running).projects().locations().datasets()
        parent = f"projects/{project}/locations/us-central1"
        datasets.create(parent=parent, datasetId="d", body={}).execute()
        self.stores = datasets.fhirStores()
        for id_ in ("s", "copy"):
            request = self.stores.create(
                parent=f"{parent}/datasets/d", fhirStoreId=id_, body={"version": "R4"}
            )
            request.execute()
        self.dataset = f"{parent}/datasets/d"
        self._bucket = StorageClient(
            project,
            ANONYMOUS(),
            client_options={"api_endpoint": running.environment()["STORAGE_EMULATOR_HOST"]},
        ).create_bucket(f"{project}-fhir")
        self.bucket = f"gs://{self._bucket.name}"

    def write(self, name: str, *lines: dict[str, Any] | str) -> None:
        texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
        self._bucket.blob(name).upload_from_string("\n".join(texts))

    def objects(self, prefix: str) -> set[str]:
        return {blob.name for blob in self._bucket.list_blobs(prefix=prefix)}

    def counts(self, store: str) -> dict[str, str]:
        """Resource type -> number of resources."""
        name = f"{self.dataset}/fhirStores/{store}"
        metrics = self.stores.getFHIRStoreMetrics(name=name).execute().get("metrics", [])
        return {each["resourceType"]: each["count"] for each in metrics}

    def tables(self) -> Any:
        """A client of BigQuery."""
        return bigquery.Client(
            self.project,
            ANONYMOUS(),
            client_options={"api_endpoint": self._running.environment()["BIGQUERY_EMULATOR_HOST"]},
        )

    def run(self, app: typer.Typer, store: str, *arguments: str) -> tuple[int, dict[str, Any]]:
        """The exit code of a script, and its JSON."""
        where = ["--project", self.project, "--location", "us-central1", "--dataset", "d"]
        ran = CliRunner().invoke(app, [*arguments, *where, "--store", store, "--json"])
        return ran.exit_code, json.loads(ran.stdout)


@pytest.fixture
def hospital(emulator: ServerInfo, project: str, grant: Callable[..., None]) -> Hospital:
    grant("roles/storage.objectAdmin", "roles/bigquery.dataEditor", "roles/bigquery.jobUser")
    return Hospital(emulator, project)


def test_exports_can_be_imported(hospital: Hospital) -> None:
    hospital.write("in/a.ndjson", patient("a"), patient("b"), observation("Patient/a", "o"))
    code, done = hospital.run(import_fhir.app, "s", f"{hospital.bucket}/in/**.ndjson")
    assert (code, done["success"], done["failures"]) == (0, 3, [])
    folder = f"{hospital.bucket}/out"
    code, done = hospital.run(export_fhir.app, "s", folder, "--type", "Patient")
    assert (code, done["success"], done["location"]) == (0, 2, folder)
    assert hospital.objects("out/") == {"out/Patient"}
    code, done = hospital.run(import_fhir.app, "copy", f"{folder}/*")
    assert (code, done["success"]) == (0, 2)
    assert hospital.counts("copy") == {"Patient": "2"}


def test_an_import_says_what_failed(hospital: Hospital) -> None:
    bundle = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"resource": patient("a")}],
    }
    hospital.write("in", bundle, "not JSON")
    source = f"{hospital.bucket}/in"
    structure = ("--content-structure", "bundle")
    code, answer = hospital.run(import_fhir.app, "s", source, *structure)
    assert code == ExitCode.PARTLY_FAILED
    [failure] = answer["error"]["failures"]
    assert failure["source"] == f"{source}:2"
    assert failure["error"]
    assert "No resource was imported" not in answer["error"]["hint"]
    hospital.write("in", patient("b"))
    code, answer = hospital.run(import_fhir.app, "s", source, *structure)
    assert code == ExitCode.PARTLY_FAILED
    assert "No resource was imported" in answer["error"]["hint"]
    code, answer = hospital.run(import_fhir.app, "s", source)
    assert (code, answer["success"]) == (0, 1)
    assert hospital.counts("s") == {"Patient": "2"}


def test_an_export_makes_tables(hospital: Hospital) -> None:
    tables = hospital.tables()
    tables.create_dataset("research")
    hospital.write("in", patient("a"), observation("Patient/a", "o"))
    hospital.run(import_fhir.app, "s", f"{hospital.bucket}/in")
    target = f"bq://{hospital.project}.research"
    code, done = hospital.run(export_fhir.app, "s", target)
    assert (code, done["success"]) == (0, 2)
    joined = (
        "SELECT p.id FROM research.Observation o"
        " JOIN research.Patient p ON o.subject.patientId = p.id"
    )
    assert [tuple(row) for row in tables.query(joined).result()] == [("a",)]
    code, answer = hospital.run(export_fhir.app, "s", target)
    assert code == ExitCode.FAILED
    assert "--write-disposition truncate or append" in answer["error"]["hint"]
    code, done = hospital.run(
        export_fhir.app, "s", target, "-w", "truncate", "--schema", "analytics"
    )
    assert (code, done["success"]) == (0, 2)
