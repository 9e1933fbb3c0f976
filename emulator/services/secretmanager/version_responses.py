"""Requests and answers about versions of secrets.

Documented: https://cloud.google.com/secret-manager/docs/reference/rest/v1/projects.secrets.versions
and https://cloud.google.com/secret-manager/docs/data-integrity (the checksum). A payload is in no
error and no log.

Inferred (conformance: secret-payload-text, secret-checksum-text): the texts of refusals.
"""

from functools import partial
from typing import Any

import google_crc32c

from emulator.core.discovery import api
from emulator.core.errors import bad_field
from emulator.core.json_bytes import decode_bytes, encode_bytes
from emulator.core.resources.paging import paginate
from emulator.core.rest import Call
from emulator.services.secretmanager.filters import VERSIONS, filterable
from emulator.services.secretmanager.models import Secret
from emulator.services.secretmanager.secret_responses import DEFAULT_PAGE, MAX_PAGE, secret_name
from emulator.services.secretmanager.service import SecretManager
from emulator.services.secretmanager.versions import DISABLED, ENABLED, Version

MAX_PAYLOAD_BYTES = 64 << 10

Manager = Call[SecretManager]


def name(call: Manager) -> str:
    """Return the full name of the version in the path, as the request names it."""
    return f"{secret_name(call)}/versions/{call.path['version']}"


def add(call: Manager) -> Version:
    """Add a version with a payload."""
    secret = call.service.secrets.get(secret_name(call))
    content, is_checked = _payload(call.body)
    status = {"replicationStatus": _replication_status(secret)} if "replication" in secret else {}
    checked = {"clientSpecifiedPayloadChecksum": True} if is_checked else {}
    return call.service.versions.add(secret["name"], content, {**status, **checked})


def list_versions(call: Manager) -> dict[str, Any]:
    """Return the versions of a secret, the newest first."""
    secret = call.service.secrets.get(secret_name(call))["name"]
    wanted = call.query.get("filter", "")
    matches = VERSIONS.compile(wanted)
    page = paginate(
        partial(call.service.versions.page, secret),
        call.query,
        "versions",
        scope=f"{secret}/versions?{wanted}",
        default=DEFAULT_PAGE,
        maximum=MAX_PAGE,
        matches=lambda version: matches(filterable(version)),
    )
    total = 0 if wanted else call.service.versions.total(secret)
    return {**page, "totalSize": total} if total else page


def get(call: Manager) -> Version:
    """Return a version without its payload, by number, by alias or as `latest`."""
    return call.service.versions.get(name(call))


def access(call: Manager) -> dict[str, Any]:
    """Return the payload of a version, by number, by alias or as `latest`."""
    payload = call.service.versions.access(name(call))
    checksum = str(google_crc32c.value(payload.content))
    data = encode_bytes(payload.content)
    return {"name": payload.version, "payload": {"data": data, "dataCrc32c": checksum}}


def enable(call: Manager) -> Version:
    """Enable a version."""
    return call.service.versions.set_state(name(call), _etag(call, "Enable"), ENABLED)


def disable(call: Manager) -> Version:
    """Disable a version: it can't be accessed until it is enabled again."""
    return call.service.versions.set_state(name(call), _etag(call, "Disable"), DISABLED)


def destroy(call: Manager) -> Version:
    """Destroy a version: its payload is deleted."""
    return call.service.versions.destroy(name(call), _etag(call, "Destroy"))


def _etag(call: Manager, verb: str) -> str:
    api("secretmanager", "v1").check(f"{verb}SecretVersionRequest", call.body)
    return str(call.body.get("etag", ""))


def _payload(body: dict[str, Any]) -> tuple[bytes, bool]:
    """Read the payload of a request; and whether its checksum was sent, and is right.

    Raises:
        ApiError: 400; its text has nothing of the payload
    """
    payload = {} if body.get("payload") is None else body["payload"]
    # The check of the message would repeat a wrong value.
    if not isinstance(payload, dict):
        raise bad_field("payload", "Invalid value at 'payload': it is not a message")
    data = payload.get("data")
    if data is not None and not isinstance(data, str):
        raise bad_field("payload.data", "Invalid value at 'payload.data' (TYPE_BYTES)")
    api("secretmanager", "v1").check("AddSecretVersionRequest", body)
    try:
        content = decode_bytes(data or "")
    except ValueError:
        raise bad_field(
            "payload.data", "Invalid value at 'payload.data' (TYPE_BYTES), Base64 decoding failed"
        ) from None
    if not content:
        raise bad_field("payload.data", "Secret Payload cannot be empty.")
    if len(content) > MAX_PAYLOAD_BYTES:
        raise bad_field(
            "payload.data",
            f"The payload is {len(content)} bytes long: at most {MAX_PAYLOAD_BYTES}.",
        )
    checksum = payload.get("dataCrc32c")
    if checksum is not None and int(checksum) != google_crc32c.value(content):
        raise bad_field(
            "payload.data_crc32c", "The checksum data_crc32c does not match the payload's data."
        )
    return content, checksum is not None


def _replication_status(secret: Secret) -> dict[str, Any]:
    managed = secret["replication"].get("userManaged")
    if managed is None:
        return {"automatic": {}}
    replicas = [{"location": replica["location"]} for replica in managed["replicas"]]
    return {"userManaged": {"replicas": replicas}}
