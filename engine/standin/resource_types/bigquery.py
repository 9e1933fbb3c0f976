"""Rows of BigQuery: the dataset, who may do what in it, and its tables and views."""

from typing import Any

from engine.standin.http import Api, Json
from engine.standin.iam import MEMBER, Member
from engine.standin.properties import Properties, Property
from engine.standin.resource import Resource
from engine.standin.rest import Rest
from engine.standin.tables.bigquery_tables import TABLES
from engine.standin.tables.common import (
    DELETION_POLICY,
    LABEL_OUTPUTS,
    LABELS,
    PROJECT,
    TIMEOUTS,
)
from engine.standin.values import Values

_MIN_EXPIRATION = (
    3_600_000  # one hour, https://cloud.google.com/bigquery/docs/reference/rest/v2/datasets
)
_ROLES = {
    "OWNER": "roles/bigquery.dataOwner",
    "WRITER": "roles/bigquery.dataEditor",
    "READER": "roles/bigquery.dataViewer",
}
_BASIC = {role: basic for basic, role in _ROLES.items()}
_REQUIRED = Property(required=True)


def _refer(body: Json, values: Values) -> Json:
    return body | {
        "datasetReference": {"datasetId": values["datasetId"], "projectId": values["project"]}
    }


def _read(answer: Json, known: Values) -> Values:  # noqa: ARG001
    reference = answer["datasetReference"]
    return {"datasetId": reference["datasetId"], "selfLink": answer.get("selfLink")}


def _same_place(one: str, other: str) -> bool:
    return one.lower() == other.lower()


def _reference(*more: str) -> Properties:
    return dict.fromkeys(("datasetId", "projectId", *more), _REQUIRED)


_ACCESS: Properties = {
    "role": Property(same=lambda one, other: _ROLES.get(one, one) == _ROLES.get(other, other)),
    "userByEmail": Property(same=_same_place),
    "groupByEmail": Property(same=_same_place),
    "domain": Property(),
    "specialGroup": Property(),
    "iamMember": Property(),
    "view": Property(kind="object", fields=_reference("tableId")),
    "routine": Property(kind="object", fields=_reference("routineId")),
    "dataset": Property(
        kind="object",
        fields={
            "dataset": Property(kind="object", required=True, fields=_reference()),
            "targetTypes": Property(kind="list", required=True),
        },
    ),
    "condition": Property(
        kind="object",
        fields={
            "expression": _REQUIRED,
            "title": Property(),
            "description": Property(),
            "location": Property(),
        },
    ),
}

_DATASETS = Resource(
    pulumi_type="gcp:bigquery/dataset:Dataset",
    title="Dataset",
    properties={
        "datasetId": Property(
            required=True,
            replace=True,
            wire=None,
            pattern=r"\w{1,1024}",
            allowed="1 to 1024 letters, digits or underscores",
        ),
        "project": PROJECT,
        "location": Property(
            default="US",
            replace=True,
            same=_same_place,
            pattern=r"[A-Za-z]+(?:-[A-Za-z]+\d+)?",
            allowed="a BigQuery location, such as US, EU or us-central1",
        ),
        "friendlyName": Property(),
        "description": Property(),
        "defaultTableExpirationMs": Property(kind="integer", minimum=_MIN_EXPIRATION),
        "defaultPartitionExpirationMs": Property(kind="integer"),
        "maxTimeTravelHours": Property(computed=True, pattern=r"\d+", allowed="hours, 48 to 168"),
        "storageBillingModel": Property(computed=True),
        "defaultCollation": Property(computed=True),
        "isCaseInsensitive": Property(kind="boolean", computed=True),
        "accesses": Property(
            kind="list", computed=True, unordered=True, wire="access", fields=_ACCESS
        ),
        "defaultEncryptionConfiguration": Property(kind="object", fields={"kmsKeyName": _REQUIRED}),
        "externalCatalogDatasetOptions": Property(
            kind="object",
            fields={"defaultStorageLocationUri": Property(), "parameters": Property(kind="map")},
        ),
        "externalDatasetReference": Property(
            kind="object",
            replace=True,
            fields={"connection": _REQUIRED, "externalSource": _REQUIRED},
        ),
        "resourceTags": Property(kind="map"),
        "labels": LABELS,
        "deleteContentsOnDestroy": Property(kind="boolean", client=True, default=False),
        "deletionPolicy": DELETION_POLICY,
        "creationTime": Property(kind="integer", output=True),
        "lastModifiedTime": Property(kind="integer", output=True),
        "etag": Property(output=True),
        "selfLink": Property(output=True),
        **LABEL_OUTPUTS,
    },
    behaviour=Rest(
        service="bigquery",
        id="projects/{project}/datasets/{datasetId}",
        create_call="POST projects/{project}/datasets?accessPolicyVersion=3",
        read_query="accessPolicyVersion=3",
        delete_query="deleteContents={deleteContentsOnDestroy}",
        update_style="whole",
        imports=(
            "projects/{project}/datasets/{datasetId}",
            "{project}/{datasetId}",
            "{datasetId}",
        ),
        encode=_refer,
        decode=_read,
    ),
    timeouts=TIMEOUTS,
)


def _get_policy(api: Api, member: Member, name: str) -> Json:
    """The dataset's access list as a policy: entries without a role (views) are no grants."""
    dataset = api.call(member.service, "GET", name, query={"accessPolicyVersion": "3"})
    bindings: dict[str, list[str]] = {}
    for entry in dataset.get("access", []):
        if who := _member_of(entry):
            bindings.setdefault(_ROLES.get(entry["role"], entry["role"]), []).append(who)
    listed = [{"role": role, "members": members} for role, members in bindings.items()]
    return {
        "bindings": listed,
        "etag": dataset.get("etag", ""),
        "access": dataset.get("access", []),
    }


def _set_policy(api: Api, member: Member, name: str, policy: Json) -> None:
    others = [entry for entry in policy["access"] if not _member_of(entry)]
    grants = [
        {"role": _BASIC.get(binding["role"], binding["role"]), **_entry_of(who)}
        for binding in policy["bindings"]
        for who in binding["members"]
    ]
    body = {"access": others + grants}
    api.call(member.service, "PATCH", name, body=body, query={"accessPolicyVersion": "3"})


def _member_of(entry: dict[str, Any]) -> str:
    if "role" not in entry or "condition" in entry:
        return ""
    if email := entry.get("userByEmail"):
        service_account = email.endswith("gserviceaccount.com")
        return f"serviceAccount:{email}" if service_account else f"user:{email}"
    if email := entry.get("groupByEmail"):
        return f"group:{email}"
    if domain := entry.get("domain"):
        return f"domain:{domain}"
    return str(entry.get("iamMember") or entry.get("specialGroup") or "")


def _entry_of(member: str) -> dict[str, str]:
    kind, _, name = member.partition(":")
    keys = {"user": "userByEmail", "serviceAccount": "userByEmail", "group": "groupByEmail"}
    if kind in keys:
        return {keys[kind]: name}
    if kind == "domain":
        return {"domain": name}
    return {"specialGroup": member} if not name and member != "allUsers" else {"iamMember": member}


_MEMBERS = Resource(
    pulumi_type="gcp:bigquery/datasetIamMember:DatasetIamMember",
    title="IAM member of the BigQuery dataset",
    properties={
        "datasetId": Property(required=True, replace=True),
        "project": PROJECT,
        **MEMBER,
    },
    behaviour=Member(
        service="bigquery",
        name="projects/{project}/datasets/{dataset}",
        key="datasetId",
        patterns=(
            r"projects/(?P<project>[^/]+)/datasets/(?P<dataset>\w+)",
            r"(?:(?P<project>[^/]+)/)(?P<dataset>\w+)",
            r"(?P<dataset>\w+)",
        ),
        imported="{dataset}",
        get=_get_policy,
        set=_set_policy,
    ),
    uncovered=("condition",),
)

ROWS = (_DATASETS, _MEMBERS, TABLES)
