"""Requests and answers of consent artifacts: the proof of a user's consent.

Documented (the reference of `Image`): an image comes as bytes or as an object of Cloud Storage,
which the service agent copies; `get` alone returns its bytes. Observed
(https://github.com/googleapis/google-api-go-client/issues/826): user ids have no form here, and
`signatureTime` may be an object of `seconds` and `nanos`, as in Google's instructions. Inferred
(conformance: consent-artifact-text, consent-artifact-in-use): the texts of refusals.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from emulator.core.errors import bad_field, failed_precondition, invalid_argument
from emulator.core.json_bytes import decode_bytes, encode_bytes
from emulator.core.resource_name import ResourceName
from emulator.core.rest import Call
from emulator.core.timestamps import to_rfc3339
from emulator.services.healthcare.clients import agent_reads
from emulator.services.healthcare.consents import filters, revisions
from emulator.services.healthcare.consents.models import ARTIFACTS, Json
from emulator.services.healthcare.consents.requests import (
    body_of,
    check_text,
    listed,
    new_name,
)
from emulator.services.healthcare.consents.service import Consents
from emulator.services.healthcare.store_service import store_of

_SIGNATURES = {
    "userSignature": "user_signature",
    "guardianSignature": "guardian_signature",
    "witnessSignature": "witness_signature",
}
_SCREENSHOTS = "consentContentScreenshots"


def create(call: Call[Consents]) -> dict[str, Any]:
    """Store an artifact, with copies of its images."""
    store = store_of(call)
    for name in (*_SIGNATURES, *_SIGNATURES.values()):
        _write_time(call.body.get(name))
    artifact = {**body_of(call, "ConsentArtifact"), "name": new_name(ARTIFACTS, store)}
    check_text(artifact.get("userId", ""), "consent_artifact.user_id")
    for field, path in _SIGNATURES.items():
        _check_signature(artifact.get(field), f"consent_artifact.{path}")
    images = {
        path: encode_bytes(_content(call, store, image, path))
        for path, image in _images(artifact)
        if image
    }
    for _, image in _images(artifact):
        image.clear()
    with call.service.records.change(store) as connection:
        ARTIFACTS.put(connection, store, artifact, images=json.dumps(images))
    return artifact


def get(call: Call[Consents]) -> dict[str, Any]:
    """One artifact, with the bytes of its images."""
    store = store_of(call)
    with call.service.records.read() as connection:
        row = ARTIFACTS.get(connection, store, call.path["artifact"])
    artifact: dict[str, Any] = json.loads(row["body"])
    contents = json.loads(row["images"])
    for path, image in _images(artifact):
        if path in contents:
            image["rawBytes"] = contents[path]
    return artifact


def list_artifacts(call: Call[Consents]) -> dict[str, Any]:
    """Return the artifacts of a store, without the bytes of their images."""
    return listed(call, ARTIFACTS, filters.artifacts)


def delete(call: Call[Consents]) -> dict[str, Any]:
    """Delete an artifact that no consent needs."""
    store, artifact_id = store_of(call), call.path["artifact"]
    with call.service.records.change(store) as connection:
        if revisions.has_artifact(connection, store, artifact_id):
            raise failed_precondition(
                f"consent artifact {ARTIFACTS.resource_name(store, artifact_id)} can't be deleted: "
                "the latest revision of a consent refers to it"
            )
        ARTIFACTS.delete(connection, store, artifact_id)
    return {}


def _images(artifact: Mapping[str, Any]) -> Iterator[tuple[str, Json]]:
    """Yield the images of an artifact, each with the path of its field."""
    for field, path in _SIGNATURES.items():
        if "image" in artifact.get(field, {}):
            yield f"consent_artifact.{path}.image", artifact[field]["image"]
    for index, image in enumerate(artifact.get(_SCREENSHOTS, [])):
        yield f"consent_artifact.consent_content_screenshots[{index}]", image


def _content(call: Call[Consents], store: str, image: Mapping[str, str], path: str) -> bytes:
    if "rawBytes" in image and "gcsUri" in image:
        raise invalid_argument(f"{path}: raw_bytes and gcs_uri can't both be set")
    if "gcsUri" in image:
        service, project = call.service, ResourceName.parse(store).project
        return agent_reads.read_object(
            service.agent, service.settings.storage_url, project, image["gcsUri"], f"{path}.gcs_uri"
        )
    field = f"{path}.raw_bytes"
    try:
        return decode_bytes(image["rawBytes"])
    except ValueError:
        text = f"Invalid value at '{field}' (TYPE_BYTES), Base64 decoding failed"
        raise bad_field(field, text) from None


def _check_signature(signature: Mapping[str, Any] | None, path: str) -> None:
    if signature is None:
        return
    check_text(signature.get("userId", ""), f"{path}.user_id")
    time = signature.get("signatureTime")
    try:
        datetime.fromisoformat(time or "2000-01-01")
    except ValueError:
        field = f"{path}.signature_time"
        raise bad_field(field, f"Invalid value at '{field}' (TYPE_TIMESTAMP), {time!r}") from None


def _write_time(signature: object) -> None:
    """Write the time of a signature that is an object of seconds as RFC 3339."""
    if not isinstance(signature, dict):
        return
    for name in ("signatureTime", "signature_time"):
        time = signature.get(name)
        if not isinstance(time, dict) or not time.keys() <= {"seconds", "nanos"}:
            continue
        try:
            seconds = int(time.get("seconds", 0)) + int(time.get("nanos", 0)) // 1000 / 1_000_000
            signature[name] = to_rfc3339(datetime.fromtimestamp(seconds, UTC))
        except (ValueError, TypeError, OverflowError, OSError):
            continue  # the check of the schema names it
