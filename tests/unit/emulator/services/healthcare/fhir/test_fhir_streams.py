"""Streams of FHIR stores into BigQuery: rows, tables, settings, log."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from emulator.cloud import Cloud
from emulator.services.healthcare.clients.bigquery import Table
from emulator.services.healthcare.fhir.streams import plan_table
from tests.support.fhir_resources import observation, patient

ANALYTICS = {"schemaType": "ANALYTICS_V2"}
EXTENSION = {"url": "http://example.org/race", "valueString": "a"}


def stream(uri: str = "bq://local-project.live", *types: str, **schema: Any) -> dict[str, Any]:
    config = {**ANALYTICS, **schema}
    destination = {"datasetUri": uri, "schemaConfig": config}
    return {"resourceTypes": [*types], "bigqueryDestination": destination}


@pytest.fixture(autouse=True)
def writing_agent(client: TestClient, cloud: Cloud) -> None:
    """The service agent may write to BigQuery, which is never available here."""
    agent = cloud.healthcare.context.agent.email("local-project")
    binding = {"role": "roles/bigquery.dataEditor", "members": [f"serviceAccount:{agent}"]}
    policy = {"policy": {"bindings": [binding]}}
    client.post("/v1/projects/local-project:setIamPolicy", json=policy).raise_for_status()


@pytest.fixture
def rows(cloud: Cloud) -> Callable[[], list[tuple[str, Any, str]]]:
    """Returns the table, the row and the layout of each row that waits for BigQuery."""

    def read() -> list[tuple[str, Any, str]]:
        with cloud.database.read() as connection:
            found = connection.execute("SELECT * FROM bigquery_outbox ORDER BY id").fetchall()
        return [(row["uri"], json.loads(row["row"]), row["layout"]) for row in found]

    return read


def test_each_version_has_a_row_with_its_operation(
    make_fhir: Callable[..., Any], rows: Callable[[], list[tuple[str, Any, str]]]
) -> None:
    fhir = make_fhir(streamConfigs=[stream()])
    tag = {"system": "urn:own", "code": "x"}
    first = fhir.put(patient("a", meta={"tag": [tag]}, extension=[EXTENSION]))
    fhir.put(patient("a"))
    fhir.patch("Patient/a", [])
    fhir.ok("DELETE", "Patient/a")
    uris, found, _ = zip(*rows(), strict=True)
    assert set(uris) == {"bq://local-project.live.Patient"}
    tags = [row["meta"]["tag"] for row in found]
    assert tags[0] == [tag, {"code": "CREATE"}]
    assert tags[1:] == [[{"code": code}] for code in ("UPDATE", "UPDATE", "DELETE")]
    assert found[0]["race"] == [{"value": {"string": "a"}}]
    assert found[0]["meta"]["versionId"] == first["meta"]["versionId"]
    assert found[0]["meta"]["lastUpdated"] == first["meta"]["lastUpdated"]
    assert found[3].keys() == {"id", "meta"}
    assert len({row["meta"]["versionId"] for row in found}) == 4


def test_a_stream_is_for_its_types(
    make_fhir: Callable[..., Any], rows: Callable[[], list[tuple[str, Any, str]]]
) -> None:
    streams = [stream("bq://local-project.live", "Patient"), stream("bq://local-project.all")]
    fhir = make_fhir(streamConfigs=streams)
    fhir.put(patient("a"))
    fhir.put(observation("Patient/a", "o"))
    assert [uri.removeprefix("bq://local-project.") for uri, _, _ in rows()] == [
        "live.Patient",
        "all.Patient",
        "all.Observation",
    ]


def test_a_refused_transaction_streams_nothing(
    make_fhir: Callable[..., Any], rows: Callable[[], list[tuple[str, Any, str]]]
) -> None:
    fhir = make_fhir(streamConfigs=[stream()])
    fhir.refused(400, "PUT", "Observation/o", observation("Patient/none", "o"))
    assert rows() == []


def test_a_resource_without_a_row_is_logged(
    make_fhir: Callable[..., Any], client: TestClient, rows: Callable[[], list[Any]]
) -> None:
    fhir = make_fhir(streamConfigs=[stream(schemaType="ANALYTICS")])
    fhir.put(patient("a", extension=[EXTENSION, EXTENSION]))
    assert rows() == []
    sent = {"resourceNames": ["projects/local-project"], "filter": "severity=ERROR"}
    [entry] = client.post("/v2/entries:list", json=sent).json()["entries"]
    assert entry["logName"].endswith("healthcare.googleapis.com%2Ffhir_stream")
    assert entry["jsonPayload"]["destination"] == "bq://local-project.live.Patient"
    assert "Patient/a has no row" in entry["jsonPayload"]["error"]["message"]


def test_the_table_has_all_columns_its_partition_and_a_view(
    make_fhir: Callable[..., Any], rows: Callable[[], list[tuple[str, Any, str]]]
) -> None:
    partition = {"type": "MONTH", "expirationMs": "60000"}
    fhir = make_fhir(streamConfigs=[stream(lastUpdatedPartitionConfig=partition)])
    fhir.put(patient("a", extension=[EXTENSION]))
    [(_, row, layout)] = rows()
    assert row["lastUpdated"] == row["meta"]["lastUpdated"]
    plan = plan_table(Table("p", "d", "Patient"), layout, [json.dumps(row)])
    assert plan.partitioning == {"type": "MONTH", "field": "lastUpdated", "expirationMs": "60000"}
    columns = {field["name"]: field["type"] for field in plan.fields}
    assert columns["lastUpdated"] == "TIMESTAMP"
    assert {"race", "deceased", "managingOrganization"} < columns.keys()
    assert plan.view == "PatientView"
    assert "`p.d.Patient`" in plan.view_query


@pytest.mark.parametrize(
    ("streams", "status", "culprit"),
    [
        ([stream()] * 11, 400, "11 are more than 10"),
        ([stream(schemaType="LOSSLESS")], 400, "LOSSLESS can't be used for streaming"),
        ([stream(schemaType="SCHEMA_TYPE_UNSPECIFIED")], 400, "invalid schema_type"),
        ([stream(recursiveStructureDepth="6")], 400, "recursive_structure_depth 6"),
        ([stream("bq://p.d", "Nothing")], 400, "stream_configs[0].resource_types: 'Nothing'"),
        ([stream("bq://p.d.t")], 400, "stream_configs[0].bigquery_destination.dataset_uri"),
        ([stream(lastUpdatedPartitionConfig={})], 400, "last_updated_partition_config.type"),
        ([stream("bq://far.away")], 403, "bigquery.dataEditor"),
    ],
)
def test_streams_that_are_not_valid_are_refused(
    client: TestClient, dataset: str, streams: list[Any], status: int, culprit: str
) -> None:
    body = {"version": "R4", "streamConfigs": streams}
    answer = client.post(f"/v1beta1/{dataset}/fhirStores?fhirStoreId=s", json=body)
    assert answer.status_code == status, answer.text
    assert culprit in answer.json()["error"]["message"]


def test_a_row_waits_for_bigquery_over_a_restart(
    make_fhir: Callable[..., Any], cloud: Cloud, open_cloud: Callable[..., Cloud]
) -> None:
    fhir = make_fhir(streamConfigs=[stream()])
    fhir.put(patient("a"))
    cloud.close()
    with open_cloud().database.read() as connection:
        [row] = connection.execute("SELECT store, uri, layout FROM bigquery_outbox").fetchall()
    assert (row["store"], row["uri"]) == (fhir.store, "bq://local-project.live.Patient")
    assert json.loads(row["layout"])["is_v2"] is True
