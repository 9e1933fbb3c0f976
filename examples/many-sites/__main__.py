"""Thirty DICOM stores from one list, each open to its own site only."""

import pulumi

from components.grants import GrantArgs
from components.healthcare_dataset import HealthcareDataset, HealthcareDatasetArgs
from components.project_services import ProjectServices, ProjectServicesArgs
from components.stores import DicomStoreArgs

PROJECT = pulumi.Config("gcp").require("project")
SITES: list[str] = pulumi.Config().require_object("sites")

services = ProjectServices("services", ProjectServicesArgs(PROJECT))
network = HealthcareDataset(
    "network",
    HealthcareDatasetArgs(
        PROJECT,
        "us-central1",
        "network",
        dicom_stores=[
            DicomStoreArgs(
                site,
                labels={"site": site},
                members=[GrantArgs("roles/healthcare.dicomEditor", [f"group:{site}@example.com"])],
            )
            for site in SITES
        ],
    ),
    pulumi.ResourceOptions(depends_on=[services]),
)

pulumi.export("dicomStores", network.dicom_stores)
