"""Keys of hashes and date shifts, wrapped by a key of Cloud KMS.

https://cloud.google.com/healthcare-api/docs/reference/rest/v1/DeidentifyConfig#KmsWrappedCryptoKey
"""

import base64
from collections.abc import Callable, Mapping
from typing import Any

from emulator.core.discovery import snake_case
from emulator.core.errors import ApiError, bad_field
from emulator.services.healthcare.context import HealthcareContext
from emulator.services.healthcare.deidentify.config import KEY_BYTES, decoded
from emulator.services.healthcare.stores import cmek

PERMISSION = "cloudkms.cryptoKeyVersions.useToDecrypt"
ROLE = "roles/cloudkms.cryptoKeyDecrypter"
WRAPPED, PLAIN = "kmsWrapped", "cryptoKey"


def unwrap_keys(
    context: HealthcareContext, project: str, settings: Mapping[str, Any]
) -> dict[str, Any]:
    """Return a DeidentifyConfig with its wrapped keys unwrapped.

    Unwrapped keys are never stored: an operation that continues unwraps them again.

    Args:
        context: decrypts with the keys
        project: its service agent decrypts
        settings: the DeidentifyConfig, which fits the schema

    Raises:
        ApiError: 400 for a key that can't be unwrapped, 403 if the agent may not decrypt
    """

    def unwrap(wrapped: Mapping[str, Any], field: str) -> str:
        return base64.b64encode(_key(context, project, wrapped, field)).decode()

    plain: dict[str, Any] = _replaced(settings, "config", unwrap)
    return plain


def _replaced(node: Any, field: str, unwrap: Callable[[Mapping[str, Any], str], str]) -> Any:
    if isinstance(node, list):
        return [_replaced(one, f"{field}[{index}]", unwrap) for index, one in enumerate(node)]
    if not isinstance(node, Mapping):
        return node
    if WRAPPED in node and node.get(PLAIN):
        raise bad_field(field, f"{field}: crypto_key and kms_wrapped can't both be set")
    changed: dict[str, Any] = {}
    for name, value in node.items():
        below = f"{field}.{snake_case(name)}"
        if name == WRAPPED:
            changed[PLAIN] = unwrap(value, below)
        elif name not in changed:
            changed[name] = _replaced(value, below, unwrap)
    return changed


def _key(context: HealthcareContext, project: str, wrapped: Mapping[str, Any], field: str) -> bytes:
    content = decoded(wrapped.get("wrappedKey", ""), f"{field}.wrapped_key")
    if not content:
        raise bad_field(f"{field}.wrapped_key", f"{field}.wrapped_key is required")
    name = _full_name(context, wrapped.get("cryptoKey", ""), f"{field}.crypto_key")
    context.agent.require_on_key(project, name, PERMISSION, ROLE)
    try:
        key = context.kms.ciphertexts.decrypt(name, content, b"").content
    except ApiError as error:
        raise ApiError(error.code, error.status, f"{field}: {error.message}") from error
    if len(key) not in KEY_BYTES:
        raise bad_field(
            f"{field}.wrapped_key",
            f"{field}.wrapped_key: the key in it is {len(key)} bytes long: 16, 24 or 32",
        )
    return key


def _full_name(context: HealthcareContext, name: str, field: str) -> str:
    parts = cmek.key_parts(name)
    if parts is None:
        raise bad_field(field, f"{field}: invalid KMS key name {name!r}: {cmek.KEY_NAME_FORMAT}")
    parts[1] = context.stores.projects.id_of(parts[1])
    full = "/".join(parts)
    if not context.kms.keys.exists(full):
        raise bad_field(field, f"{field}: the KMS key {name} does not exist")
    return full
