"""The methods of Artifact Registry, with their permissions and their names in audit logs.

Documented (https://cloud.google.com/artifact-registry/docs/audit-logging): the names and types. An
operation is read by those who list repositories, and is in no log.
"""

from emulator.core.method_table import DATA_READ, MethodTable, Row, policy_rows

_SERVICE = "google.devtools.artifactregistry.v1.ArtifactRegistry."
_PERMISSIONS = "artifactregistry.repositories"
_PROJECT = "projects/{p}"
_LOCATION = f"{_PROJECT}/locations/{{l}}"
_REPOSITORIES = f"{_LOCATION}/repositories"
_REPOSITORY = f"{_REPOSITORIES}/{{r}}"
_LIST_IMAGES = "artifactregistry.dockerimages.list"

TABLE = MethodTable(
    "artifactregistry.googleapis.com",
    (
        Row("GET", _REPOSITORIES, f"{_PERMISSIONS}.list", _PROJECT, f"{_SERVICE}ListRepositories"),
        Row(
            "POST",
            _REPOSITORIES,
            f"{_PERMISSIONS}.create",
            _PROJECT,
            f"{_SERVICE}CreateRepository",
            f"{_REPOSITORIES}/{{new}}",
            "repositoryId",
        ),
        Row("GET", _REPOSITORY, f"{_PERMISSIONS}.get", _REPOSITORY, f"{_SERVICE}GetRepository"),
        *(
            Row(verb, _REPOSITORY, f"{_PERMISSIONS}.{name}", _REPOSITORY, f"{_SERVICE}{title}")
            for verb, name, title in (
                ("PATCH", "update", "UpdateRepository"),
                ("DELETE", "delete", "DeleteRepository"),
            )
        ),
        *policy_rows(_REPOSITORY, _PERMISSIONS, _SERVICE),
        Row(
            "GET",
            f"{_REPOSITORY}/dockerImages",
            _LIST_IMAGES,
            _REPOSITORY,
            f"{_SERVICE}ListDockerImages",
        ),
        Row("GET", f"{_LOCATION}/operations/{{o}}", f"{_PERMISSIONS}.list", _PROJECT),
    ),
    types={_LIST_IMAGES: DATA_READ},
)
