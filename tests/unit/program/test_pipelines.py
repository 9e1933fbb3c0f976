"""Pipelines of a stack: the account of the workers, its roles, the bucket of the runs."""

import json
from typing import Any

import pytest

from components.base import ArgumentError
from components.pipelines.pipeline_workers import PipelineWorkersArgs
from components.pipelines.worker_network import WorkerNetworkArgs
from emulator.core.discovery import api
from tests.support.program import run
from tests.unit.components.deployment import Deployment

STACK: dict[str, Any] = {
    "labels": {"team": "imaging"},
    "dicomStores": ["ct", "raw"],
    "datasets": [{"name": "ward", "dicomStores": ["us"]}],
    "pipelines": {
        "bucket": "local-project-pipelines",
        "dicomStores": ["ct", "ward/us"],
        "cohortStores": ["raw"],
        "sourceBuckets": ["scans"],
        "features": True,
    },
}
SUBNETWORK = (
    "https://www.googleapis.com/compute/v1/projects/local-project/regions/us-central1"
    "/subnetworks/pipelines"
)
WORKERS = "serviceAccount:pipelines@local-project.iam.gserviceaccount.com"


def grants(deployed: Deployment, type_: str) -> set[tuple[str, str, str]]:
    """On what, which role, and whose, of the grants of the pipelines."""
    return {
        (item.inputs[on], item.inputs["role"], item.inputs["member"])
        for item in deployed.of_type(type_)
        if item.name.startswith("pipelines-")
        for on in ("bucket", "dicomStoreId", "datasetId", "project")
        if on in item.inputs and (on != "project" or "IAMMember" in type_)
    }


def test_roles_are_on_stores_and_buckets() -> None:
    deployed = run(**STACK)
    path = "projects/local-project/locations/us-central1/datasets"
    assert grants(deployed, "gcp:healthcare/dicomStoreIamMember:DicomStoreIamMember") == {
        (f"{path}/dataset1/dicomStores/ct", "roles/healthcare.dicomEditor", WORKERS),
        (f"{path}/ward/dicomStores/us", "roles/healthcare.dicomEditor", WORKERS),
        (f"{path}/dataset1/dicomStores/raw", "roles/healthcare.dicomStoreAdmin", WORKERS),
    }
    on_buckets = grants(deployed, "gcp:storage/bucketIAMMember:BucketIAMMember")
    assert {(bucket, role) for bucket, role, member in on_buckets if member == WORKERS} == {
        ("local-project-pipelines", "roles/storage.objectAdmin"),
        ("scans", "roles/storage.objectViewer"),
    }
    [agent] = [member for _, _, member in on_buckets if member != WORKERS]
    assert "gcp-sa-healthcare" in agent
    assert grants(deployed, "gcp:projects/iAMMember:IAMMember") == {
        ("local-project", "roles/dataflow.worker", WORKERS),
        ("local-project", "roles/bigquery.jobUser", WORKERS),
    }


def test_the_bucket_is_private_and_labelled() -> None:
    [bucket] = run(**STACK).of_type("gcp:storage/bucket:Bucket")
    assert bucket.inputs["uniformBucketLevelAccess"] is True
    assert bucket.inputs["publicAccessPrevention"] == "enforced"
    assert bucket.inputs["labels"] == {"team": "imaging"}
    assert bucket.inputs["location"] == "us-central1"
    assert bucket.inputs["lifecycleRules"] == [
        {
            "action": {"type": "Delete"},
            "condition": {"age": 14, "matchesPrefixes": ["temp/", "staging/"]},
        }
    ]


def test_services_are_enabled_and_outputs_name_both() -> None:
    deployed = run(**STACK)
    services = {item.inputs["service"] for item in deployed.of_type("gcp:projects/service:Service")}
    assert {"dataflow.googleapis.com", "compute.googleapis.com"} <= services
    bucket = "local-project-pipelines"
    assert deployed.outputs["stack"]["pipelines"] == {
        "serviceAccount": WORKERS.partition(":")[2],
        "bucket": bucket,
        "region": "us-central1",
        "subnetwork": SUBNETWORK,
        "images": "us-central1-docker.pkg.dev/local-project/pipelines",
        "templates": {
            name: f"gs://{bucket}/templates/{name}.json"
            for name in ("cohort", "features", "ingest")
        },
        "maxWorkers": 10,
    }


def test_workers_have_a_subnetwork_without_the_internet() -> None:
    deployed = run(**STACK)
    [subnetwork] = deployed.of_type("gcp:compute/subnetwork:Subnetwork")
    assert subnetwork.inputs == {
        "project": "local-project",
        "region": "us-central1",
        "name": "pipelines",
        "network": "projects/local-project/global/networks/default",
        "ipCidrRange": "10.64.0.0/22",
        "privateIpGoogleAccess": True,
    }
    [firewall] = deployed.of_type("gcp:compute/firewall:Firewall")
    assert firewall.inputs["sourceTags"] == firewall.inputs["targetTags"] == ["dataflow"]
    assert firewall.inputs["allows"] == [{"protocol": "tcp", "ports": ["12345-12346"]}]
    assert "sourceRanges" not in firewall.inputs


def test_an_existing_subnetwork_is_taken() -> None:
    settings = {**STACK["pipelines"], "subnetwork": "workers", "network": "vpc"}
    deployed = run(**STACK | {"pipelines": settings})
    assert deployed.of_type("gcp:compute/subnetwork:Subnetwork") == []
    [firewall] = deployed.of_type("gcp:compute/firewall:Firewall")
    assert firewall.inputs["network"] == "projects/local-project/global/networks/vpc"
    assert deployed.outputs["stack"]["pipelines"]["subnetwork"] == (
        "https://www.googleapis.com/compute/v1/projects/local-project/regions/us-central1"
        "/subnetworks/workers"
    )


def test_templates_are_container_specifications_of_dataflow() -> None:
    settings = {**STACK["pipelines"], "maxWorkers": 50, "machineType": "n1-standard-2", "tag": "3"}
    deployed = run(**STACK | {"pipelines": settings})
    objects = {
        item.inputs["name"]: item.inputs
        for item in deployed.of_type("gcp:storage/bucketObject:BucketObject")
    }
    assert sorted(objects) == [f"templates/{one}.json" for one in ("cohort", "features", "ingest")]
    ingest = objects["templates/ingest.json"]
    assert ingest["contentType"] == "application/json"
    spec = json.loads(ingest["content"]["value"])  # the provider takes each content for a secret
    api("dataflow", "v1b3").check("ContainerSpec", spec)
    image = "us-central1-docker.pkg.dev/local-project/pipelines/ingest-pipeline:3"
    assert spec["image"] == image
    assert spec["sdkInfo"] == {"language": "PYTHON"}
    assert spec["metadata"]["name"] == "Ingest DICOM files"
    assert spec["defaultEnvironment"] == {
        "serviceAccountEmail": WORKERS.partition(":")[2],
        "subnetwork": SUBNETWORK,
        "ipConfiguration": "WORKER_IP_PRIVATE",
        "tempLocation": "gs://local-project-pipelines/temp/",
        "stagingLocation": "gs://local-project-pipelines/staging/",
        "maxWorkers": 50,
        "machineType": "n1-standard-2",
        "sdkContainerImage": image,
    }


def test_workers_pull_the_images() -> None:
    deployed = run(**STACK)
    [grant] = [
        item
        for item in deployed.of_type("gcp:artifactregistry/repositoryIamMember:RepositoryIamMember")
        if item.inputs["member"] == WORKERS
    ]
    assert grant.inputs["role"] == "roles/artifactregistry.reader"
    [repository] = deployed.of_type("gcp:artifactregistry/repository:Repository")
    assert (repository.inputs["repositoryId"], repository.inputs["format"]) == (
        "pipelines",
        "DOCKER",
    )


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"region": "us"}, "is not a region"),
        ({"subnetwork_range": "8.8.0.0/16"}, "is not a range of a subnetwork"),
        ({"subnetwork_range": "10.0.0.0/30"}, "is not a range of a subnetwork"),
        ({"subnetwork_range": "10.0.0.1/24"}, 'Did you mean "10.0.0.0/24"'),
        ({"subnetwork": "projects/p/regions/us-east1/subnetworks/s"}, "is not in us-central1"),
    ],
)
def test_wrong_networks_are_refused(arguments: dict[str, str], complaint: str) -> None:
    with pytest.raises(ArgumentError, match=complaint):
        WorkerNetworkArgs(**{"project": "local-project", "region": "us-central1", **arguments})


def test_a_subnetwork_with_too_few_addresses_is_refused() -> None:
    environment: dict[str, str] = {"project": "local-project", "region": "us-central1"}
    named: dict[str, Any] = {
        "project": "local-project",
        "location": "us-central1",
        "bucket": "local-project-pipelines",
        "healthcare_agent": "serviceAccount:agent@example.com",
        "max_workers": 4,
    }
    with pytest.raises(ArgumentError, match=r"3 workers and a launcher fit in 10\.1\.0\.0/29"):
        PipelineWorkersArgs(
            network=WorkerNetworkArgs(**environment, subnetwork_range="10.1.0.0/29"), **named
        )
    existing = WorkerNetworkArgs(
        **environment, subnetwork="workers", subnetwork_range="10.1.0.0/29"
    )
    assert PipelineWorkersArgs(network=existing, **named).max_workers == 4


def test_a_stack_without_pipelines_has_none() -> None:
    deployed = run()
    assert deployed.of_type("gcp:storage/bucket:Bucket") == []
    assert "pipelines" not in deployed.outputs["stack"]


def test_without_features_there_is_no_role_on_bigquery() -> None:
    deployed = run(**STACK | {"pipelines": {"bucket": "local-project-pipelines"}})
    roles = {role for _, role, _ in grants(deployed, "gcp:projects/iAMMember:IAMMember")}
    assert roles == {"roles/dataflow.worker"}
