"""The lab as a Pulumi program: DICOM on the Cloud Healthcare API, from the API to BigQuery."""

import pulumi

from components import existing_grants
from components.audit_logs import AuditLogs, AuditLogsArgs
from components.bigquery_dataset import BigQueryDataset
from components.project_members import ProjectMembers, ProjectMembersArgs
from components.project_services import ProjectServices, ProjectServicesArgs
from components.service_agent_access import ServiceAgentAccess
from components.service_agent_roles import ServiceAgentRoles, ServiceAgentRolesArgs
from program import assembly, component_args, config, service_agent_grants
from program.adapters import make_adapters
from program.gateways import make_gateways
from program.inference import inference_outputs, make_inference_services
from program.outputs import stack_outputs
from program.pipelines import make_pipeline_workers, pipeline_outputs

lab = config.load_or_exit()

services = ProjectServices(
    "services",
    ProjectServicesArgs(
        project=lab.project,
        services=component_args.services(lab),
        identities=component_args.identities(lab),
    ),
)
after_services = existing_grants.options(depends_on=[services])
bigquery_key = assembly.bigquery_key(lab, services)
bigquery_dataset = BigQueryDataset(
    "warehouse",
    component_args.bigquery_dataset(lab),
    pulumi.ResourceOptions(
        depends_on=[services, *([bigquery_key] if bigquery_key else [])],
        protect=lab.bigquery_deletion_protection or None,
    ),
)
agent = services.service_agent_member
grants: list[pulumi.Resource] = [
    ServiceAgentRoles(
        "service-agent",
        ServiceAgentRolesArgs(lab.project, agent, service_agent_grants.project_roles(lab)),
        after_services,
    )
]
if lab.access == "least-privilege":
    access = component_args.service_agent_access(lab, agent, bigquery_dataset.dataset_id)
    grants.append(ServiceAgentAccess("service-agent-access", access, after_services))
topics = assembly.notification_topics(lab, services)
datasets = assembly.healthcare_datasets(lab, services, topics, [bigquery_dataset, *grants])
if lab.project_members:
    members = ProjectMembersArgs(lab.project, component_args.grants(lab.project_members))
    ProjectMembers("project-members", members, after_services)
if lab.audit_logs:
    AuditLogs("audit-logs", AuditLogsArgs(lab.project, lab.audit_logs), after_services)
assembly.log_routing(lab, services, bigquery_dataset)
assembly.bigquery_views(lab, bigquery_dataset)

adapters = make_adapters(lab, services, datasets, topics)
gateways = make_gateways(lab, services, datasets, adapters)
inference = make_inference_services(lab, services, datasets, topics, adapters.repository)
pipelines = make_pipeline_workers(lab, services, datasets, bigquery_dataset)
outputs = stack_outputs(lab, services, bigquery_dataset, datasets, topics, adapters, gateways)
outputs |= inference_outputs(inference) | pipeline_outputs(pipelines)
for name, value in outputs.items():
    pulumi.export(name, value)
