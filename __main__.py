"""The lab as a Pulumi program: DICOM on the Cloud Healthcare API, from the API to the warehouse."""

import pulumi

from components import agent_plan, arguments, assembly, settings
from components.audit_logs import AuditLogs, AuditLogsArgs
from components.outputs import stack_outputs
from components.project_members import ProjectMembers, ProjectMembersArgs
from components.project_services import ProjectServices, ProjectServicesArgs
from components.service_agent_access import ServiceAgentAccess
from components.service_agent_roles import ServiceAgentRoles, ServiceAgentRolesArgs
from components.warehouse import Warehouse
from components.warehouse_views import WarehouseViews, WarehouseViewsArgs

lab = settings.load()

services = ProjectServices(
    "services",
    ProjectServicesArgs(
        project=lab.project,
        services=arguments.services(lab),
        identities=arguments.identities(lab),
    ),
)
after_services = pulumi.ResourceOptions(depends_on=[services])
warehouse_key = assembly.warehouse_key(lab, services)
warehouse = Warehouse(
    "warehouse",
    arguments.warehouse(lab),
    pulumi.ResourceOptions(
        depends_on=[services, *([warehouse_key] if warehouse_key else [])],
        protect=lab.bigquery_deletion_protection or None,
    ),
)
agent = services.service_agent_member
grants: list[pulumi.Resource] = [
    ServiceAgentRoles(
        "service-agent",
        ServiceAgentRolesArgs(lab.project, agent, agent_plan.project_roles(lab)),
        after_services,
    )
]
if lab.access == "least-privilege":
    access = arguments.service_agent_access(lab, agent, warehouse.dataset_id)
    grants.append(ServiceAgentAccess("service-agent-access", access, after_services))
topics = assembly.notification_topics(lab, services)
datasets = assembly.healthcare_datasets(lab, services, topics, [warehouse, *grants])
if lab.project_members:
    members = ProjectMembersArgs(lab.project, arguments.grants(lab.project_members))
    ProjectMembers("project-members", members, after_services)
if lab.audit_logs:
    AuditLogs("audit-logs", AuditLogsArgs(lab.project, lab.audit_logs), after_services)

if lab.bigquery_views:
    exported = [store.name for kind, store in lab.stores if kind == "dicomStores"]
    views = WarehouseViewsArgs(lab.project, warehouse.dataset_id, exported, lab.labels)
    WarehouseViews("views", views, pulumi.ResourceOptions(depends_on=[warehouse]))

for name, value in stack_outputs(lab, services, warehouse, datasets, topics).items():
    pulumi.export(name, value)
