"""Rules for what settings refer to: topics, keys, buckets, tables, and texts of a fixed form.

Sources: the REST references of Pub/Sub, Cloud KMS, Cloud Storage (bucket naming) and the Cloud
Healthcare API (URIs of BigQuery tables and datasets).
"""

import base64 as encoding
import binascii
import json
import re
from urllib.parse import urlsplit

_PROJECT = r"[a-z][a-z0-9.:-]{4,62}[a-z0-9]"
_PUBSUB_ID = r"(?!goog)[A-Za-z][\w.~+%-]{2,254}"
_KMS_ID = r"[A-Za-z0-9_-]{1,63}"
_KMS_KEY = re.compile(
    rf"projects/{_PROJECT}/locations/[a-z0-9-]+/keyRings/{_KMS_ID}/cryptoKeys/{_KMS_ID}"
)
_TOPIC = re.compile(rf"{_PUBSUB_ID}|projects/{_PROJECT}/topics/{_PUBSUB_ID}", re.ASCII)
_BUCKET = re.compile(r"(?!goog)[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]")
_TABLE = re.compile(rf"[\w-]{{1,1024}}|bq://{_PROJECT}\.\w{{1,1024}}\.[\w-]{{1,1024}}", re.ASCII)
_DATASET_URI = re.compile(rf"bq://{_PROJECT}\.\w{{1,1024}}", re.ASCII)
_DURATION = re.compile(r"\d+(?:\.\d{1,9})?s")
_SECONDS_A_DAY = 86_400
OWN_DATASET = "bigqueryDataset"
"""How a stream names the stack's own BigQuery dataset."""


def pubsub_id(value: str) -> str | None:
    """Return the id of a topic or a subscription."""
    if re.fullmatch(_PUBSUB_ID, value, re.ASCII):
        return None
    return (
        "is not an id of Pub/Sub. Allowed: 3 to 255 letters, digits and -_.~+%, beginning with a "
        "letter, and not with goog."
    )


def topic(value: str) -> str | None:
    """One of the stack's topics by its name, or any other by its full name."""
    if _TOPIC.fullmatch(value):
        return None
    return (
        "is not a topic. Allowed: the name of one under `topics`, or projects/PROJECT/topics/TOPIC."
    )


def push_endpoint(value: str) -> str | None:
    """Where Pub/Sub may post to: HTTPS, or HTTP on the machine itself."""
    parts = urlsplit(value)
    local = parts.hostname in ("127.0.0.1", "localhost", "::1")
    if parts.hostname and (parts.scheme == "https" or (parts.scheme == "http" and local)):
        return None
    return "is not an endpoint for messages. Allowed: https://HOST/PATH."


def kms_id(value: str) -> str | None:
    """Return the id of a key ring or a key."""
    if re.fullmatch(_KMS_ID, value):
        return None
    return "is not an id of Cloud KMS. Allowed: 1 to 63 of a-z, A-Z, 0-9, underscores and hyphens."


def kms_key_name(value: str) -> str | None:
    """Return the full name of a key, without a version."""
    if _KMS_KEY.fullmatch(value):
        return None
    return (
        "is not the full name of a key. Allowed: "
        "projects/PROJECT/locations/LOCATION/keyRings/RING/cryptoKeys/KEY, without a version."
    )


def kms_key_name_or_none(value: str) -> str | None:
    """Return the full name of a key, or an empty text for none."""
    return kms_key_name(value) if value else None


def kms_location(key: str) -> str:
    """Return the location in the full name of a key."""
    return key.split("/")[3]


def bucket(value: str) -> str | None:
    """Return the name of a bucket, without gs://."""
    if _BUCKET.fullmatch(value):
        return None
    bare = value.removeprefix("gs://").partition("/")[0]
    hint = f' Did you mean "{bare}"?' if value.startswith("gs://") and bare else ""
    return (
        f"is not the name of a bucket.{hint} Allowed: 3 to 222 lower-case letters, digits, "
        "hyphens, underscores and dots, without gs://."
    )


def table(value: str) -> str | None:
    """Return a table of the stack's BigQuery dataset by its name, or any by its URI."""
    if _TABLE.fullmatch(value):
        return None
    return "is not a table. Allowed: the name of a table, or bq://PROJECT.DATASET.TABLE."


def dataset_uri(value: str) -> str | None:
    """Return the stack's own BigQuery dataset, or any by its URI."""
    if value == OWN_DATASET or _DATASET_URI.fullmatch(value):
        return None
    return f"is not a BigQuery dataset. Allowed: {OWN_DATASET}, or bq://PROJECT.DATASET."


def duration(value: str) -> str | None:
    """Return a duration as Google's APIs write it."""
    if _DURATION.fullmatch(value):
        return None
    return 'is not a duration. Allowed: seconds, ended by "s", such as 86400s.'


def rotation_period(value: str) -> str | None:
    """Return the rotation period of a key: a day at least, as the Google provider has it."""
    if _DURATION.fullmatch(value) and float(value[:-1]) >= _SECONDS_A_DAY:
        return None
    return 'is not a rotation period. Allowed: seconds, ended by "s", at least 86400s.'


def base64(value: str) -> str | None:
    """Bytes in base64."""
    try:
        encoding.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return "is not base64. Allowed: the bytes in base64, such as DQ== for a carriage return."
    return None


def json_object(value: str) -> str | None:
    """Return a JSON object as text."""
    try:
        parsed = json.loads(value)
    except ValueError as error:
        return f"is not JSON: {error}. Allowed: an object as JSON text."
    return None if isinstance(parsed, dict) else "is not a JSON object. Allowed: {...} as text."
