"""FHIR stores under Google's own clients: resources, import, export, bulk deletion."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from google.cloud import bigquery

from emulator.server.server_file import ServerInfo
from tests.support import http
from tests.support.fhir_resources import entry, observation, patient
from tests.support.fhir_ward import Ward, decoded
from tests.support.import_export import ANONYMOUS, refused

pytestmark = pytest.mark.sockets


@pytest.fixture
def ward(emulator: ServerInfo, project: str, grant: Callable[..., None]) -> Ward:
    grant("roles/storage.objectAdmin")
    return Ward(emulator, project)


def test_the_life_of_a_resource(ward: Ward) -> None:
    request = ward.fhir.create(parent=ward.store, type="Patient", body=patient(active=True))
    created = decoded(request)
    name = f"Patient/{created['id']}"
    assert ward.read(name) == created
    updated = decoded(ward.fhir.update(name=ward.name(name), body={**created, "active": False}))
    assert updated["active"] is False
    history = decoded(ward.fhir.history(name=ward.name(name)))
    assert [each["resource"] for each in history["entry"]] == [updated, created]
    version = f"{name}/_history/{created['meta']['versionId']}"
    assert decoded(ward.fhir.vread(name=ward.name(version))) == created
    bundle = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [entry("PUT", "Observation/o", observation(name, "o"))],
    }
    answer = decoded(ward.fhir.executeBundle(parent=ward.store, body=bundle))
    assert answer["entry"][0]["response"]["status"] == "201 Created"
    everything = decoded(ward.fhir.Patient_everything(name=ward.name(name)))
    assert everything["total"] == 2
    assert decoded(ward.fhir.capabilities(name=ward.store))["kind"] == "instance"
    metrics = ward.stores.getFHIRStoreMetrics(name=ward.store).execute()["metrics"]
    assert [(one["resourceType"], one["count"]) for one in metrics] == [
        ("Observation", "1"),
        ("Patient", "1"),
    ]
    ward.fhir.delete(name=ward.name("Observation/o")).execute()
    ward.fhir.delete(name=ward.name(name)).execute()
    ward.fhir.Resource_purge(name=ward.name(name)).execute()
    assert not ward.has(name)


def test_imported_resources_are_found_until_they_are_deleted(ward: Ward) -> None:
    named = [patient(name, name=[{"family": name}]) for name in ("abel", "baker")]
    ward.write("in.ndjson", *named, observation("Patient/abel", "o"))
    ward.import_("in.ndjson", "RESOURCE")

    def ids(query: str) -> list[str]:
        answer = http.get(f"{ward.root}/v1/{ward.name(query)}", timeout=30).json()
        return [each["resource"]["id"] for each in answer.get("entry", [])]

    # Google's client passes no parameters of a search.
    search = ward.fhir.search_type(parent=ward.store, resourceType="Patient", body={})
    assert decoded(search)["total"] == 2
    everywhere = ward.fhir.search(parent=ward.store, resourceType="Observation", body={})
    assert decoded(everywhere)["total"] == 1
    assert ids("Patient?family=bak") == ["baker"]
    assert ids("Patient?_has:Observation:patient:_id=o&_revinclude=Observation:subject") == [
        "abel",
        "o",
    ]
    ward.bulk_delete(type="Observation")
    assert ids("Patient?_has:Observation:patient:_id=o") == []
    assert ids("Observation") == []


def test_an_import_takes_lines_of_resources(ward: Ward) -> None:
    kept = decoded(
        ward.fhir.update(name=ward.name("Patient/kept"), body=patient("kept", gender="male"))
    )
    value_set = {"resourceType": "ValueSet", "status": "draft", "url": "urn:v"}
    ward.write(
        "in/one.ndjson",
        patient("a"),
        "",
        patient("kept", gender="female"),
        observation("Patient/not-there", "o"),
        patient(),
        {"resourceType": "Nothing", "id": "x"},
        "text",
        {**value_set, "id": "v1"},
        {**value_set, "id": "v2"},
    )
    done = ward.import_("in/*.ndjson", "RESOURCE")
    assert done["metadata"]["counter"] == {"success": "4", "failure": "4"}
    assert done["metadata"]["apiMethodName"] == (
        "google.cloud.healthcare.v1.fhir.FhirService.ImportResources"
    )
    assert done["error"]["code"] == 2
    file = f"gs://{ward.bucket.name}/in/one.ndjson"
    assert set(ward.logged(done)) == {f"{file}:{line}" for line in (5, 6, 7, 9)}
    assert ward.read("Observation/o")["subject"] == {"reference": "Patient/not-there"}
    replaced = ward.read("Patient/kept")
    assert replaced["gender"] == "female"
    assert replaced["meta"]["versionId"] != kept["meta"]["versionId"]
    history = decoded(ward.fhir.history(name=ward.name("Patient/kept")))
    assert [each["resource"] for each in history["entry"]] == [replaced]


@pytest.mark.parametrize("structure", ["", "BUNDLE_PRETTY", "RESOURCE_PRETTY"])
def test_an_import_takes_bundles_and_whole_files(ward: Ward, structure: str) -> None:
    def bundle(*ids: str, **members: str) -> dict[str, Any]:
        entries = [{"resource": patient(id_)} for id_ in ids]
        return {"resourceType": "Bundle", "type": "collection", "entry": entries, **members}

    if structure == "RESOURCE_PRETTY":
        ward.write("in", json.dumps(patient("a"), indent=2))
        found = {"success": "1"}
    elif structure:
        ward.write("in", json.dumps(bundle("a", "b"), indent=2))
        found = {"success": "2"}
    else:
        ward.write("in", bundle("a", "b"), bundle("c", type="history"), patient("d"), bundle("e"))
        found = {"success": "3", "failure": "2"}
    done = ward.import_("in", structure)
    assert done["metadata"]["counter"] == found
    assert ward.has("Patient/a")
    assert [ward.has(f"Patient/{id_}") for id_ in "cd"] == [False, False]
    if "response" in done:
        type_ = "type.googleapis.com/google.cloud.healthcare.v1.fhir.rest.ImportResourcesResponse"
        assert done["response"] == {"@type": type_}
    else:
        reasons = ward.logged(done)
        assert "RESOURCE" in reasons[f"gs://{ward.bucket.name}/in:3"]


def test_an_export_writes_an_object_for_each_type(ward: Ward) -> None:
    ward.write("in", patient("a", active=True), patient("b"), observation("Patient/a", "o"))
    ward.import_("in", "RESOURCE")
    done = ward.export("out/")
    assert done["metadata"]["counter"] == {"success": "3"}
    exported = [json.loads(line) for line in ward.lines("out/Patient")]
    assert exported == [ward.read("Patient/a"), ward.read("Patient/b")]
    assert len(ward.lines("out/Observation")) == 1
    moment = ward.read("Patient/b")["meta"]["lastUpdated"]
    ward.fhir.update(name=ward.name("Patient/c"), body=patient("c")).execute()
    ward.export("typed", _type="Patient", _since=moment)
    names = {blob.name for blob in ward.bucket.list_blobs(prefix="typed")}
    assert names == {"typed/Patient"}
    assert [json.loads(line)["id"] for line in ward.lines("typed/Patient")] == ["b", "c"]


def test_a_bulk_deletion_is_by_type_time_and_version(ward: Ward) -> None:
    for active in (True, False):
        for id_ in "ab":
            body = patient(id_, active=active)
            ward.fhir.update(name=ward.name(f"Patient/{id_}"), body=body).execute()
    body = observation("Patient/a", "o")
    ward.fhir.update(name=ward.name("Observation/o"), body=body).execute()
    until = ward.read("Patient/a")["meta"]["lastUpdated"]
    dry = ward.bulk_delete(type="Patient", until=until, validateOnly=True)
    assert dry["metadata"]["counter"] == {"success": "1"}
    assert ward.has("Patient/a")
    ward.bulk_delete(type="Patient", versionConfig="HISTORY_ONLY")
    history = decoded(ward.fhir.history(name=ward.name("Patient/b")))
    assert len(history["entry"]) == 1
    folder = {"uriPrefix": f"gs://{ward.bucket.name}/deleted"}
    done = ward.bulk_delete(
        type="Patient", until=until, versionConfig="CURRENT_ONLY", gcsDestination=folder
    )
    assert done["metadata"]["counter"] == {"success": "1"}
    assert (ward.has("Patient/a"), ward.has("Patient/b")) == (False, True)
    assert ward.lines("deleted/Patient") == ["Patient/a"]
    assert decoded(ward.fhir.history(name=ward.name("Patient/a")))["entry"]
    ward.write("list", "Patient/b", "Patient/none", "wrong")
    listed = ward.bulk_delete(gcsSource={"uri": f"gs://{ward.bucket.name}/list"})
    assert listed["metadata"]["counter"] == {"success": "1", "failure": "1"}
    assert ward.has("Observation/o")
    ward.bulk_delete()
    assert "metrics" not in ward.stores.getFHIRStoreMetrics(name=ward.store).execute()


def test_operations_are_refused_before_they_start(ward: Ward, grant: Callable[..., None]) -> None:
    def export(**body: Any) -> tuple[int, str]:
        return refused(ward.stores.export(name=ward.store, body=body).execute)

    folder = {"uriPrefix": f"gs://{ward.bucket.name}/out"}
    assert export()[0] == 400
    assert export(gcsDestination=folder, _type="Nothing")[0] == 400
    assert export(gcsDestination=folder, _since="yesterday")[0] == 400
    analytics = {"schemaConfig": {"schemaType": "ANALYTICS_V2"}}
    assert export(bigqueryDestination={"datasetUri": "bq://p.d"})[0] == 400
    assert export(bigqueryDestination={"datasetUri": "p.d", **analytics})[0] == 400
    deep = {"schemaConfig": {"schemaType": "ANALYTICS", "recursiveStructureDepth": "6"}}
    assert export(bigqueryDestination={"datasetUri": "bq://p.d", **deep})[0] == 400
    partitions = {"lastUpdatedPartitionConfig": {"type": "WEEK"}}
    partitioned = {"schemaConfig": {"schemaType": "ANALYTICS", **partitions}}
    assert export(bigqueryDestination={"datasetUri": "bq://p.d", **partitioned})[0] == 400
    grant()
    code, message = export(gcsDestination=folder)
    assert (code, "storage.objects.create" in message) == (403, True)
    source = {"gcsSource": {"uri": f"gs://{ward.bucket.name}/in"}}
    code, message = refused(ward.stores.import_(name=ward.store, body=source).execute)
    assert (code, "storage.objects.list" in message) == (403, True)
    deletion = ward.stores.bulkDelete(name=ward.store, body={"type": "Patient", **source})
    assert refused(deletion.execute)[0] == 400


@pytest.fixture
def tables(ward: Ward, emulator: ServerInfo, grant: Callable[..., None]) -> Any:
    """A client of BigQuery with the dataset `research`, which exports may write to."""
    grant("roles/storage.objectAdmin", "roles/bigquery.dataEditor", "roles/bigquery.jobUser")
    client = bigquery.Client(
        ward.project,
        ANONYMOUS(),
        client_options={"api_endpoint": emulator.environment()["BIGQUERY_EMULATOR_HOST"]},
    )
    client.create_dataset("research")
    return client


def export_to_bigquery(ward: Ward, schema: str, **more: Any) -> dict[str, Any]:
    destination = {
        "datasetUri": f"bq://{ward.project}.research",
        "schemaConfig": {"schemaType": schema},
        **more,
    }
    body = {"bigqueryDestination": destination}
    return ward.wait(ward.stores.export(name=ward.store, body=body))


RACE = {
    "url": "http://example.org/StructureDefinition/race",
    "extension": [
        {"url": "text", "valueString": "first"},
        {"url": "text", "valueString": "second"},
    ],
}


def test_an_export_to_bigquery_can_be_queried(ward: Ward, tables: Any) -> None:
    heart_rate = {
        "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
        "effectivePeriod": {"start": "2024-02-01", "end": "2024-02-02"},
        "valueQuantity": {"value": 72.5, "unit": "/min"},
    }
    ward.write(
        "in",
        patient("a", active=True, birthDate="1970-01-01", extension=[RACE]),
        patient("b", name=[{"family": "Sample", "given": ["Ann", "Bea"]}]),
        observation("Patient/a", "o", **heart_rate),
    )
    ward.import_("in", "RESOURCE")
    done = export_to_bigquery(ward, "ANALYTICS_V2")
    assert done["metadata"]["counter"] == {"success": "3"}

    def rows(sql: str) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in tables.query(sql).result()]

    joined = rows(
        "SELECT p.birthDate, o.value.quantity.value, o.effective.period.`end`, c.code"
        " FROM research.Observation o, UNNEST(o.code.coding) c"
        " JOIN research.Patient p ON o.subject.patientId = p.id"
    )
    assert joined == [("1970-01-01", 72.5, "2024-02-02", "8867-4")]
    texts = rows(
        "SELECT t.value.string FROM research.Patient p, UNNEST(p.race) r, UNNEST(r.text) t"
        " ORDER BY 1"
    )
    assert texts == [("first",), ("second",)]
    names = rows("SELECT n.family, ARRAY_LENGTH(n.given) FROM research.Patient, UNNEST(name) n")
    assert names == [("Sample", 2)]
    columns = {field.name for field in tables.get_table("research.Patient").schema}
    assert {"deceased", "managingOrganization", "contained"} < columns
    assert "extension" not in columns


def test_the_disposition_of_an_export_decides_about_rows(ward: Ward, tables: Any) -> None:
    def count() -> int:
        query = tables.query("SELECT COUNT(*) FROM research.Patient")
        return int(next(iter(query.result()))[0])

    ward.write("in", patient("a"), patient("b"))
    ward.import_("in", "RESOURCE")
    export_to_bigquery(ward, "ANALYTICS")
    assert count() == 2
    refused_export = export_to_bigquery(ward, "ANALYTICS")
    assert refused_export["error"]["code"] == 6
    assert count() == 2
    export_to_bigquery(ward, "ANALYTICS", writeDisposition="WRITE_APPEND")
    assert count() == 4
    export_to_bigquery(ward, "ANALYTICS", force=True)
    assert count() == 2


def test_extensions_without_a_column_fail_alone(ward: Ward, tables: Any) -> None:
    twice = [{"url": "http://a/x", "valueString": "1"}, {"url": "http://a/x", "valueString": "2"}]
    ward.write("in", patient("a", extension=twice), patient("b"))
    ward.import_("in", "RESOURCE")
    done = export_to_bigquery(ward, "ANALYTICS")
    assert done["metadata"]["counter"] == {"success": "1", "failure": "1"}
    [row] = tables.query("SELECT id FROM research.Patient").result()
    assert tuple(row) == ("b",)
