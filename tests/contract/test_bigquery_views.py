"""The views of a stack over an exported table, before and after the first structured report."""

import io
from collections.abc import Callable
from typing import Any

import pydicom
import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from components.bigquery_views import VIEWS
from emulator.core import http_client
from emulator.seed import dicom_file, records
from emulator.server.server_file import ServerInfo
from tests.support import http
from tests.support.waiting import finished
from workloads.inference import reports
from workloads.inference.arrival import pixels_of
from workloads.inference.cardiothoracic import CardiothoracicRatio

pytestmark = pytest.mark.sockets
MODEL = CardiothoracicRatio()


class Exported:
    """A DICOM store, and the table that it is exported to."""

    def __init__(self, emulator: ServerInfo, project: str) -> None:
        self._running, self._url, self._table = emulator, emulator.url, f"{project}.views.chest"
        credentials: Any = AnonymousCredentials
        endpoint = emulator.environment()["BIGQUERY_EMULATOR_HOST"]
        self._client = bigquery.Client(
            project, credentials(), client_options={"api_endpoint": endpoint}
        )
        self._client.create_dataset("views")
        datasets = f"v1/projects/{project}/locations/us-central1/datasets"
        http.post(f"{self._url}/{datasets}?datasetId=d", json={}).raise_for_status()
        self._store = f"{datasets}/d/dicomStores/chest"
        created = f"{self._url}/{datasets}/d/dicomStores?dicomStoreId=chest"
        http.post(created, json={}).raise_for_status()

    def put(self, content: bytes) -> None:
        headers = {"Content-Type": "application/dicom"}
        stow = f"{self._url}/{self._store}/dicomWeb/studies"
        http.post(stow, content=content, headers=headers).raise_for_status()

    def export(self) -> None:
        uri = f"bq://{self._table}"
        destination = {"tableUri": uri, "writeDisposition": "WRITE_TRUNCATE"}
        body = {"bigqueryDestination": destination}
        begun = http.post(f"{self._url}/{self._store}:export", json=body)
        with http_client.client(seconds=30) as client:
            done = finished(client, self._running, begun)
        assert "error" not in done, done

    def view(self, name: str) -> list[dict[str, Any]]:
        """The rows of a view, with the names of columns in lower case."""
        [view] = [one for one in VIEWS if one.name == name]
        sql = view.sql.format(table=f"`{self._table}`")
        found = self._client.query_and_wait(sql)
        return [{key.lower(): value for key, value in row.items()} for row in found]


@pytest.fixture
def exported(emulator: ServerInfo, project: str, grant: Callable[..., None]) -> Exported:
    grant("roles/bigquery.admin")
    return Exported(emulator, project)


def test_findings_stand_beside_what_reports_measure(exported: Exported) -> None:
    contents = [dicom_file.build(record) for record in records.load()[:2]]
    for content in contents:
        exported.put(content)
    exported.export()
    assert [row["instances"] for row in exported.view("modality_counts")] == [2]
    assert exported.view("findings_vs_measured") == []

    image = pydicom.dcmread(io.BytesIO(contents[0]))
    findings = MODEL.measure(pixels_of(image))
    exported.put(reports.structured_report(image, MODEL.algorithm, findings))
    exported.export()
    assert exported.view("findings_vs_measured") == [
        {
            "patientid": image.PatientID,
            "studyinstanceuid": image.StudyInstanceUID,
            "sopinstanceuid": image.SOPInstanceUID,
            "finding": image.StudyDescription,
            "measurement": "cardiothoracic-ratio",
            "value": findings.measurements[0].value,
        }
    ]
