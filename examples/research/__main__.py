"""Identified data for the hospital, and a place for a de-identified copy that researchers may read.

De-identifying is a matter of data, not of resources: once there are images, `gcloud healthcare
dicom-stores deidentify` copies a store into the research dataset (on Google Cloud; the local one
answers 501). Nobody but the hospital's group reaches the originals.
"""

import pulumi

from components.audit_logs import LOG_TYPES, AuditLogs, AuditLogsArgs
from components.grants import GrantArgs
from components.healthcare_dataset import HealthcareDataset, HealthcareDatasetArgs
from components.project_services import ProjectServices, ProjectServicesArgs
from components.stores import DicomStoreArgs

PROJECT = pulumi.Config("gcp").require("project")
config = pulumi.Config()
LOCATION = config.get("location") or "us-central1"
HOSPITAL = config.get("hospital") or "group:radiology@example.com"
RESEARCHERS = config.get("researchers") or "group:research@example.com"

services = ProjectServices("services", ProjectServicesArgs(PROJECT))
ready = pulumi.ResourceOptions(depends_on=[services])

AuditLogs("audit-logs", AuditLogsArgs(PROJECT, LOG_TYPES), ready)
identified = HealthcareDataset(
    "identified",
    HealthcareDatasetArgs(
        PROJECT,
        LOCATION,
        "identified",
        dicom_stores=[DicomStoreArgs("originals")],
        members=[GrantArgs("roles/healthcare.dicomEditor", [HOSPITAL])],
    ),
    ready,
)
research = HealthcareDataset(
    "research",
    HealthcareDatasetArgs(
        PROJECT,
        LOCATION,
        "research",
        # The copy's store is made by the de-identification: it writes into no store that exists.
        members=[GrantArgs("roles/healthcare.dicomViewer", [RESEARCHERS])],
    ),
    ready,
)

pulumi.export("originals", identified.dicom_stores)
pulumi.export("researchDataset", research.dataset)
