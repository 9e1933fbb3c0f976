"""Rows of a project: its services, their identities, who may do what in it, what is logged."""

from dataclasses import replace

from engine.standin.audit import AuditConfig
from engine.standin.http import Api, Json
from engine.standin.iam import MEMBER, POLICY_VERSION, Member
from engine.standin.properties import Property
from engine.standin.resource import Resource
from engine.standin.services import EnabledService, ServiceIdentity
from engine.standin.tables.common import DELETION_POLICY, PROJECT

_SERVICE = Property(
    required=True,
    replace=True,
    pattern=r"(?!bigquery-json\.)[^/]+\.[^/]+",
    allowed="a domain like healthcare.googleapis.com",
)
_SWITCH = Property(kind="boolean", client=True)


def _get_policy(api: Api, member: Member, name: str) -> Json:
    body = {"options": {"requestedPolicyVersion": POLICY_VERSION}}
    return api.call(member.service, "POST", f"projects/{name}:getIamPolicy", body=body)


def _set_policy(api: Api, member: Member, name: str, policy: Json) -> None:
    body = {"policy": policy, "updateMask": "bindings,etag,auditConfigs"}
    api.call(member.service, "POST", f"projects/{name}:setIamPolicy", body=body)


_POLICY = Member(
    service="resourcemanager",
    name="{project}",
    key="project",
    patterns=(r"(?:projects/)?(?P<project>[^/]+)",),
    get=_get_policy,
    set=_set_policy,
)
_REQUIRED_PROJECT = replace(PROJECT, required=True, computed=False, from_provider="")

ROWS = (
    Resource(
        pulumi_type="gcp:projects/service:Service",
        title="project service",
        properties={
            "service": _SERVICE,
            "project": PROJECT,
            "disableDependentServices": _SWITCH,
            "disableOnDestroy": _SWITCH,
            "checkIfServiceHasUsageOnDestroy": _SWITCH,
            "deletionPolicy": DELETION_POLICY,
        },
        behaviour=EnabledService(),
        timeouts={"create": 20, "delete": 20, "read": 10, "update": 20},
    ),
    Resource(
        pulumi_type="gcp:projects/serviceIdentity:ServiceIdentity",
        title="Service Identity",
        properties={
            "service": replace(_SERVICE, pattern="", allowed=""),
            "project": PROJECT,
            "email": Property(output=True),
            "member": Property(output=True),
        },
        behaviour=ServiceIdentity(),
        timeouts={"create": 20, "delete": 20, "read": 10},
        importable=False,
    ),
    Resource(
        pulumi_type="gcp:projects/iAMMember:IAMMember",
        title="IAM member of the project",
        properties={"project": _REQUIRED_PROJECT, **MEMBER},
        behaviour=_POLICY,
    ),
    Resource(
        pulumi_type="gcp:projects/iAMAuditConfig:IAMAuditConfig",
        title="IAM audit config of the project",
        properties={
            "project": _REQUIRED_PROJECT,
            "service": Property(required=True),
            "auditLogConfigs": Property(
                kind="list",
                required=True,
                unordered=True,
                fields={
                    "logType": Property(required=True),
                    "exemptedMembers": Property(kind="list", unordered=True),
                },
            ),
            "etag": Property(output=True),
        },
        behaviour=AuditConfig(policy=_POLICY),
    ),
)
