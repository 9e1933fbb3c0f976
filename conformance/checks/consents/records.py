"""Checks of definitions, artifacts, consents and mappings."""

from conformance.check import Check, Lab
from conformance.checks.consents.calls import (
    USER,
    artifact,
    consent,
    define,
    mapping,
    name_of,
    policy,
    post,
    store,
)
from conformance.cloud_project import Json

_ABSENT = "00000000-0000-0000-0000-000000000000"


def _definitions(lab: Lab) -> Json:
    names = ("1st", "a-b", "in", "string", "")
    return [
        *(define(lab, name, "REQUEST") for name in names),
        define(lab, "bad1", "CATEGORY_UNSPECIFIED"),
        define(lab, "bad2", "REQUEST", allowedValues=[]),
        define(lab, "bad3", "REQUEST", consentDefaultValues=["c"]),
        define(lab, "bad4", "REQUEST", dataMappingDefaultValue="a"),
        lab.healthcare(
            "PATCH",
            f"{store(lab)}/attributeDefinitions/kind",
            params={"updateMask": "allowedValues"},
            json={"allowedValues": ["a"]},
        ),
    ]


def _in_use(lab: Lab) -> Json:
    name = store(lab, "consents-used")
    mapping(lab, "used", "a", to=name)
    consent(lab, to=name)
    return [
        lab.healthcare("DELETE", f"{name}/attributeDefinitions/{attribute}")
        for attribute in ("kind", "purpose")
    ]


def _attributes(lab: Lab) -> Json:
    other = {"attributeDefinitionId": "purpose", "values": ["a"]}
    unknown = {"attributeDefinitionId": "none", "values": ["a"]}
    return [
        mapping(lab, "two", "a", "b"),
        mapping(lab, "wrong", "c"),
        *(
            post(lab, "userDataMappings", userId=USER, dataId="x", resourceAttributes=given)
            for given in ([other], [unknown], [{"attributeDefinitionId": "kind"}])
        ),
        consent(lab, policies=[{**policy(), "resourceAttributes": [unknown]}]),
        consent(lab, policies=[policy()] * 11),
        consent(lab, policies=[{}]),
    ]


def _rules(lab: Lab) -> Json:
    expressions = (
        "purpose ==",
        "nothing == 'a'",
        "!(purpose == 'a')",
        "purpose",
        "purpose.startsWith('a')",
        "kind == 'a'",
        "purpose == 'c'",
        " || ".join(["purpose == 'a'"] * 12),
    )
    return [consent(lab, policies=[policy(each)]) for each in expressions]


def _users(lab: Lab) -> Json:
    wrong = ("", "user@example.org", "x" * 257)
    return [
        answer
        for user in wrong
        for answer in (
            consent(lab, userId=user),
            post(lab, "userDataMappings", userId=user, dataId="x"),
            post(lab, "consentArtifacts", userId=user),
        )
    ]


def _masks(lab: Lab) -> Json:
    created = consent(lab)["body"].get("name", "")
    return [
        lab.healthcare("PATCH", created, params={"updateMask": mask}, json={"state": "DRAFT"})
        for mask in ("", "state", "none")
    ]


def _missing(lab: Lab) -> Json:
    collections = ("attributeDefinitions", "consentArtifacts", "consents", "userDataMappings")
    return [lab.healthcare("GET", f"{store(lab)}/{each}/{_ABSENT}") for each in collections]


def _artifacts(lab: Lab) -> Json:
    both = {"rawBytes": "QQ==", "gcsUri": "gs://bucket/object"}
    seconds = {"userId": USER, "signatureTime": {"seconds": 1}}
    return [
        post(lab, "consentArtifacts", userId=USER, consentContentScreenshots=[each])
        for each in ({"rawBytes": "QQ=="}, both, {"gcsUri": "object"}, {"rawBytes": "#"})
    ] + [
        post(lab, "consentArtifacts", userId=USER, userSignature=each)
        for each in (seconds, {"signatureTime": "2026-01-31T00:00:00Z"})
    ]


def _artifact_in_use(lab: Lab) -> Json:
    name = artifact(lab)
    consent(lab, consentArtifact=name)
    return lab.healthcare("DELETE", name)


def _creations(lab: Lab) -> Json:
    absent = f"{store(lab)}/consentArtifacts/{_ABSENT}"
    return [
        *(consent(lab, state=state) for state in ("STATE_UNSPECIFIED", "REVOKED")),
        consent(lab, consentArtifact="", state="DRAFT"),
        consent(lab, consentArtifact=""),
        *(consent(lab, consentArtifact=name) for name in (absent, "artifact")),
    ]


def _states(lab: Lab) -> Json:
    draft = name_of(consent(lab, state="DRAFT"))
    proof = {"consentArtifact": artifact(lab)}
    calls = ("revoke", "activate", "activate", "reject", "revoke", "activate")
    return [
        *(lab.healthcare("POST", f"{draft}:{verb}", json=proof) for verb in calls),
        lab.healthcare("PATCH", draft, params={"updateMask": "metadata"}, json={}),
    ]


def _revisions(lab: Lab) -> Json:
    name = name_of(consent(lab, state="DRAFT"))
    proof = {"consentArtifact": artifact(lab)}
    active = lab.healthcare("POST", f"{name}:activate", json=proof)["body"]
    latest = f"{name}@{active.get('revisionId', '')}"
    return [
        lab.healthcare("GET", latest),
        lab.healthcare("GET", f"{name}:listRevisions"),
        lab.healthcare("GET", f"{name}@00000000"),
        *(lab.healthcare("DELETE", f"{each}:deleteRevision") for each in (name, latest)),
        lab.healthcare("DELETE", latest),
        lab.healthcare("POST", f"{latest}:revoke", json={}),
    ]


def _create_on_update(lab: Lab) -> Json:
    name = store(lab, "consents-updated", enableConsentCreateOnUpdate=True)
    body = {"userId": USER, "consentArtifact": artifact(lab, to=name), "metadata": {"a": "1"}}
    return [
        lab.healthcare("PATCH", f"{each}/consents/mine", params={"updateMask": "userId"}, json=body)
        for each in (name, store(lab))
    ]


def _expirations(lab: Lab) -> Json:
    times = ("1s", "-1s", "0s", "soon")
    both = {"ttl": "60s", "expireTime": "2100-01-01T00:00:00Z"}
    path = f"{lab.names.dataset}/consentStores"
    return [
        *(consent(lab, ttl=ttl) for ttl in times),
        *(consent(lab, expireTime=time) for time in ("2000-01-01T00:00:00Z", "soon")),
        consent(lab, **both),
        lab.healthcare(
            "POST",
            path,
            params={"consentStoreId": "consents-short"},
            json={"defaultConsentTtl": "3600s"},
        ),
    ]


def _metadata(lab: Lab) -> Json:
    wrong = ({"Key": "a"}, {"1": "a"}, {"key": ""}, {"key": "A"}, {f"k{i}": "a" for i in range(65)})
    return [consent(lab, metadata=each) for each in wrong]


def _filters(lab: Lab) -> Json:
    name = store(lab, "consents-listed")
    consent(lab, to=name, metadata={"site": "ward"})
    texts = (
        'user_id="conformance"',
        'userId="CONFORMANCE"',
        'state="ACTIVE"',
        'Metadata("site")="ward"',
        'HasMetadata("site")',
        'state="NONE"',
        "color=red",
        'user_id!="a"',
    )
    return [lab.healthcare("GET", f"{name}/consents", params={"filter": text}) for text in texts]


def _mappings(lab: Lab) -> Json:
    return [mapping(lab, "same") for _ in range(2)]


def _archived(lab: Lab) -> Json:
    name = name_of(mapping(lab, "archived"))
    mask = {"updateMask": "userId"}
    return [
        *(lab.healthcare("POST", f"{name}:archive", json={}) for _ in range(2)),
        lab.healthcare("PATCH", name, params=mask, json={"userId": "other"}),
        post(lab, ":checkDataAccess", dataId="archived", requestAttributes={"purpose": "a"}),
        mapping(lab, "archived"),
    ]


CHECKS = (
    Check("consent-definition-text", "definitions that are refused: texts", _definitions),
    Check(
        "consent-definition-exists",
        "the same definition twice: code and text",
        lambda lab: define(lab, "kind", "RESOURCE", to=store(lab)),
    ),
    Check("consent-definition-in-use", "definitions in use are deleted: code, text", _in_use),
    Check("consent-attribute-text", "attributes that do not fit definitions: texts", _attributes),
    Check("consent-rule-text", "authorization rules that are refused: texts", _rules),
    Check("consent-user-id-text", "user ids of every resource: texts", _users),
    Check("consent-update-mask-text", "masks that are refused: texts", _masks),
    Check("consent-missing-text", "resources that do not exist: texts", _missing),
    Check("consent-artifact-text", "images and signatures of artifacts: answers", _artifacts),
    Check("consent-artifact-in-use", "an artifact in use is deleted: text", _artifact_in_use),
    Check("consent-create-text", "states and artifacts of new consents: answers", _creations),
    Check("consent-state-text", "changes of state: answers", _states),
    Check("consent-revision-text", "names of revisions: answers", _revisions),
    Check("consent-create-on-update", "updates of consents that are not there", _create_on_update),
    Check("consent-expiration-text", "expirations of consents and stores", _expirations),
    Check("consent-metadata-text", "metadata that is refused: texts", _metadata),
    Check("consent-filter-text", "filters of lists: answers", _filters),
    Check("consent-mapping-exists", "two mappings of one data id: code and text", _mappings),
    Check("consent-mapping-archived", "calls about an archived mapping", _archived),
)
