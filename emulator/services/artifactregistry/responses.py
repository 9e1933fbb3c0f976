"""Requests and answers of Artifact Registry.

Documented: https://cloud.google.com/artifact-registry/docs/reference/rest/v1/projects.locations.repositories
and https://google.aip.dev/134 (an update without a mask). Observed in public output of gcloud: the
state of the scan for vulnerabilities.

Inferred (conformance: repository-missing-text, repository-id-text, repository-format-text): the
texts of refusals.
"""

import re
from functools import partial
from typing import Any

from emulator.core import timestamps
from emulator.core.discovery import api
from emulator.core.errors import already_exists, bad_field, invalid_argument, not_found
from emulator.core.list_filter.fields import Value
from emulator.core.list_filter.table import FieldTable
from emulator.core.resources.field_mask import FieldMask
from emulator.core.resources.labels import check_labels
from emulator.core.resources.paging import paginate
from emulator.core.rest import Call
from emulator.services.artifactregistry.operations import CREATE, DELETE
from emulator.services.artifactregistry.service import COLLECTION, ArtifactRegistry

_ID = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
_LOCATION = re.compile(r"[a-z]+(-[a-z]+[0-9]+)?")
_OUTPUT = frozenset(
    {"createTime", "name", "registryUri", "satisfiesPzi", "satisfiesPzs", "sizeBytes", "updateTime"}
)
_FIXED = frozenset({"format", "kmsKeyName", "mode"})
_CONFIGS = {
    "VIRTUAL_REPOSITORY": "virtualRepositoryConfig",
    "REMOTE_REPOSITORY": "remoteRepositoryConfig",
}
"""Mode of a repository -> the settings that only repositories of it have."""
_SCANS = "containerscanning.googleapis.com"
_PAGE, _MAX_PAGE = 100, 1000
_FILTER = FieldTable(
    usage='only the name can be filtered, as in name="projects/P/locations/L/repositories/a*"',
    fields={"name": Value(operators=frozenset({"="}))},
    connectives=frozenset(),
)

Json = dict[str, Any]
Registry = Call[ArtifactRegistry]


def location(call: Registry) -> str:
    """Return the location in the path.

    Raises:
        ApiError: 400 for what can't be the id of a region or a multi-region
    """
    project = call.service.projects.resolve(call.path["project"])
    if not _LOCATION.fullmatch(call.path["location"]):
        raise invalid_argument(f"{call.path['location']!r} is not a valid location")
    return f"projects/{project}/locations/{call.path['location']}"


def repository_name(call: Registry) -> str:
    """Return the full name of the repository in the path."""
    return f"{location(call)}/{COLLECTION}/{call.path['repository']}"


def exists(call: Registry, name: str) -> bool:
    """Whether there is a repository of a name."""
    return call.service.repositories.find(name) is not None


def create(call: Registry) -> Json:
    """Create a repository; the answer is an operation."""
    # The Google provider writes the parameter in snake case, which Google's front end takes too.
    id_ = call.query.get("repositoryId") or call.query.get("repository_id", "")
    parent = location(call)
    if not _ID.fullmatch(id_):
        raise bad_field(
            "repository_id",
            f"repository id {id_!r}: 1 to 63 lowercase letters, digits and hyphens, beginning with "
            "a letter and not ending with a hyphen",
        )
    given = {"mode": "STANDARD_REPOSITORY", **_given(call)}
    if "format" not in given:
        raise bad_field("repository.format", "format is required, such as DOCKER")
    name = f"{parent}/{COLLECTION}/{id_}"
    if exists(call, name):
        raise already_exists("the repository already exists")
    now = timestamps.now()
    call.service.repositories.create(
        name, {**_checked(given), "name": name, "createTime": now, "updateTime": now}
    )
    return call.service.operations.start(parent, CREATE, {"name": name}, version="v1")


def list_repositories(call: Registry) -> Json:
    """Return the repositories of a location, by name."""
    if order := call.query.get("orderBy"):
        raise invalid_argument(f"order_by {order!r}: the list is ordered by name only")
    parent, wanted = f"{location(call)}/{COLLECTION}", call.query.get("filter", "")
    page = paginate(
        partial(call.service.repositories.page, parent),
        call.query,
        "repositories",
        scope=f"{parent}?{wanted}",
        default=_PAGE,
        maximum=_MAX_PAGE,
        matches=_FILTER.compile(wanted),
    )
    return {**page, **({"repositories": [*map(_shown, page["repositories"])]} if page else {})}


def get(call: Registry) -> Json:
    """One repository."""
    return _shown(_required(call))


def patch(call: Registry) -> Json:
    """Change the fields of a repository that the mask names; without one, those of the body."""
    messages = api("artifactregistry", "v1")
    given = _given(call)
    text = call.query.get("updateMask") or ",".join(sorted(given))
    mask = FieldMask.parse(text, messages, "Repository")
    present = _required(call)
    wrong = [
        field
        for field in mask.outside(messages.fields("Repository") - _OUTPUT - _FIXED)
        if field not in _FIXED or given.get(field) != present.get(field)
    ]
    if wrong:
        raise invalid_argument(f"update_mask: {', '.join(wrong)} can't be changed.")

    def change(before: Json) -> Json:
        changed = messages.normal("Repository", mask.apply(before, given))
        return {**_checked(changed), "updateTime": timestamps.now()}

    return _shown(call.service.repositories.update(repository_name(call), change))


def delete(call: Registry) -> Json:
    """Delete a repository with its policy; the answer is an operation."""
    name = _required(call)["name"]
    call.service.repositories.delete(name)
    call.service.iam.policies.delete_prefix(name)
    return call.service.operations.start(location(call), DELETE, {"name": name}, version="v1")


def get_operation(call: Registry) -> Json:
    """One operation."""
    return call.service.operations.get(f"{location(call)}/operations/{call.path['operation']}")


def list_docker_images(call: Registry) -> Json:
    """Return the images of a repository: none, for nothing can be pushed to it."""
    _required(call)
    return {}


def _required(call: Registry) -> Json:
    name = repository_name(call)
    found = call.service.repositories.find(name)
    if found is None:
        raise not_found(f'Repository does not exist: "{name}" (or it may not be accessible).')
    return found


def _given(call: Registry) -> Json:
    messages = api("artifactregistry", "v1")
    messages.check("Repository", call.body, "repository")
    sent = {field: value for field, value in call.body.items() if field not in _OUTPUT}
    return messages.normal("Repository", sent)


def _checked(repository: Json) -> Json:
    """Return a repository as it is kept.

    Raises:
        ApiError: 400 for settings that are not valid, or not of its mode
    """
    check_labels(repository.get("labels", {}))
    for mode, config in _CONFIGS.items():
        if (config in repository) != (repository["mode"] == mode):
            raise bad_field(
                f"repository.{config}",
                f"{config} is for repositories of the mode {mode}, which need it: the mode is "
                f"{repository['mode']}",
            )
    for field, format_ in (("dockerConfig", "DOCKER"), ("mavenConfig", "MAVEN")):
        if repository.get(field) and repository["format"] != format_:
            raise bad_field(
                f"repository.{field}", f"{field} is for repositories of the format {format_}"
            )
    scans = {**repository.get("vulnerabilityScanningConfig", {}), **_scan_state(repository)}
    return {**repository, "vulnerabilityScanningConfig": scans}


def _scan_state(repository: Json) -> Json:
    if repository["format"] != "DOCKER":
        return {"enablementState": "SCANNING_UNSUPPORTED"}
    reason = f"API {_SCANS} is not enabled."
    return {"enablementState": "SCANNING_DISABLED", "enablementStateReason": reason}


def _shown(repository: Json) -> Json:
    """Return a repository as it is answered: with the address that images would have."""
    _, project, _, where, _, id_ = repository["name"].split("/")
    host = f"{where}-{repository['format'].lower()}.pkg.dev"
    return {**repository, "registryUri": f"{host}/{project.replace(':', '/')}/{id_}"}
