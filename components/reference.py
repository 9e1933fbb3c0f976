"""Reference of the components, generated from their classes and docstrings.

`python -m components.reference` writes it into `docs/components.md`; a test compares.
"""

import dataclasses
import inspect
import re
from collections.abc import Awaitable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import GenericAlias, NoneType, UnionType
from typing import Any, Union, get_args, get_origin

from components.adapters.adapter_repository import AdapterRepository, AdapterRepositoryArgs
from components.adapters.arguments import AetArgs, OutgoingArgs, TlsArgs
from components.adapters.dimse_adapter import DimseAdapter, DimseAdapterArgs
from components.adapters.hospital_vpn import HospitalVpn, HospitalVpnArgs, TunnelArgs
from components.adapters.mllp_adapter import MllpAdapter, MllpAdapterArgs
from components.audit_logs import AuditLogs, AuditLogsArgs
from components.base import Component
from components.bigquery_dataset import BigQueryDataset, BigQueryDatasetArgs
from components.bigquery_views import BigQueryViews, BigQueryViewsArgs
from components.encryption_key import EncryptionKey, EncryptionKeyArgs
from components.gateway.arguments import GatewayArgs, GatewayStoreArgs, OidcArgs
from components.gateway.balancer_arguments import ArmorArgs, LoadBalancerArgs
from components.gateway.gateway import Gateway
from components.grants import ConditionArgs, GrantArgs
from components.healthcare_dataset import HealthcareDataset, HealthcareDatasetArgs
from components.inference.arguments import InferenceServiceArgs
from components.inference.inference_service import InferenceService
from components.logs.access_alert import AccessAlert, AccessAlertArgs
from components.logs.audit_log_sink import AuditLogSink, AuditLogSinkArgs
from components.notification_topic import (
    NotificationTopic,
    NotificationTopicArgs,
    SubscriptionArgs,
)
from components.pipelines.pipeline_workers import PipelineWorkers, PipelineWorkersArgs
from components.pipelines.worker_network import WorkerNetwork, WorkerNetworkArgs
from components.project_members import ProjectMembers, ProjectMembersArgs
from components.project_services import ProjectServices, ProjectServicesArgs
from components.service_agent_access import ServiceAgentAccess, ServiceAgentAccessArgs
from components.service_agent_roles import ServiceAgentRoles, ServiceAgentRolesArgs
from components.stores import ConsentStoreArgs, DicomStoreArgs, FhirStoreArgs, Hl7v2StoreArgs

DOCS = Path(__file__).parents[1] / "docs" / "components.md"
BEGIN = "<!-- made by `python -m components.reference` -->\n"
END = "<!-- end -->\n"

COMPONENTS: dict[type[Component], tuple[type, ...]] = {
    ProjectServices: (ProjectServicesArgs,),
    ServiceAgentRoles: (ServiceAgentRolesArgs,),
    ServiceAgentAccess: (ServiceAgentAccessArgs,),
    ProjectMembers: (ProjectMembersArgs, GrantArgs, ConditionArgs),
    AuditLogs: (AuditLogsArgs,),
    AuditLogSink: (AuditLogSinkArgs,),
    AccessAlert: (AccessAlertArgs,),
    EncryptionKey: (EncryptionKeyArgs,),
    NotificationTopic: (NotificationTopicArgs, SubscriptionArgs),
    HealthcareDataset: (
        HealthcareDatasetArgs,
        DicomStoreArgs,
        FhirStoreArgs,
        Hl7v2StoreArgs,
        ConsentStoreArgs,
    ),
    BigQueryDataset: (BigQueryDatasetArgs,),
    BigQueryViews: (BigQueryViewsArgs,),
    AdapterRepository: (AdapterRepositoryArgs,),
    DimseAdapter: (DimseAdapterArgs, AetArgs, TlsArgs, OutgoingArgs),
    MllpAdapter: (MllpAdapterArgs,),
    HospitalVpn: (HospitalVpnArgs, TunnelArgs),
    InferenceService: (InferenceServiceArgs,),
    Gateway: (GatewayArgs, GatewayStoreArgs, OidcArgs, LoadBalancerArgs, ArmorArgs),
    PipelineWorkers: (PipelineWorkersArgs,),
    WorkerNetwork: (WorkerNetworkArgs,),
}
"""Every component, with the classes of its arguments."""


def written(page: str) -> str:
    """Return a page with the reference in the place that its marks leave for it."""
    before, _, rest = page.partition(BEGIN)
    after = rest.partition(END)[2]
    sections = "\n".join(_section(component) for component in COMPONENTS)
    return f"{before}{BEGIN}\n{sections}\n{END}{after}"


def outputs_of(component: type[Component]) -> dict[str, str]:
    """Return output -> its description."""
    return _entries(component, "Outputs")


def arguments_of(args: type) -> dict[str, tuple[str, str, str]]:
    """Return argument -> its type, its default, its description."""
    described = _entries(args, "Attributes")
    hints = annotations_of(args)
    return {
        field.name: (_type(hints[field.name]), _default(field), described[field.name])
        for field in dataclasses.fields(args)
    }


def annotations_of(cls: type) -> dict[str, Any]:
    """Return the evaluated annotations of one of our classes, inherited ones too."""
    found: dict[str, Any] = {}
    for each in reversed(cls.__mro__):
        if each.__module__.startswith("components."):
            found |= inspect.get_annotations(each, eval_str=True)
    return found


def is_input(parts: Iterable[Any]) -> bool:
    """Whether a union takes an output too, which is known only when resources are created."""
    return any(get_origin(part) is Awaitable for part in parts)


def plain_types(parts: Iterable[Any]) -> list[Any]:
    """Return the types of a union without outputs, None, and the provider's dictionaries."""
    return [
        part
        for part in parts
        if isinstance(part, type | GenericAlias)
        and part is not NoneType
        and get_origin(part) is not Awaitable
        and not getattr(part, "__name__", "").endswith("ArgsDict")
    ]


def _section(component: type[Component]) -> str:
    about = inspect.cleandoc(component.__doc__ or "").partition("\n\nInputs:")[0]
    lines = [f"## {component.__name__}", f"`{component.__module__}`. {about}", ""]
    for args in COMPONENTS[component]:
        lines += [f"### {args.__name__}", "", "| argument | type | default | meaning |"]
        lines += ["|---|---|---|---|"]
        for name, (type_name, default, meaning) in arguments_of(args).items():
            lines.append(f"| `{name}` | {type_name} | {default} | {meaning} |")
        lines.append("")
    outputs = outputs_of(component)
    if outputs:
        lines += ["| output | content |", "|---|---|"]
        lines += [f"| `{name}` | {meaning} |" for name, meaning in outputs.items()]
        lines.append("")
    return "\n".join(lines)


def _entries(owner: type, heading: str) -> dict[str, str]:
    """Return the entries of one section of a docstring: name -> text on one line."""
    text = inspect.cleandoc(owner.__doc__ or "")
    section = re.search(rf"^{heading}:\n((?:    .*\n?|\n)*)", text, re.MULTILINE)
    return dict(_parse(section[1])) if section else {}


def _parse(section: str) -> Iterator[tuple[str, str]]:
    for entry in re.split(r"^    (?=\w)", section, flags=re.MULTILINE)[1:]:
        name, _, meaning = entry.partition(":")
        yield name, " ".join(meaning.split())


def _default(field: "dataclasses.Field[Any]") -> str:
    if field.default is not dataclasses.MISSING:
        empty = field.default is None or field.default in ("", ())
        return "none" if empty else f"`{field.default!r}`"
    return "required" if field.default_factory is dataclasses.MISSING else "none"


def _type(annotation: Any) -> str:
    """Return a type in words: inputs by what they hold, the provider's types by their class."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin in (Union, UnionType):
        return _union(parts)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return f"map of {_type(parts[1])}"
    if isinstance(origin, type) and issubclass(origin, Sequence):
        return f"list of {_type(parts[0])}"
    return f"`{annotation.__name__}`"


def _union(parts: tuple[Any, ...]) -> str:
    """Return a union in words; None is left out."""
    words = " or ".join(_type(part) for part in plain_types(parts))
    return f"input of {words}" if is_input(parts) else words


if __name__ == "__main__":
    DOCS.write_text(written(DOCS.read_text()))
