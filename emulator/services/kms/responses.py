"""Handlers of Cloud KMS."""

from functools import partial
from typing import Any

from emulator.core.discovery import api
from emulator.core.errors import bad_field, invalid_argument
from emulator.core.resources.field_mask import FieldMask
from emulator.core.resources.labels import check_labels
from emulator.core.resources.paging import paginate
from emulator.core.rest import Call
from emulator.core.timestamps import parse_duration
from emulator.services.kms.models import Resource
from emulator.services.kms.service import Kms

_PATCHABLE = frozenset({"labels", "rotationPeriod", "nextRotationTime", "versionTemplate"})


def rings(call: Call[Kms]) -> str:
    """Return the collection of the key rings in the path."""
    project = call.service.projects.resolve(call.path["project"])
    return f"projects/{project}/locations/{call.path['location']}/keyRings"


def ring(call: Call[Kms]) -> str:
    """Return the full name of the key ring in the path."""
    return f"{rings(call)}/{call.path['ring']}"


def key(call: Call[Kms]) -> str:
    """Return the full name of the key in the path."""
    return f"{ring(call)}/cryptoKeys/{call.path['key']}"


def version(call: Call[Kms]) -> str:
    """Return the full name of the version in the path."""
    return f"{key(call)}/cryptoKeyVersions/{call.path['version']}"


def exists(call: Call[Kms], name: str) -> bool:
    """Whether a key ring or a key exists."""
    return call.service.keys.exists(name)


def create_ring(call: Call[Kms]) -> dict[str, Any]:
    """Create a key ring."""
    api("cloudkms", "v1").check("KeyRing", call.body)
    return call.service.keys.create(rings(call), call.query.get("keyRingId", ""), {})


def list_rings(call: Call[Kms]) -> dict[str, Any]:
    """Return the key rings of a location."""
    return _list(call, rings(call), "keyRings")


def get_ring(call: Call[Kms]) -> dict[str, Any]:
    """One key ring."""
    return call.service.keys.get(ring(call))


def create_key(call: Call[Kms]) -> dict[str, Any]:
    """Create a key, with its first version unless the query says otherwise."""
    messages = api("cloudkms", "v1")
    messages.check("CryptoKey", call.body)
    body = messages.normal("CryptoKey", call.body)
    check_labels(body.get("labels", {}))
    if not body.get("purpose"):
        raise invalid_argument("CryptoKey.purpose must be set, such as ENCRYPT_DECRYPT.")
    _check_duration(body.get("destroyScheduledDuration", "0s"))
    key = call.service.keys.create(
        f"{ring(call)}/cryptoKeys", call.query.get("cryptoKeyId", ""), _with_template(body)
    )
    if call.query.get("skipInitialVersionCreation") != "true":
        call.service.keys.add_version(key["name"])
    return call.service.keys.get(key["name"])


def _check_duration(text: str) -> None:
    try:
        parse_duration(text)
    except ValueError as error:
        raise bad_field("destroy_scheduled_duration", str(error)) from None


def _with_template(body: dict[str, Any]) -> dict[str, Any]:
    template = {"protectionLevel": "SOFTWARE", "algorithm": "GOOGLE_SYMMETRIC_ENCRYPTION"}
    return {
        "destroyScheduledDuration": "2592000s",
        **body,
        "versionTemplate": {**template, **body.get("versionTemplate", {})},
    }


def list_keys(call: Call[Kms]) -> dict[str, Any]:
    """Return the keys of a ring."""
    call.service.keys.get(ring(call))
    return _list(call, f"{ring(call)}/cryptoKeys", "cryptoKeys")


def get_key(call: Call[Kms]) -> dict[str, Any]:
    """One key."""
    return call.service.keys.get(key(call))


def patch_key(call: Call[Kms]) -> dict[str, Any]:
    """Change the fields of a key that the mask names."""
    messages = api("cloudkms", "v1")
    messages.check("CryptoKey", call.body)
    mask = FieldMask.parse(call.query.get("updateMask", ""), messages, "CryptoKey")
    if not mask.paths:
        raise invalid_argument("update_mask must be set.")
    if wrong := mask.outside(_PATCHABLE):
        raise invalid_argument(f"update_mask: {', '.join(wrong)} can't be changed.")
    body = messages.normal("CryptoKey", call.body)

    def change(present: Resource) -> Resource:
        changed = mask.apply(present, body)
        check_labels(changed.get("labels", {}))
        return changed

    return call.service.keys.update(key(call), change)


def create_version(call: Call[Kms]) -> dict[str, Any]:
    """Add a version to a key."""
    return call.service.keys.add_version(key(call))


def list_versions(call: Call[Kms]) -> dict[str, Any]:
    """Return the versions of a key."""
    call.service.keys.get(key(call))
    return _list(call, f"{key(call)}/cryptoKeyVersions", "cryptoKeyVersions")


def _list(call: Call[Kms], parent: str, field: str) -> dict[str, Any]:
    return paginate(
        partial(call.service.keys.page, parent),
        call.query,
        field,
        scope=parent,
        default=100,
        maximum=1000,
    )


def get_version(call: Call[Kms]) -> dict[str, Any]:
    """One version."""
    return call.service.keys.get(version(call))


def destroy_version(call: Call[Kms]) -> dict[str, Any]:
    """Schedule a version for destruction."""
    return call.service.keys.destroy(version(call))
