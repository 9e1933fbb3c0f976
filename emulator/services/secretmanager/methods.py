"""The methods of Secret Manager, with their permissions and their names in audit logs.

Documented (https://cloud.google.com/secret-manager/docs/audit-logging): the names and types.
"""

from collections.abc import Iterator

from emulator.core.method_table import ADMIN_WRITE, DATA_READ, MethodTable, Row, policy_rows

_SERVICE = "google.cloud.secretmanager.v1.SecretManagerService."
_PROJECT = "projects/{p}"
_SECRETS, _VERSIONS = "secretmanager.secrets", "secretmanager.versions"
ADD, ACCESS = f"{_VERSIONS}.add", f"{_VERSIONS}.access"


def _rows(parent: str) -> Iterator[Row]:
    secrets = f"{parent}/secrets"
    secret = f"{secrets}/{{s}}"
    versions = f"{secret}/versions"
    version = f"{versions}/{{v}}"
    yield Row("GET", secrets, f"{_SECRETS}.list", _PROJECT, f"{_SERVICE}ListSecrets")
    yield Row(
        "POST",
        secrets,
        f"{_SECRETS}.create",
        _PROJECT,
        f"{_SERVICE}CreateSecret",
        f"{secrets}/{{new}}",
        "secretId",
    )
    yield Row("GET", secret, f"{_SECRETS}.get", secret, f"{_SERVICE}GetSecret")
    yield Row("PATCH", secret, f"{_SECRETS}.update", secret, f"{_SERVICE}UpdateSecret")
    yield Row("DELETE", secret, f"{_SECRETS}.delete", secret, f"{_SERVICE}DeleteSecret")
    yield from policy_rows(secret, _SECRETS, _SERVICE)
    yield Row("POST", f"{secret}:addVersion", ADD, secret, f"{_SERVICE}AddSecretVersion")
    yield Row("GET", versions, f"{_VERSIONS}.list", secret, f"{_SERVICE}ListSecretVersions")
    yield Row("GET", version, f"{_VERSIONS}.get", version, f"{_SERVICE}GetSecretVersion")
    yield Row("GET", f"{version}:access", ACCESS, version, f"{_SERVICE}AccessSecretVersion")
    for verb in ("enable", "disable", "destroy"):
        name = f"{_SERVICE}{verb.capitalize()}SecretVersion"
        yield Row("POST", f"{version}:{verb}", f"{_VERSIONS}.{verb}", version, name)


TABLE = MethodTable(
    "secretmanager.googleapis.com",
    (*_rows(_PROJECT), *_rows(f"{_PROJECT}/locations/{{l}}")),
    types={ADD: ADMIN_WRITE, ACCESS: DATA_READ},
)
