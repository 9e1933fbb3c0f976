"""The least: a dataset with one DICOM store, and a BigQuery dataset to export its metadata to."""

import pulumi

from components.bigquery_dataset import BigQueryDataset, BigQueryDatasetArgs
from components.healthcare_dataset import HealthcareDataset, HealthcareDatasetArgs
from components.project_services import ProjectServices, ProjectServicesArgs
from components.service_agent_access import (
    JOB_USER,
    ServiceAgentAccess,
    ServiceAgentAccessArgs,
)
from components.service_agent_roles import ServiceAgentRoles, ServiceAgentRolesArgs
from components.stores import DicomStoreArgs

PROJECT = pulumi.Config("gcp").require("project")
LOCATION = "us-central1"

services = ProjectServices(
    "services",
    ProjectServicesArgs(PROJECT, ["healthcare.googleapis.com", "bigquery.googleapis.com"]),
)
dataset = BigQueryDataset(
    "warehouse",
    BigQueryDatasetArgs(PROJECT, "imaging", LOCATION, delete_contents=True),
    pulumi.ResourceOptions(depends_on=[services]),
)
agent = services.service_agent_member
ServiceAgentRoles("may-run-jobs", ServiceAgentRolesArgs(PROJECT, agent, [JOB_USER]))
ServiceAgentAccess(
    "may-write-tables",
    ServiceAgentAccessArgs(
        PROJECT,
        agent,
        bigquery_datasets={"imaging": pulumi.Output.concat(PROJECT, ".", dataset.dataset_id)},
    ),
)
imaging = HealthcareDataset(
    "imaging",
    HealthcareDatasetArgs(PROJECT, LOCATION, "imaging", dicom_stores=[DicomStoreArgs("x-rays")]),
    pulumi.ResourceOptions(depends_on=[services]),
)

pulumi.export("dicomStores", imaging.dicom_stores)
