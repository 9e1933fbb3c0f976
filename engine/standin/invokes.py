"""The functions that a program may call."""

import base64
import json
import re
from collections.abc import Callable, Mapping
from functools import partial

from engine.standin import registry
from engine.standin.errors import ApiError, StandInError
from engine.standin.http import Api
from engine.standin.iam import Member
from engine.standin.resource import ResourceType
from engine.standin.values import Values

Function = Callable[[Values, Api], Values]

_POLICY_OF = re.compile(
    r"gcp:(?P<module>\w+)/get(?P<resource>\w*)IamPolicy:get(?P=resource)IamPolicy"
)


def get_project(args: Values, api: Api) -> Values:
    """`gcp:organizations/getProject:getProject`: a project's number, name and labels."""
    project = args.get("projectId") or api.config.project
    if not project:
        raise StandInError(
            "getProject: no project; give a projectId, or set one with "
            "`pulumi config set gcp:project PROJECT`"
        )
    try:
        found = api.call("resourcemanager", "GET", f"projects/{project}")
    except ApiError as error:
        raise StandInError(f'Error when reading or editing Project "{project}": {error}') from error
    parent = found.get("parent", {})
    labels = found.get("labels", {})
    return {
        "id": f"projects/{found['projectId']}",
        "projectId": found["projectId"],
        "name": found.get("name", ""),
        "number": str(found["projectNumber"]),
        "orgId": parent.get("id", "") if parent.get("type") == "organization" else "",
        "folderId": parent.get("id", "") if parent.get("type") == "folder" else "",
        "billingAccount": "",
        "autoCreateNetwork": False,
        "deletionPolicy": "",
        "labels": labels,
        "effectiveLabels": labels,
        "pulumiLabels": labels,
        "tags": {},
    }


def get_default_service_account(args: Values, api: Api) -> Values:
    """`gcp:bigquery/getDefaultServiceAccount:getDefaultServiceAccount`: the encryption account."""
    project = args.get("project") or api.config.project
    if not project:
        raise StandInError(
            "getDefaultServiceAccount: no project; give a project, or set one with "
            "`pulumi config set gcp:project PROJECT`"
        )
    try:
        email = api.call("bigquery", "GET", f"projects/{project}/serviceAccount")["email"]
    except ApiError as error:
        raise StandInError(
            f'Error when reading or editing Project "{project}" BigQuery service account: {error}'
        ) from error
    member = f"serviceAccount:{email}"
    return {"id": email, "email": email, "member": member, "project": project}


def get_tables(args: Values, api: Api) -> Values:
    """`gcp:bigquery/getTables:getTables`: the tables and views of a dataset, with their labels."""
    project, dataset = args.get("project") or api.config.project, args["datasetId"]
    if not project:
        raise StandInError(
            "getTables: no project; give a project, or set one with "
            "`pulumi config set gcp:project PROJECT`"
        )
    path = f"projects/{project}/datasets/{dataset}/tables"
    found: list[Values] = []
    query: dict[str, str] = {}
    while True:
        try:
            page = api.call("bigquery", "GET", path, query=query)
        except ApiError as error:
            raise StandInError(f"Error retrieving tables: {error}") from error
        found += page.get("tables", [])
        if not page.get("nextPageToken"):
            break
        query["pageToken"] = page["nextPageToken"]
    tables = [
        {"tableId": table["tableReference"]["tableId"], "labels": table.get("labels", {})}
        for table in found
    ]
    return {"id": path, "project": project, "datasetId": dataset, "tables": tables}


def get_secret_version(args: Values, api: Api) -> Values:
    """`gcp:secretmanager/getSecretVersionAccess:getSecretVersionAccess`: a version's payload."""
    secret, version = str(args["secret"]), str(args.get("version") or "latest")
    project = args.get("project") or api.config.project
    parent = secret if "/" in secret else f"projects/{project}/secrets/{secret}"
    try:
        found = api.call("secretmanager", "GET", f"{parent}/versions/{version}:access")
    except ApiError as error:
        raise StandInError(f"Error retrieving the secret version's data: {error}") from error
    is_base64 = bool(args.get("isSecretDataBase64"))
    data = str(found["payload"].get("data", ""))
    return {
        "id": found["name"],
        "name": found["name"],
        "project": parent.split("/")[1],
        "secret": secret,
        "version": found["name"].rpartition("/")[2],
        "isSecretDataBase64": is_base64,
        "secretData": data if is_base64 else base64.b64decode(data).decode(),
    }


FUNCTIONS: Mapping[str, Function] = {
    "gcp:bigquery/getDefaultServiceAccount:getDefaultServiceAccount": get_default_service_account,
    "gcp:bigquery/getTables:getTables": get_tables,
    "gcp:organizations/getProject:getProject": get_project,
    "gcp:secretmanager/getSecretVersionAccess:getSecretVersionAccess": get_secret_version,
}


def find(token: str) -> Function | None:
    """Return a function such as `gcp:projects/getIamPolicy:getIamPolicy`, or None."""
    if token in FUNCTIONS:
        return FUNCTIONS[token]
    match = _POLICY_OF.fullmatch(token)
    if match is None:
        return None
    resource = f"{match['resource']}IamMember".lower()
    for type_ in registry.of_module(match["module"]):
        named = type_.pulumi_type.rpartition(":")[2].lower()
        if named == resource and isinstance(type_.operations, Member):
            return partial(_get_policy, type_, type_.operations)
    return None


def _get_policy(type_: ResourceType, member: Member, args: Values, api: Api) -> Values:
    """Return the policy of a resource that the provider knows grants on."""
    name = member.resource_name(args, api)
    try:
        policy = member.get(api, member, name)
    except ApiError as error:
        raise StandInError(f"Error retrieving IAM policy for {name}: {error}") from error
    data = {key: policy[key] for key in ("auditConfigs", "bindings") if policy.get(key)}
    return {
        **({"project": api.config.project} if "project" in type_.properties else {}),
        **args,
        "id": name,
        "etag": policy.get("etag", ""),
        "policyData": json.dumps(data, separators=(",", ":")),
    }
