"""The yardstick: the same resources as the main program, declared without its components."""

import pulumi
from pulumi_gcp import bigquery, healthcare, projects

PROJECT = pulumi.Config("gcp").require("project")
STORES = [item["name"] for item in pulumi.Config().require_object("dicomStores")]
LOCATION = "us-central1"

services = [
    projects.Service(
        name, project=PROJECT, service=f"{name}.googleapis.com", disable_on_destroy=False
    )
    for name in ("healthcare", "bigquery", "storage", "iam", "cloudresourcemanager")
]
agent = projects.ServiceIdentity(
    "agent",
    project=PROJECT,
    service="healthcare.googleapis.com",
    opts=pulumi.ResourceOptions(depends_on=services),
)
grants = [
    projects.IAMMember(role, project=PROJECT, role=f"roles/{role}", member=agent.member)
    for role in (
        "bigquery.admin",
        "storage.objectAdmin",
        "healthcare.datasetAdmin",
        "healthcare.dicomStoreAdmin",
    )
]
bigquery.Dataset(
    "warehouse",
    project=PROJECT,
    dataset_id="dataset1",
    location=LOCATION,
    delete_contents_on_destroy=True,
    opts=pulumi.ResourceOptions(depends_on=services),
)
dataset = healthcare.Dataset(
    "dataset",
    project=PROJECT,
    location=LOCATION,
    name="dataset1",
    time_zone="UTC",
    opts=pulumi.ResourceOptions(depends_on=[*services, *grants]),
)
for name in STORES:
    healthcare.DicomStore(name, dataset=dataset.id, name=name)
