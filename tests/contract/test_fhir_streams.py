"""Streams of FHIR stores into BigQuery, read by google-cloud-bigquery."""

from collections.abc import Callable
from typing import Any

import pytest
from google.cloud import bigquery

from emulator.server.server_file import ServerInfo
from tests.support import http
from tests.support.fhir_resources import observation, patient
from tests.support.import_export import ANONYMOUS
from tests.support.waiting import wait_until

pytestmark = pytest.mark.sockets

TAG = "(SELECT tag.code FROM UNNEST(meta.tag) AS tag LIMIT 1)"


class Streamed:
    """A FHIR store that streams into the BigQuery dataset `live`."""

    def __init__(self, running: ServerInfo, project: str) -> None:
        self.project = project
        self.tables = bigquery.Client(
            project,
            ANONYMOUS(),
            client_options={"api_endpoint": running.environment()["BIGQUERY_EMULATOR_HOST"]},
        )
        self.tables.create_dataset("live")
        self._datasets = f"{running.url}/v1/projects/{project}/locations/us-central1/datasets"
        http.post(f"{self._datasets}?datasetId=d", json={}).raise_for_status()

    def store(self, store_id: str = "s", *streams: Any, **schema: Any) -> str:
        """Create a store; return the URL of its service."""
        config = {"schemaType": "ANALYTICS_V2", **schema}
        destination = {"datasetUri": f"bq://{self.project}.live", "schemaConfig": config}
        body = {
            "version": "R4",
            "enableUpdateCreate": True,
            "disableReferentialIntegrity": True,
            "streamConfigs": [*streams] or [{"bigqueryDestination": destination}],
        }
        url = f"{self._datasets}/d/fhirStores"
        http.post(f"{url}?fhirStoreId={store_id}", json=body).raise_for_status()
        return f"{url}/{store_id}/fhir"

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in self.tables.query(sql).result()]

    def wait(self, table: str, count: int) -> None:
        """Wait until a table has so many rows."""

        def is_there() -> bool:
            names = {one.table_id for one in self.tables.list_tables("live")}
            if table not in names:
                return False
            return self.query(f"SELECT COUNT(*) FROM live.{table}") == [(count,)]

        wait_until(is_there, f"{table} does not get {count} rows")


def put(fhir: str, resource: dict[str, Any]) -> None:
    url = f"{fhir}/{resource['resourceType']}/{resource['id']}"
    http.put(url, json=resource, timeout=60).raise_for_status()


@pytest.fixture
def streamed(emulator: ServerInfo, project: str, grant: Callable[..., None]) -> Streamed:
    grant("roles/bigquery.dataEditor", "roles/bigquery.jobUser")
    return Streamed(emulator, project)


def test_a_row_for_each_version_and_a_view_of_the_current_ones(streamed: Streamed) -> None:
    fhir = streamed.store()
    race = {"url": "http://example.org/race", "valueString": "a"}
    put(fhir, patient("a", birthDate="1970-01-01"))
    put(fhir, patient("b"))
    put(fhir, patient("b", active=True, extension=[race]))
    http.delete(f"{fhir}/Patient/a").raise_for_status()
    streamed.wait("Patient", 4)
    versions = streamed.query(f"SELECT id, {TAG}, birthDate FROM live.Patient ORDER BY 1, 2")
    assert versions == [
        ("a", "CREATE", "1970-01-01"),
        ("a", "DELETE", None),
        ("b", "CREATE", None),
        ("b", "UPDATE", None),
    ]
    current = "SELECT id, active, race[OFFSET(0)].value.string FROM live.PatientView"
    assert streamed.query(current) == [("b", True, "a")]
    assert streamed.tables.get_table("live.PatientView").table_type == "VIEW"
    born = {**race, "url": "http://example.org/born", "valueString": "b"}
    put(fhir, patient("c", extension=[born]))
    streamed.wait("Patient", 5)
    found = streamed.query("SELECT id, born[SAFE_OFFSET(0)].value.string FROM live.PatientView")
    assert sorted(found) == [("b", None), ("c", "b")]


@pytest.mark.parametrize("schema", ["ANALYTICS", "ANALYTICS_V2"])
def test_the_widest_types_are_streamed(streamed: Streamed, schema: str) -> None:
    fhir = streamed.store(schemaType=schema)
    item = {"linkId": "1", "type": "group", "item": [{"linkId": "2", "type": "string"}]}
    code = {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]}
    position = {"sequence": 1, "productOrService": code, "unitPrice": {"value": 1.5}}
    reference = {"reference": "Patient/a"}
    put(
        fhir,
        {
            "resourceType": "Claim",
            "id": "c",
            "status": "active",
            "type": code,
            "use": "claim",
            "patient": reference,
            "created": "2024-01-01",
            "provider": {"reference": "Practitioner/p"},
            "priority": code,
            "insurance": [{"sequence": 1, "focal": True, "coverage": {"display": "none"}}],
            "item": [position],
        },
    )
    put(fhir, {"resourceType": "Questionnaire", "id": "q", "status": "draft", "item": [item]})
    put(fhir, observation("Patient/a", "o", valueQuantity={"value": 72.5, "unit": "/min"}))
    for table in ("Claim", "Questionnaire", "Observation"):
        streamed.wait(table, 1)
    claims = "SELECT patient.patientId, i.unitPrice.value FROM live.ClaimView, UNNEST(item) AS i"
    assert streamed.query(claims) == [("a", 1.5)]
    items = "SELECT j.linkId FROM live.QuestionnaireView, UNNEST(item) AS i, UNNEST(i.item) AS j"
    assert streamed.query(items) == [("2",)]
    values = "SELECT subject.patientId, value.quantity.value FROM live.ObservationView"
    assert streamed.query(values) == [("a", 72.5)]


def test_a_table_is_partitioned_by_the_last_update(streamed: Streamed) -> None:
    partition = {"type": "DAY", "expirationMs": "86400000000"}
    fhir = streamed.store(lastUpdatedPartitionConfig=partition)
    put(fhir, patient("a"))
    streamed.wait("Patient", 1)
    table = streamed.tables.get_table("live.Patient")
    assert table.time_partitioning.field == "lastUpdated"
    assert table.time_partitioning.type_ == "DAY"
    assert table.time_partitioning.expiration_ms == 86400000000
    [same] = streamed.query("SELECT lastUpdated = TIMESTAMP(meta.lastUpdated) FROM live.Patient")
    assert same == (True,)
