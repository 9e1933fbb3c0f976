"""Definitions, artifacts, consents and mappings: their lives, and what is refused."""

import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.testclient import TestClient

from emulator.app import create_app
from emulator.cloud import Cloud
from tests.support.consent_store import USER, ConsentStore, policy

ABSENT = "00000000-0000-0000-0000-000000000000"


def test_a_definition_is_changed_but_keeps_its_values(store: ConsentStore) -> None:
    name = f"{store.name}/attributeDefinitions/kind"
    change = {"allowedValues": ["image", "report", "letter"], "dataMappingDefaultValue": "image"}
    mask = {"updateMask": "allowed_values,data_mapping_default_value"}
    changed = store.ok("PATCH", name, change, **mask)
    assert changed == store.ok("GET", name)
    assert changed == {"name": name, "category": "RESOURCE", **change}
    fewer = {"allowedValues": ["image"]}
    status, text = store.refused("PATCH", name, fewer, updateMask="allowedValues")
    assert (status, "'letter' is missing" in text) == ("INVALID_ARGUMENT", True)
    _, text = store.refused("PATCH", name, fewer, updateMask="category")
    assert text.startswith("update_mask: category can't be changed, only allowed_values,")
    listed = store.ok("GET", f"{store.name}/attributeDefinitions", filter='category="REQUEST"')
    assert [one["name"].rpartition("/")[2] for one in listed["attributeDefinitions"]] == ["purpose"]


DEFINITIONS_THAT_ARE_REFUSED: list[tuple[Any, ...]] = [
    ("1st", {}, "invalid attribute_definition_id '1st'"),
    ("in", {}, "no reserved word of the Common Expression Language"),
    ("a", {"category": "CATEGORY_UNSPECIFIED"}, "category must be RESOURCE or REQUEST"),
    ("a", {"allowedValues": []}, "between 1 and 500 values"),
    ("a", {"allowedValues": ["\ud800"]}, "a value is not valid Unicode"),
    ("a", {"consentDefaultValues": ["z"]}, "consent_default_values: 'z' is not one of"),
    ("a", {"dataMappingDefaultValue": "x"}, "applies to the category RESOURCE alone"),
]


def test_definitions_that_are_refused(store: ConsentStore) -> None:
    for name, change, reason in DEFINITIONS_THAT_ARE_REFUSED:
        body = {"category": "REQUEST", "allowedValues": ["x"], **change}
        path = f"{store.name}/attributeDefinitions"
        _, text = store.refused("POST", path, body, attributeDefinitionId=name)
        assert reason in text


def test_a_definition_in_use_stays(store: ConsentStore) -> None:
    path = f"{store.name}/attributeDefinitions"
    mapping = store.mapping("d", "image")
    consent = store.consent()
    for name, user in (("kind", "a user data mapping"), ("purpose", consent["name"])):
        status, text = store.refused("DELETE", f"{path}/{name}")
        assert (status, user in text) == ("FAILED_PRECONDITION", True)
    store.ok("DELETE", mapping["name"])
    assert store.ok("DELETE", f"{path}/kind") == {}
    status, text = store.refused("GET", f"{path}/kind", code=404)
    assert text == f"attribute definition {path}/kind does not exist."
    body = {"category": "REQUEST", "allowedValues": ["x"]}
    assert store.refused("POST", path, body, code=409, attributeDefinitionId="purpose")[1] == (
        f"attribute definition {path}/purpose already exists."
    )


def test_only_get_returns_the_images_of_an_artifact(store: ConsentStore) -> None:
    image = {"rawBytes": base64.b64encode(b"signed").decode()}
    # As in Google's instructions: names in snake case, and a time in seconds.
    signature = {"user_id": USER, "signature_time": {"seconds": 1610598335}, "image": image}
    created = store.artifact(
        user_signature=signature, consentContentScreenshots=[image], metadata={"client": "mobile"}
    )
    assert created["userSignature"]["signatureTime"] == "2021-01-14T04:25:35.000000Z"
    assert created["consentContentScreenshots"] == [{}]
    found = store.ok("GET", created["name"])
    assert found["consentContentScreenshots"] == [image]
    assert found["userSignature"]["image"] == image
    path = f"{store.name}/consentArtifacts"
    store.artifact(metadata={"client": "web"})
    listed = store.ok("GET", path, filter='Metadata("client")="mobile"')
    assert listed == {"consentArtifacts": [created]}
    assert len(store.ok("GET", path, filter='HasMetadata("client")')["consentArtifacts"]) == 2
    consent = store.consent(consentArtifact=created["name"])
    status, text = store.refused("DELETE", created["name"])
    assert (status, "refers to it" in text) == ("FAILED_PRECONDITION", True)
    store.ok("DELETE", consent["name"])
    assert store.ok("DELETE", created["name"]) == {}


ARTIFACTS_THAT_ARE_REFUSED: list[tuple[Any, ...]] = [
    ({"userId": ""}, "consent_artifact.user_id is required"),
    ({"userSignature": {}}, "consent_artifact.user_signature.user_id is required"),
    ({"userSignature": {"userId": "u", "signatureTime": "soon"}}, "(TYPE_TIMESTAMP)"),
    ({"consentContentScreenshots": [{"rawBytes": "#"}]}, "Base64 decoding failed"),
    (
        {"consentContentScreenshots": [{"rawBytes": "QQ==", "gcsUri": "gs://b/o"}]},
        "raw_bytes and gcs_uri can't both be set",
    ),
    ({"consentContentScreenshots": [{"gcsUri": "o"}]}, "gs://BUCKET/OBJECT"),
]


def test_artifacts_that_are_refused(store: ConsentStore) -> None:
    for body, reason in ARTIFACTS_THAT_ARE_REFUSED:
        path = f"{store.name}/consentArtifacts"
        assert reason in store.refused("POST", path, {"userId": USER, **body})[1]


def test_the_states_of_a_consent(store: ConsentStore) -> None:
    draft = store.consent(state="DRAFT")
    name, artifact = draft["name"], store.artifact()["name"]
    assert store.refused("POST", f"{name}:revoke", {})[0] == "FAILED_PRECONDITION"
    assert store.refused("POST", f"{name}:activate", {})[1] == "consent_artifact is required"
    active = store.ok("POST", f"{name}:activate", {"consentArtifact": artifact, "ttl": "60s"})
    assert (active["state"], active["consentArtifact"]) == ("ACTIVE", artifact)
    assert active["revisionId"] != draft["revisionId"]
    expires = datetime.fromisoformat(active["expireTime"]) - datetime.now(UTC)
    assert timedelta(seconds=30) < expires <= timedelta(seconds=60)
    again = store.ok("POST", f"{name}:activate", {"consentArtifact": store.artifact()["name"]})
    assert again == active
    assert (
        "only a consent that is DRAFT can be rejected"
        in (store.refused("POST", f"{name}:reject", {})[1])
    )
    revoked = store.ok("POST", f"{name}:revoke", {})
    assert store.ok("POST", f"{name}:revoke", {}) == revoked == store.ok("GET", name)
    status, text = store.refused("PATCH", name, {}, updateMask="metadata")
    assert (status, "is REVOKED" in text) == ("FAILED_PRECONDITION", True)
    bare = store.ok("POST", f"{store.name}/consents", {"userId": USER, "state": "DRAFT"})
    rejected = store.ok("POST", f"{bare['name']}:reject", {})
    assert rejected["state"] == "REJECTED"


def test_the_revisions_of_a_consent(store: ConsentStore) -> None:
    first = store.consent(metadata={"site": "a"})
    name = first["name"]
    assert (len(first["revisionId"]), int(first["revisionId"], 16) >= 0) == (8, True)
    last = store.ok("PATCH", name, {"metadata": {"site": "b"}}, updateMask="metadata")
    assert (last["policies"], last["metadata"]) == (first["policies"], {"site": "b"})
    listed = store.ok("GET", f"{name}:listRevisions", pageSize=1)
    assert listed["consents"] == [last]
    rest = store.ok("GET", f"{name}:listRevisions", pageSize=1, pageToken=listed["nextPageToken"])
    assert rest == {"consents": [first]}
    assert store.ok("GET", f"{name}@{first['revisionId']}") == first
    filters = ('state="ACTIVE" AND user_id="user"', 'Metadata("site")="b"', "consentArtifact=cons")
    for text in filters:
        assert store.ok("GET", f"{store.name}/consents", filter=text) == {"consents": [last]}, text
    assert store.ok("GET", f"{store.name}/consents", filter='Metadata("site")="a"') == {}
    assert "a revision_id is required" in store.refused("DELETE", f"{name}:deleteRevision")[1]
    latest = f"{name}@{last['revisionId']}"
    assert "is the latest revision" in store.refused("DELETE", f"{latest}:deleteRevision")[1]
    assert store.ok("DELETE", f"{name}@{first['revisionId']}:deleteRevision") == {}
    store.refused("GET", f"{name}@{first['revisionId']}", code=404)
    for method, path in (("DELETE", latest), ("POST", f"{latest}:revoke"), ("PATCH", latest)):
        text = store.refused(method, path, {}, updateMask="metadata")[1]
        assert "a revision_id can't be specified" in text
    assert store.ok("DELETE", name) == {}
    store.refused("GET", latest, code=404)


CONSENTS_THAT_ARE_REFUSED: list[tuple[Any, ...]] = [
    (
        {"userId": "a@b"},
        'Consents must specify user_id matching "^[\\p{L}\\p{N}_\\-]{1,256}$".',
    ),
    ({"state": "REVOKED"}, "a consent is created ACTIVE or DRAFT, not REVOKED"),
    ({"consentArtifact": "a"}, "invalid consent_artifact 'a'"),
    ({"ttl": "0s"}, "consent.ttl must be positive"),
    ({"ttl": "60"}, "invalid consent.ttl '60'"),
    ({"ttl": "9" * 18 + "s"}, "consent.ttl is too long"),
    ({"expireTime": "soon"}, "invalid consent.expire_time 'soon'"),
    ({"ttl": "6s", "expireTime": "2100-01-01T00:00:00Z"}, "can't both be set"),
    ({"metadata": {"Key": "a"}}, "invalid metadata key 'Key'"),
    ({"metadata": {"key": ""}}, "invalid metadata value ''"),
    ({"policies": [policy("purpose == 'x'", "z")]}, "'z' is not one of the allowed values"),
    ({"policies": [policy("kind == 'x'")]}, "undeclared reference to 'kind'"),
    ({"policies": [{}]}, "consent.policies[0].authorization_rule.expression is required"),
    ({"policies": [policy()] * 11}, "11 policies: at most 10"),
]


def test_consents_that_are_refused(store: ConsentStore) -> None:
    valid = store.consent_body()
    for change, reason in CONSENTS_THAT_ARE_REFUSED:
        body = {**valid, **change}
        assert reason in store.refused("POST", f"{store.name}/consents", body)[1]
    assert store.ok("GET", f"{store.name}/consents") == {}


def test_settings_of_the_store(make_store: Callable[..., ConsentStore], dataset: str) -> None:
    store = make_store("year", defaultConsentTtl="86400s", enableConsentCreateOnUpdate=True)
    expires = datetime.fromisoformat(store.consent()["expireTime"]) - datetime.now(UTC)
    assert timedelta(hours=23) < expires <= timedelta(hours=24)
    fixed = store.consent(expireTime="2100-01-01T01:00:00+01:00")
    assert fixed["expireTime"] == "2100-01-01T00:00:00.000000Z"
    mine = f"{store.name}/consents/mine"
    created = store.ok("PATCH", mine, store.consent_body(), updateMask="policies")
    assert (created["name"], created["state"]) == (mine, "ACTIVE")
    other = make_store("other")
    assert other.refused("PATCH", f"{other.name}/consents/mine", {}, 404, updateMask="policies")[
        1
    ] == (f"consent {other.name}/consents/mine does not exist.")
    short = {"defaultConsentTtl": "86399s"}
    path = f"{dataset}/consentStores?consentStoreId=short"
    assert "at least 24 hours" in store.refused("POST", path, short)[1]


def test_a_mapping_is_archived(store: ConsentStore) -> None:
    mapping = store.mapping("d", "image")
    path = f"{store.name}/userDataMappings"
    status, text = store.refused("POST", path, store.mapping_body("d"), code=409)
    assert (status, mapping["name"] in text) == ("ALREADY_EXISTS", True)
    change = {"resourceAttributes": [{"attributeDefinitionId": "kind", "values": ["report"]}]}
    changed = store.ok("PATCH", mapping["name"], change, updateMask="resource_attributes")
    assert changed == {**mapping, **change}
    assert store.ok("POST", f"{mapping['name']}:archive", {}) == {}
    archived = store.ok("GET", mapping["name"])
    assert archived["archived"]
    store.ok("POST", f"{mapping['name']}:archive", {})
    assert store.ok("GET", mapping["name"]) == archived
    assert store.refused("PATCH", mapping["name"], change, updateMask="dataId")[0] == (
        "FAILED_PRECONDITION"
    )
    new = store.mapping("d")
    assert store.ok("GET", path, filter="archived=false") == {"userDataMappings": [new]}
    after = f'archive_time >= "{archived["archiveTime"]}" AND data_id = d'
    assert store.ok("GET", path, filter=after) == {"userDataMappings": [archived]}
    assert store.ok("DELETE", new["name"]) == {}
    store.refused("DELETE", new["name"], code=404)


MAPPINGS_THAT_ARE_REFUSED: list[tuple[Any, ...]] = [
    ({"userId": ""}, "User data mappings must specify user_id"),
    ({"dataId": ""}, "user_data_mapping.data_id is required"),
    ({"dataId": "\ud800"}, "user_data_mapping.data_id is not valid Unicode"),
]


def test_mappings_that_are_refused(store: ConsentStore) -> None:
    for change, reason in MAPPINGS_THAT_ARE_REFUSED:
        body = {**store.mapping_body("d"), **change}
        assert reason in store.refused("POST", f"{store.name}/userDataMappings", body)[1]


ATTRIBUTES_OF_MAPPINGS_THAT_ARE_REFUSED: list[tuple[Any, ...]] = [
    ([("purpose", ["care"])], "purpose is of the category REQUEST, not RESOURCE"),
    ([("none", ["a"])], "the attribute 'none' is not defined"),
    ([("kind", ["image", "report"])], "exactly one value is required"),
    ([("kind", ["image"]), ("kind", ["report"])], "the attribute kind is given twice"),
    ([("kind", [])], "resource_attributes[0].values is required"),
]


def test_attributes_of_mappings_that_are_refused(store: ConsentStore) -> None:
    for attributes, reason in ATTRIBUTES_OF_MAPPINGS_THAT_ARE_REFUSED:
        given = [{"attributeDefinitionId": name, "values": values} for name, values in attributes]
        body = {**store.mapping_body("d"), "resourceAttributes": given}
        assert reason in store.refused("POST", f"{store.name}/userDataMappings", body)[1]


def test_data_goes_with_its_store(
    store: ConsentStore, make_store: Callable[..., ConsentStore]
) -> None:
    store.consent()
    store.mapping("d", "image")
    store.ok("DELETE", store.name)
    store.refused("GET", f"{store.name}/consents", code=404)
    again = make_store("consents")
    for collection in ("consentArtifacts", "consents", "userDataMappings"):
        assert again.ok("GET", f"{again.name}/{collection}") == {}


def test_a_restart_forgets_nothing(
    store: ConsentStore, cloud: Cloud, open_cloud: Callable[..., Cloud]
) -> None:
    consent, mapping = store.consent(), store.mapping("d", "image")
    cloud.close()
    with TestClient(create_app(open_cloud()), "http://127.0.0.1") as client:
        store.client = client
        assert store.ok("GET", f"{store.name}/consents") == {"consents": [consent]}
        assert store.ok("GET", mapping["name"]) == mapping
        assert store.check("d") == {"consented": True}
