"""Pipelines of a stack: the account of the workers, its roles, the bucket of the runs."""

from typing import Any

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


def test_services_are_enabled_and_outputs_name_both() -> None:
    deployed = run(**STACK)
    services = {item.inputs["service"] for item in deployed.of_type("gcp:projects/service:Service")}
    assert {"dataflow.googleapis.com", "compute.googleapis.com"} <= services
    assert deployed.outputs["stack"]["pipelines"] == {
        "serviceAccount": WORKERS.partition(":")[2],
        "bucket": "local-project-pipelines",
    }


def test_a_stack_without_pipelines_has_none() -> None:
    deployed = run()
    assert deployed.of_type("gcp:storage/bucket:Bucket") == []
    assert "pipelines" not in deployed.outputs["stack"]


def test_without_features_there_is_no_role_on_bigquery() -> None:
    deployed = run(**STACK | {"pipelines": {"bucket": "local-project-pipelines"}})
    roles = {role for _, role, _ in grants(deployed, "gcp:projects/iAMMember:IAMMember")}
    assert roles == {"roles/dataflow.worker"}
