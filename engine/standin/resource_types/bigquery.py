"""Resource types of BigQuery: dataset, member of its policy, table and view."""

from typing import Any

from engine.standin.checking import refusals
from engine.standin.http import Api, Json
from engine.standin.iam import MEMBER, Member
from engine.standin.resource_types.bigquery_tables import TABLES
from engine.standin.resource_types.common import resource_type
from engine.standin.rest import Rest
from engine.standin.values import Values

_ROLES = {
    "OWNER": "roles/bigquery.dataOwner",
    "WRITER": "roles/bigquery.dataEditor",
    "READER": "roles/bigquery.dataViewer",
}
_BASIC = {role: basic for basic, role in _ROLES.items()}


def _refer(body: Json, values: Values) -> Json:
    return body | {
        "datasetReference": {"datasetId": values["datasetId"], "projectId": values["project"]}
    }


def _read(answer: Json, known: Values) -> Values:  # noqa: ARG001
    reference = answer["datasetReference"]
    return {"datasetId": reference["datasetId"], "selfLink": answer.get("selfLink")}


def _equal_ignoring_case(one: str, other: str) -> bool:
    return one.lower() == other.lower()


_DATASETS = resource_type(
    "gcp:bigquery/dataset:Dataset",
    "Dataset",
    Rest(
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
    quirks={
        "datasetId": {"wire": None, "validate": refusals.bigquery_dataset_id},
        "location": {"same": _equal_ignoring_case},
        "defaultTableExpirationMs": {"validate": refusals.table_expiration},
        "accesses.role": {
            "same": lambda one, other: _ROLES.get(one, one) == _ROLES.get(other, other)
        },
        "accesses.userByEmail": {"same": _equal_ignoring_case},
        "accesses.groupByEmail": {"same": _equal_ignoring_case},
        "deleteContentsOnDestroy": {"client": True},
    },
)


def _get_policy(api: Api, member: Member, name: str) -> Json:
    """Return the dataset's access list as a policy: entries without a role are no grants."""
    dataset = api.call(member.service, "GET", name, query={"accessPolicyVersion": "3"})
    bindings: list[Json] = []
    for entry in dataset.get("access", []):
        if who := _member_of(entry):
            role, condition = _ROLES.get(entry["role"], entry["role"]), entry.get("condition")
            same = (b for b in bindings if (b["role"], b.get("condition")) == (role, condition))
            if (binding := next(same, None)) is not None:
                binding["members"].append(who)
            else:
                conditional = {"condition": condition} if condition else {}
                bindings.append({"role": role, "members": [who], **conditional})
    return {
        "bindings": bindings,
        "etag": dataset.get("etag", ""),
        "access": dataset.get("access", []),
    }


def _set_policy(api: Api, member: Member, name: str, policy: Json) -> None:
    others = [entry for entry in policy["access"] if not _member_of(entry)]
    grants = [
        {**_role_of(binding), **_entry_of(who)}
        for binding in policy["bindings"]
        for who in binding["members"]
    ]
    body = {"access": others + grants}
    api.call(member.service, "PATCH", name, body=body, query={"accessPolicyVersion": "3"})


def _role_of(binding: Json) -> Json:
    """Return the role of an entry: a basic one only where there is no condition."""
    role = binding["role"]
    if condition := binding.get("condition"):
        return {"role": role, "condition": condition}
    return {"role": _BASIC.get(role, role)}


def _member_of(entry: dict[str, Any]) -> str:
    if "role" not in entry:
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
    member_type, _, name = member.partition(":")
    keys = {"user": "userByEmail", "serviceAccount": "userByEmail", "group": "groupByEmail"}
    if member_type in keys:
        return {keys[member_type]: name}
    if member_type == "domain":
        return {"domain": name}
    return {"specialGroup": member} if not name and member != "allUsers" else {"iamMember": member}


_MEMBERS = resource_type(
    "gcp:bigquery/datasetIamMember:DatasetIamMember",
    "IAM member of the BigQuery dataset",
    Member(
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
    quirks=MEMBER,
)

RESOURCE_TYPES = (_DATASETS, _MEMBERS, TABLES)
