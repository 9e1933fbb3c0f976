"""Keys of hashes and date shifts that come wrapped by a key of Cloud KMS.

https://cloud.google.com/healthcare-api/docs/reference/rest/v1/DeidentifyConfig#KmsWrappedCryptoKey
"""

import base64
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from emulator.discovery import snake_case
from emulator.errors import ApiError, bad_field
from emulator.healthcare import encryption
from emulator.healthcare.deidentify.config import KEY_BYTES, decoded

if TYPE_CHECKING:
    from emulator.cloud import Cloud

PERMISSION = "cloudkms.cryptoKeyVersions.useToDecrypt"
ROLE = "roles/cloudkms.cryptoKeyDecrypter"
WRAPPED, PLAIN = "kmsWrapped", "cryptoKey"


def unwrapped(cloud: "Cloud", project: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Give a DeidentifyConfig with the keys themselves in the places of the wrapped ones.

    What is unwrapped is never written down: a run that is taken up again unwraps anew.

    Args:
        cloud: the local cloud.
        project: whose service agent unwraps.
        settings: the DeidentifyConfig, which fits the schema.

    Raises:
        ApiError: 400 for a key that can't be unwrapped, 403 without the agent's right to.
    """

    def unwrap(wrapped: Mapping[str, Any], field: str) -> str:
        return base64.b64encode(_key(cloud, project, wrapped, field)).decode()

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


def _key(cloud: "Cloud", project: str, wrapped: Mapping[str, Any], field: str) -> bytes:
    content = decoded(wrapped.get("wrappedKey", ""), f"{field}.wrapped_key")
    if not content:
        raise bad_field(f"{field}.wrapped_key", f"{field}.wrapped_key is required")
    name = _full_name(cloud, wrapped.get("cryptoKey", ""), f"{field}.crypto_key")
    encryption.require_permission(cloud, project, name, PERMISSION, ROLE)
    try:
        key = cloud.ciphertexts.decrypt(name, content, b"").content
    except ApiError as error:
        raise ApiError(error.code, error.status, f"{field}: {error.message}") from error
    if len(key) not in KEY_BYTES:
        raise bad_field(
            f"{field}.wrapped_key",
            f"{field}.wrapped_key: the key in it is {len(key)} bytes long: 16, 24 or 32",
        )
    return key


def _full_name(cloud: "Cloud", name: str, field: str) -> str:
    parts = encryption.key_parts(name)
    if parts is None:
        raise bad_field(
            field, f"{field}: invalid KMS key name {name!r}: {encryption.FORM_OF_NAMES}"
        )
    parts[1] = cloud.projects.id_of(parts[1])
    full = "/".join(parts)
    if not cloud.keys.exists(full):
        raise bad_field(field, f"{field}: the KMS key {name} does not exist")
    return full
