"""The program itself, as the engine runs it: settings, components, outputs."""

import pulumi
import pytest

from program.config.loading import EXIT_CODE_OF_SHOWN_ERRORS
from program.service_agent_grants import LAB_ROLES
from tests.support.program import MAIN, run
from tests.unit.components.deployment import AGENT, PROJECT_NUMBER, Deployment

DATASET = "projects/local-project/locations/us-central1/datasets/dataset1"


@pytest.fixture(scope="module")
def lab() -> Deployment:
    return run(
        fhirStores=[{"name": "fhirstore1"}],
        hl7v2Stores=[
            {"name": "hl7v2store1", "parserConfig": {"version": "V3", "allowNullHeader": False}}
        ],
    )


def test_the_defaults_make_the_lab_and_nothing_else() -> None:
    assert sorted(run().names) == sorted(
        [
            "services",
            "services-healthcare",
            "services-bigquery",
            "services-storage",
            "services-iam",
            "services-cloudresourcemanager",
            "services-healthcare-agent",
            "service-agent",
            "service-agent-bigquery.admin",
            "service-agent-storage.objectAdmin",
            "service-agent-healthcare.datasetAdmin",
            "service-agent-healthcare.dicomStoreAdmin",
            "healthcare",
            "healthcare",
            "healthcare-dicomstore1",
            "healthcare-dicomstore2",
            "warehouse",
            "warehouse",
        ]
    )


def test_outputs_name_all_that_the_scripts_and_the_manual_need(lab: Deployment) -> None:
    assert lab.outputs["stack"] == {
        "projectId": "local-project",
        "projectNumber": PROJECT_NUMBER,
        "region": "us-central1",
        "datasetId": "dataset1",
        "dataset": DATASET,
        "dicomStores": {
            "dicomstore1": f"{DATASET}/dicomStores/dicomstore1",
            "dicomstore2": f"{DATASET}/dicomStores/dicomstore2",
        },
        "fhirStores": {"fhirstore1": f"{DATASET}/fhirStores/fhirstore1"},
        "hl7v2Stores": {"hl7v2store1": f"{DATASET}/hl7V2Stores/hl7v2store1"},
        "consentStores": {},
        "datasets": {
            "healthcare": {
                "dataset": DATASET,
                "dicomStores": {
                    "dicomstore1": f"{DATASET}/dicomStores/dicomstore1",
                    "dicomstore2": f"{DATASET}/dicomStores/dicomstore2",
                },
                "fhirStores": {"fhirstore1": f"{DATASET}/fhirStores/fhirstore1"},
                "hl7v2Stores": {"hl7v2store1": f"{DATASET}/hl7V2Stores/hl7v2store1"},
                "consentStores": {},
            }
        },
        "firstDicomStores": {"healthcare": "dicomstore1"},
        "topics": {},
        "subscriptions": {},
        "keys": [],
        "access": [
            {"role": role, "on": "project local-project", "why": "the lab's roles"}
            for role in LAB_ROLES
        ],
        "serviceAgent": AGENT,
        "bigqueryDataset": "dataset1",
        "tableUri": "bq://local-project.dataset1.dicomstore1",
        "labVariables": {
            "PROJECT_ID": "local-project",
            "REGION": "us-central1",
            "DATASET_ID": "dataset1",
            "FHIR_STORE_ID": "fhirstore1",
            "DICOM_STORE_ID": "dicomstore1",
            "HL7_STORE_ID": "hl7v2store1",
        },
    }


def test_stores_wait_for_services_identity_grants_and_dataset(lab: Deployment) -> None:
    services = {resource.name for resource in lab.of_type("gcp:projects/service:Service")}
    grants = {resource.name for resource in lab.of_type("gcp:projects/iAMMember:IAMMember")}
    assert len(services) == 5
    assert len(grants) == 4
    for store in ("healthcare-dicomstore1", "healthcare-fhirstore1", "healthcare-hl7v2store1"):
        assert lab.all_dependencies(store) >= services | grants | {
            "services-healthcare-agent",
            "healthcare",
        }


def test_grants_wait_for_the_identity_and_the_identity_for_every_service(lab: Deployment) -> None:
    services = {resource.name for resource in lab.of_type("gcp:projects/service:Service")}
    assert lab["services-healthcare-agent"].dependencies == services
    for grant in lab.of_type("gcp:projects/iAMMember:IAMMember"):
        assert "services-healthcare-agent" in grant.dependencies


def test_the_bigquery_dataset_waits_for_the_services_only(lab: Deployment) -> None:
    [dataset] = lab.of_type("gcp:bigquery/dataset:Dataset")
    assert dataset.dependencies >= {"services-bigquery"}
    assert not any(name.startswith("service-agent") for name in dataset.dependencies)
    assert "healthcare" not in dataset.dependencies


def test_exactly_the_labs_roles_by_default(lab: Deployment) -> None:
    grants = lab.of_type("gcp:projects/iAMMember:IAMMember")
    assert {grant.inputs["role"] for grant in grants} == {
        "roles/bigquery.admin",
        "roles/storage.objectAdmin",
        "roles/healthcare.datasetAdmin",
        "roles/healthcare.dicomStoreAdmin",
    }
    assert {grant.inputs["member"] for grant in grants} == {f"serviceAccount:{AGENT}"}


def test_a_store_that_is_switched_off_is_not_made() -> None:
    lab = run(
        dicomStores=[{"name": "old", "enabled": False}, {"name": "new"}],
        fhirStores=[{"name": "fhirstore1", "enabled": False}],
    )
    stores = lab.of_type("gcp:healthcare/dicomStore:DicomStore")
    assert [store.inputs["name"] for store in stores] == ["new"]
    assert lab.of_type("gcp:healthcare/fhirStore:FhirStore") == []
    outputs = lab.outputs["stack"]
    assert list(outputs["dicomStores"]) == ["new"]
    assert outputs["fhirStores"] == {}
    assert outputs["tableUri"] == "bq://local-project.dataset1.new"
    assert outputs["labVariables"]["DICOM_STORE_ID"] == "new"
    assert "FHIR_STORE_ID" not in outputs["labVariables"]


def test_no_dicom_store_means_no_table() -> None:
    outputs = run(dicomStores=[]).outputs["stack"]
    assert outputs["dicomStores"] == {}
    assert "tableUri" not in outputs


def test_store_labels_override_those_of_the_stack() -> None:
    lab = run(
        labels={"team": "imaging", "stage": "dev"},
        dicomStores=[{"name": "a", "labels": {"stage": "prod"}}],
    )
    assert lab["healthcare-a"].inputs["labels"] == {"team": "imaging", "stage": "prod"}
    [dataset] = lab.of_type("gcp:bigquery/dataset:Dataset")
    assert dataset.inputs["labels"] == {"team": "imaging", "stage": "dev"}


def test_a_renamed_dataset_keeps_every_logical_name(lab: Deployment) -> None:
    assert sorted(run(dataset="dataset2").names) == sorted(run().names)


def test_bad_settings_stop_the_program_before_the_first_resource(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    nothing = Deployment()
    shown: list[str] = []
    monkeypatch.setattr(pulumi.log, "error", shown.append)
    with pytest.raises(SystemExit) as ended:
        run(nothing, location="us-centrall")
    assert ended.value.code == EXIT_CODE_OF_SHOWN_ERRORS
    assert "us-centrall" in shown[0]
    assert nothing.resources == []


def test_the_program_stays_a_table_of_contents() -> None:
    assert len(MAIN.read_text().splitlines()) <= 70


def test_outputs_name_the_keys_of_datasets_topics_and_bigquery() -> None:
    ring = "projects/local-project/locations/us-central1/keyRings/ring"
    given = f"{ring}/cryptoKeys/given"
    outputs = run(
        encryption={"keyRing": "ring", "key": "key"},
        topics=[{"name": "imaging", "kmsKeyName": given}],
        bigqueryKmsKeyName=given,
    ).outputs["stack"]
    assert outputs["keys"] == [f"{ring}/cryptoKeys/key", given]
