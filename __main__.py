"""The lab as a Pulumi program: DICOM on the Cloud Healthcare API, from the API to the warehouse."""

import pulumi

from components import arguments, settings
from components.healthcare_dataset import HealthcareDataset
from components.project_services import ProjectServices, ProjectServicesArgs
from components.service_agent_roles import ServiceAgentRoles, ServiceAgentRolesArgs
from components.warehouse import Warehouse

lab = settings.load()

services = ProjectServices(
    "services",
    ProjectServicesArgs(project=lab.project, services=lab.services),
)
roles = ServiceAgentRoles(
    "service-agent",
    ServiceAgentRolesArgs(
        project=lab.project,
        member=services.service_agent_member,
        roles=lab.service_agent_roles,
    ),
    pulumi.ResourceOptions(depends_on=[services]),
)
healthcare = HealthcareDataset(
    "healthcare",
    arguments.healthcare_dataset(lab),
    pulumi.ResourceOptions(depends_on=[services, roles]),
)
warehouse = Warehouse(
    "warehouse",
    arguments.warehouse(lab),
    pulumi.ResourceOptions(depends_on=[services]),
)

pulumi.export("projectId", lab.project)
pulumi.export("projectNumber", services.project_number)
pulumi.export("region", lab.location)
pulumi.export("datasetId", lab.dataset)
pulumi.export("dataset", healthcare.dataset)
pulumi.export("dicomStores", healthcare.dicom_stores)
pulumi.export("fhirStores", healthcare.fhir_stores)
pulumi.export("hl7v2Stores", healthcare.hl7v2_stores)
pulumi.export("serviceAgent", services.service_agent_email)
pulumi.export("bigqueryDataset", warehouse.dataset_id)
pulumi.export("labVariables", lab.lab_variables())

# Each DICOM store exports to a table of its own name; the first store is the lab's.
first_store = lab.first_dicom_store()
if first_store is not None:
    table = pulumi.Output.concat("bq://", lab.project, ".", warehouse.dataset_id, ".", first_store)
    pulumi.export("tableUri", table)
