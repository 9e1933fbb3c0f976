"""The functions that a program may call."""

from collections.abc import Callable, Mapping

from engine.standin.errors import ApiError, StandInError
from engine.standin.http import Api
from engine.standin.values import Values


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


FUNCTIONS: Mapping[str, Callable[[Values, Api], Values]] = {
    "gcp:organizations/getProject:getProject": get_project,
}
