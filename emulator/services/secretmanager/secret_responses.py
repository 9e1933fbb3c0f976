"""Requests and answers about secrets.

Documented: https://cloud.google.com/secret-manager/docs/reference/rest/v1/projects.secrets.
"""

from datetime import UTC, datetime
from functools import partial
from typing import Any

from emulator.core import timestamps
from emulator.core.discovery import api
from emulator.core.errors import invalid_argument, unimplemented
from emulator.core.resources.field_mask import FieldMask
from emulator.core.resources.paging import paginate
from emulator.core.rest import Call
from emulator.services.secretmanager import validation
from emulator.services.secretmanager.filters import SECRETS, filterable
from emulator.services.secretmanager.models import Secret
from emulator.services.secretmanager.service import SecretManager

DEFAULT_PAGE, MAX_PAGE = 25_000, 25_000
_OUTPUT = frozenset({"name", "createTime", "etag", "policyMember"})
_PATCHABLE = frozenset(
    {
        "annotations",
        "customerManagedEncryption",
        "etag",
        "expireTime",
        "labels",
        "replication",
        "rotation",
        "topics",
        "ttl",
        "versionAliases",
        "versionDestroyTtl",
    }
)

Manager = Call[SecretManager]


def parent(call: Manager) -> str:
    """Return the project in the path, by its number, or its location."""
    project = call.service.projects.resolve(call.path["project"])
    location = call.path.get("location")
    number = call.service.projects.number_of(project)
    return f"projects/{number}" + (f"/locations/{location}" if location else "")


def secret_name(call: Manager) -> str:
    """Return the full name of the secret in the path."""
    return f"{parent(call)}/secrets/{call.path['secret']}"


def policy_name(call: Manager) -> str:
    """Return the name of the secret in the path as policies have it."""
    return call.service.secrets.in_policies(secret_name(call))


def exists(call: Manager, _name: str) -> bool:
    """Whether the secret in the path exists."""
    return call.service.secrets.find(secret_name(call)) is not None


def create(call: Manager) -> Secret:
    """Create a secret, without versions."""
    id_ = call.query.get("secretId", "")
    validation.check_id(id_)
    secret = _aliased(_given(call))
    if "secretType" in secret:
        raise unimplemented("Secrets with a secret_type are not served by the local Google Cloud.")
    validation.check_secret(secret, is_regional="location" in call.path)
    validation.check_next_rotation(secret.get("rotation"))
    whole = validation.expiry(secret, _moment)
    whole.pop("tags", None)  # input only
    return call.service.secrets.create(f"{parent(call)}/secrets/{id_}", whole)


def list_secrets(call: Manager) -> dict[str, Any]:
    """Return the secrets of a project or a location, the newest first."""
    owner = parent(call)
    wanted = call.query.get("filter", "")
    matches = SECRETS.compile(wanted)
    page = paginate(
        partial(call.service.secrets.page, owner),
        call.query,
        "secrets",
        scope=f"{owner}/secrets?{wanted}",
        default=DEFAULT_PAGE,
        maximum=MAX_PAGE,
        matches=lambda secret: matches(filterable(secret)),
    )
    total = 0 if wanted else call.service.secrets.total(owner)
    return {**page, "totalSize": total} if total else page


def get(call: Manager) -> Secret:
    """One secret, without its payloads."""
    return call.service.secrets.get(secret_name(call))


def patch(call: Manager) -> Secret:
    """Change the fields of a secret that the mask names."""
    messages = api("secretmanager", "v1")
    given = _given(call)
    mask = FieldMask.parse(call.query.get("updateMask", ""), messages, "Secret")
    if not mask.paths:
        raise invalid_argument("update_mask must be set.")
    if wrong := mask.outside(_PATCHABLE):
        raise invalid_argument(f"update_mask: {', '.join(wrong)} can't be changed.")
    if "rotation" in mask.fields:
        validation.check_next_rotation(given.get("rotation"))

    def change(present: Secret) -> Secret:
        changed = _aliased(messages.normal("Secret", mask.apply(present, given)))
        if "ttl" in mask.fields and "expireTime" not in mask.fields:
            changed.pop("expireTime", None)
        if {"ttl", "expireTime"} & mask.fields:
            changed = validation.expiry(changed, _moment)
        _check_immutable(present, changed)
        validation.check_secret(changed, is_regional="location" in call.path)
        return {**changed, "name": present["name"], "createTime": present["createTime"]}

    etag = str(call.body.get("etag", ""))
    return call.service.secrets.update(secret_name(call), etag, change)


def delete(call: Manager) -> dict[str, Any]:
    """Delete a secret with its versions."""
    call.service.secrets.delete(secret_name(call), call.query.get("etag", ""))
    return {}


def _given(call: Manager) -> Secret:
    messages = api("secretmanager", "v1")
    messages.check("Secret", call.body, "secret")
    sent = {field: value for field, value in call.body.items() if field not in _OUTPUT}
    return messages.normal("Secret", sent)


def _aliased(secret: Secret) -> Secret:
    """Return a secret whose aliases are numbers as text, as the API writes int64."""
    if "versionAliases" not in secret:
        return secret
    aliases = {alias: str(number) for alias, number in secret["versionAliases"].items()}
    return {**secret, "versionAliases": aliases}


def _check_immutable(present: Secret, changed: Secret) -> None:
    """Refuse another replication; its keys may change.

    Raises:
        ApiError: 400
    """
    if _replica_locations(present) != _replica_locations(changed):
        raise invalid_argument("update_mask: the replication of a secret can't be changed.")


def _replica_locations(secret: Secret) -> Any:
    replication = secret.get("replication", {})
    managed = replication.get("userManaged", {})
    return [*replication], [one.get("location") for one in managed.get("replicas", [])]


def _moment(seconds: float) -> str:
    # Without a fraction where there is none, as Protocol Buffers write it: programs compare it.
    return timestamps.to_rfc3339(datetime.fromtimestamp(seconds, UTC), "auto")
