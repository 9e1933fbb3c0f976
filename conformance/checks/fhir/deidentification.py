"""Checks of the de-identification of FHIR stores."""

import base64
import json
import re
from functools import partial
from typing import Any

from conformance.check import Check, Lab
from conformance.checks.fhir.calls import call, observation, patient, put, store
from conformance.cloud_project import Json

_BIRTH = "1980-12-05"
_SHIFTED = re.compile(r"19(79|80|81)-\d\d-\d\d")
_NEW_ID = re.compile(r"[0-9a-f]{64}")
_HASH = {"cryptoHashConfig": {"cryptoKey": base64.b64encode(b"conformance-key-" * 2).decode()}}
"""With a key: a hash without one differs from copy to copy."""


def _copied(lab: Lab, config: dict[str, Any], number: str) -> Json:
    """De-identify a store with a patient and an observation; return both copies."""
    source = store(lab, "fhir-identified", disableReferentialIntegrity=True)
    name = {"family": "Sample", "given": ["Ann"], "use": "official"}
    identified = patient(
        "ann",
        name=[name],
        birthDate=_BIRTH,
        address=[{"city": "Anycity", "country": "US"}],
        extension=[{"url": "urn:conformance:x", "valueString": "Ann"}],
    )
    put(lab, identified, to=source)
    put(lab, observation("seen", "Patient/ann"), to=source)
    target = store(lab, f"fhir-copied-{number}", disableReferentialIntegrity=True)
    body = {"destinationStore": target, "config": config}
    done = lab.finish(lab.call("healthcare", "POST", f"v1beta1/{source}:deidentify", json=body))
    copies = [call(lab, "GET", path, to=target) for path in ("Patient", "Observation")]
    return [done, *_shown(copies)]


def _shown(copies: list[Json]) -> Json:
    """Return copies without the days that dates were shifted by, and without the new id."""
    for entry in copies[0]["body"].get("entry", []):
        resource = entry["resource"]
        date, id_ = resource.get("birthDate"), resource.get("id", "")
        if isinstance(date, str) and date != _BIRTH and _SHIFTED.fullmatch(date):
            resource["birthDate"] = "{shifted}"
        if _NEW_ID.fullmatch(id_):
            return json.loads(json.dumps(copies).replace(id_, "{new id}"))
    return copies


def _fields(*paths: str, **text: Any) -> dict[str, Any]:
    fields = {"fieldMetadataList": [{"paths": [*paths], "action": "TRANSFORM"}]}
    return {"fhir": fields, **({"text": {"additionalTransformations": [text]}} if text else {})}


_CONFIGS: dict[str, tuple[str, dict[str, Any]]] = {
    "fhir-deidentify": ("a copy with settings for nothing", {"fhir": {}}),
    "fhir-deidentify-default": ("a copy without settings for FHIR", {"text": {}}),
    "fhir-deidentify-basic": ("a copy by the profile BASIC", {"fhirFieldConfig": {}}),
    "fhir-deidentify-paths": ("a path to an element with fields", _fields("Patient.address")),
    "fhir-deidentify-transform": (
        "hashes of whole fields, also of dates",
        _fields("HumanName", "Date", **_HASH),
    ),
    "fhir-deidentify-ids": ("hashes of ids", _fields("Patient.id", **_HASH)),
}
CHECKS = tuple(
    Check(name, title, partial(_copied, config=config, number=name.rpartition("-")[2]))
    for name, (title, config) in _CONFIGS.items()
)
