"""Identified data for the hospital, and a de-identified copy of it that researchers may read.

De-identifying is a matter of data, not of resources: once there are images, `deidentify.py` beside
this program copies them, as often as there are new ones. Only the hospital's group reaches
the originals, and an access from another domain notifies.
"""

import pulumi

from components.audit_logs import LOG_TYPES, AuditLogs, AuditLogsArgs
from components.grants import GrantArgs
from components.healthcare_dataset import HealthcareDataset, HealthcareDatasetArgs
from components.logs.access_alert import AccessAlert, AccessAlertArgs
from components.project_services import ProjectServices, ProjectServicesArgs
from components.stores import DicomStoreArgs

PROJECT = pulumi.Config("gcp").require("project")
config = pulumi.Config()
LOCATION = config.get("location") or "us-central1"
HOSPITAL = config.get("hospital") or "group:radiology@example.com"
DOMAINS = config.get_object("domains") or ["example.com"]
RESEARCHERS = config.get("researchers") or "group:research@example.com"

services = ProjectServices("services", ProjectServicesArgs(PROJECT))
ready = pulumi.ResourceOptions(depends_on=[services])

AuditLogs("audit-logs", AuditLogsArgs(PROJECT, LOG_TYPES), ready)
AccessAlert(
    "access-alert",
    AccessAlertArgs(PROJECT, allowed_domains=DOMAINS, emails=["privacy@example.com"]),
    ready,
)
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
        dicom_stores=[DicomStoreArgs("copies")],
        members=[GrantArgs("roles/healthcare.dicomViewer", [RESEARCHERS])],
    ),
    ready,
)

pulumi.export("originals", identified.dicom_stores)
pulumi.export("researchDataset", research.dataset)
pulumi.export("copies", research.dicom_stores)
