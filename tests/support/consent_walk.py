"""The part of the walk through the Healthcare API that calls every method of consent stores."""

from collections.abc import Callable
from typing import Any

import httpx

from tests.support.consent_store import USER, policy
from tests.support.schema_walk import Walk

_STORES = "projects.locations.datasets.consentStores"
_DEFINITIONS = f"{_STORES}.attributeDefinitions"
_ARTIFACTS = f"{_STORES}.consentArtifacts"
_CONSENTS = f"{_STORES}.consents"
_MAPPINGS = f"{_STORES}.userDataMappings"
_STORE = ("d", "s")


def walk_consents(
    walk: Walk, bucket: str, finish: Callable[[httpx.Response], dict[str, Any]]
) -> None:
    """Call each method; `finish` waits for an operation."""
    for name, category, values in (
        ("kind", "RESOURCE", ["image", "report"]),
        ("purpose", "REQUEST", ["care"]),
    ):
        body = {"category": category, "allowedValues": values}
        query = {"attributeDefinitionId": name}
        walk(f"{_DEFINITIONS}.create", *_STORE, body=body, params=query)
    change = {"description": "what the data is", "dataMappingDefaultValue": "image"}
    mask = {"updateMask": "description,dataMappingDefaultValue"}
    changed = walk(f"{_DEFINITIONS}.patch", *_STORE, "kind", body=change, params=mask).json()
    assert walk(f"{_DEFINITIONS}.get", *_STORE, "kind").json() == changed
    artifact = _walk_artifacts(walk)
    consent = _walk_consent(walk, artifact)
    mappings = [_mapping(walk, data_id) for data_id in ("scan", "letter")]
    fields = {"resourceAttributes": [{"attributeDefinitionId": "kind", "values": ["report"]}]}
    mask = {"updateMask": "resourceAttributes"}
    walk(f"{_MAPPINGS}.patch", *_STORE, mappings[1], body=fields, params=mask)
    assert walk(f"{_MAPPINGS}.get", *_STORE, mappings[1]).json()["resourceAttributes"]
    _walk_determinations(walk, bucket, finish)
    for method in (_DEFINITIONS, _ARTIFACTS, _CONSENTS, _MAPPINGS):
        assert walk(f"{method}.list", *_STORE, params={"pageSize": "1"}).json()
    walk(f"{_MAPPINGS}.archive", *_STORE, mappings[1], body={})
    for mapping in mappings:
        walk(f"{_MAPPINGS}.delete", *_STORE, mapping)
    walk(f"{_CONSENTS}.revoke", *_STORE, consent, body={})
    walk(f"{_CONSENTS}.delete", *_STORE, consent)
    walk(f"{_ARTIFACTS}.delete", *_STORE, artifact.rpartition("/")[2])
    walk(f"{_DEFINITIONS}.delete", *_STORE, "kind")


def _walk_artifacts(walk: Walk) -> str:
    image = {"rawBytes": "QQ=="}
    signature = {"userId": USER, "image": image, "signatureTime": "2026-01-31T00:00:00Z"}
    body = {"userId": USER, "userSignature": signature, "consentContentScreenshots": [image]}
    body["metadata"] = {"locale": "de"}
    name = str(walk(f"{_ARTIFACTS}.create", *_STORE, body=body).json()["name"])
    found = walk(f"{_ARTIFACTS}.get", *_STORE, name.rpartition("/")[2]).json()
    assert found["consentContentScreenshots"] == [image]
    walk(f"{_ARTIFACTS}.create", *_STORE, body={"userId": USER})
    return name


def _walk_consent(walk: Walk, artifact: str) -> str:
    """Return the id of a consent that is active at the end, after a draft that is rejected."""
    body = {"userId": USER, "state": "DRAFT", "policies": [policy("purpose == 'care'", "image")]}
    drafts = [walk(f"{_CONSENTS}.create", *_STORE, body=body).json() for _ in range(2)]
    rejected, consent = (str(one["name"]).rpartition("/")[2] for one in drafts)
    walk(f"{_CONSENTS}.reject", *_STORE, rejected, body={})
    walk(f"{_CONSENTS}.delete", *_STORE, rejected)
    proof = {"consentArtifact": artifact, "ttl": "3600s"}
    walk(f"{_CONSENTS}.activate", *_STORE, consent, body=proof)
    metadata, mask = {"metadata": {"site": "ward"}}, {"updateMask": "metadata"}
    latest = walk(f"{_CONSENTS}.patch", *_STORE, consent, body=metadata, params=mask).json()
    listed = walk(f"{_CONSENTS}.listRevisions", *_STORE, consent).json()["consents"]
    assert [one["state"] for one in listed] == ["ACTIVE", "ACTIVE", "DRAFT"]
    first = f"{consent}@{listed[-1]['revisionId']}"
    walk(f"{_CONSENTS}.deleteRevision", *_STORE, first)
    assert walk(f"{_CONSENTS}.get", *_STORE, consent).json() == latest
    return consent


def _mapping(walk: Walk, data_id: str) -> str:
    body = {"userId": USER, "dataId": data_id}
    created = walk(f"{_MAPPINGS}.create", *_STORE, body=body).json()
    return str(created["name"]).rpartition("/")[2]


def _walk_determinations(
    walk: Walk, bucket: str, finish: Callable[[httpx.Response], dict[str, Any]]
) -> None:
    use = {"requestAttributes": {"purpose": "care"}}
    full = {"responseView": "FULL", **use}
    checked = walk(f"{_STORES}.checkDataAccess", *_STORE, body={"dataId": "scan", **full}).json()
    assert checked["consented"]
    method = f"{_STORES}.evaluateUserConsents"
    page = walk(method, *_STORE, body={"userId": USER, "pageSize": 1, **full}).json()
    assert (len(page["results"]), bool(page["nextPageToken"])) == (1, True)
    query = {"gcsDestination": {"uriPrefix": f"{bucket}/consents"}, **use}
    done = finish(walk(f"{_STORES}.queryAccessibleData", *_STORE, body=query))
    [uri] = done["response"]["gcsUris"]
    assert uri.startswith(f"{bucket}/consents/query-accessible-data-result-")
