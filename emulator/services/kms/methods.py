"""The methods of Cloud KMS, with their permissions and their names in audit logs.

Documented (https://cloud.google.com/kms/docs/audit-logging): the names, which lack the service, and
the types.
"""

from emulator.core.method_table import DATA_READ, MethodTable, Row, policy_rows

_PROJECT = "projects/{p}"
_RINGS = f"{_PROJECT}/locations/{{l}}/keyRings"
_RING = f"{_RINGS}/{{r}}"
_KEYS = f"{_RING}/cryptoKeys"
_KEY = f"{_KEYS}/{{k}}"
_VERSIONS = f"{_KEY}/cryptoKeyVersions"
_VERSION = f"{_VERSIONS}/{{v}}"
_ENCRYPT, _DECRYPT = (
    "cloudkms.cryptoKeyVersions.useToEncrypt",
    "cloudkms.cryptoKeyVersions.useToDecrypt",
)
_MONITORED_RING = "projects/{project_id}/locations/{location}/keyRings/{key_ring_id}"
_MONITORED_KEY = f"{_MONITORED_RING}/cryptoKeys/{{crypto_key_id}}"

TABLE = MethodTable(
    "cloudkms.googleapis.com",
    (
        Row("GET", _RINGS, "cloudkms.keyRings.list", _PROJECT, "ListKeyRings"),
        Row(
            "POST",
            _RINGS,
            "cloudkms.keyRings.create",
            _PROJECT,
            "CreateKeyRing",
            f"{_RINGS}/{{new}}",
            "keyRingId",
        ),
        Row("GET", _RING, "cloudkms.keyRings.get", _RING, "GetKeyRing"),
        *policy_rows(_RING, "cloudkms.keyRings", service=""),
        Row("GET", _KEYS, "cloudkms.cryptoKeys.list", _RING, "ListCryptoKeys"),
        Row(
            "POST",
            _KEYS,
            "cloudkms.cryptoKeys.create",
            _RING,
            "CreateCryptoKey",
            f"{_KEYS}/{{new}}",
            "cryptoKeyId",
        ),
        Row("GET", _KEY, "cloudkms.cryptoKeys.get", _KEY, "GetCryptoKey"),
        Row("PATCH", _KEY, "cloudkms.cryptoKeys.update", _KEY, "UpdateCryptoKey"),
        *policy_rows(_KEY, "cloudkms.cryptoKeys", service=""),
        Row("POST", f"{_KEY}:encrypt", _ENCRYPT, _KEY, "Encrypt"),
        Row("POST", f"{_KEY}:decrypt", _DECRYPT, _KEY, "Decrypt"),
        Row("GET", _VERSIONS, "cloudkms.cryptoKeyVersions.list", _KEY, "ListCryptoKeyVersions"),
        Row("POST", _VERSIONS, "cloudkms.cryptoKeyVersions.create", _KEY, "CreateCryptoKeyVersion"),
        Row(
            "GET", _VERSION, "cloudkms.cryptoKeyVersions.get", _KEY, "GetCryptoKeyVersion", _VERSION
        ),
        Row("POST", f"{_VERSION}:encrypt", _ENCRYPT, _KEY, "Encrypt", _VERSION),
        Row(
            "POST",
            f"{_VERSION}:destroy",
            "cloudkms.cryptoKeyVersions.destroy",
            _KEY,
            "DestroyCryptoKeyVersion",
            _VERSION,
        ),
    ),
    types={_ENCRYPT: DATA_READ, _DECRYPT: DATA_READ},
    monitored=(
        (
            f"{_MONITORED_KEY}/cryptoKeyVersions/{{crypto_key_version_id}}",
            "cloudkms_cryptokeyversion",
        ),
        (_MONITORED_KEY, "cloudkms_cryptokey"),
        (_MONITORED_RING, "cloudkms_keyring"),
    ),
)
