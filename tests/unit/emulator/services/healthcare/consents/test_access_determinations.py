"""Access determinations by calls: one piece of data, all data of a user, listed consents."""

from typing import Any

from tests.support.consent_store import ConsentStore, policy


def test_a_determination_follows_the_state_of_consents(store: ConsentStore) -> None:
    store.mapping("scan", "image")
    store.mapping("letter", "report")
    store.mapping("other", "image", user="user-2")
    images = store.consent(policies=[policy("purpose == 'care'", "image")])["name"]
    draft = store.consent(state="DRAFT", policies=[policy("purpose in ['research']")])["name"]
    assert store.check("scan") == {"consented": True}
    assert store.check("scan", "research") == {}
    assert store.results("scan") == {images: "HAS_SATISFIED_POLICY"}
    assert store.results("letter") == {images: "NO_MATCHING_POLICY"}
    assert store.check("other") == {}
    listed = {"consentList": {"consents": [draft, images]}}
    assert store.results("scan", **listed) == {
        draft: "NO_SATISFIED_POLICY",
        images: "HAS_SATISFIED_POLICY",
    }
    assert store.check("scan", "research", **listed) == {"consented": True}
    assert set(store.results("other", **listed).values()) == {"NOT_APPLICABLE"}
    store.ok("POST", f"{images}:revoke", {})
    assert store.check("scan", responseView="FULL") == {}
    assert store.results("scan", **listed)[images] == "NOT_APPLICABLE"


def test_an_expired_consent_does_not_count(store: ConsentStore) -> None:
    store.mapping("scan", "image")
    expired = store.consent(expireTime="2020-01-01T00:00:00Z")["name"]
    assert store.check("scan", responseView="FULL") == {}
    listed = {"consentList": {"consents": [expired]}}
    assert store.results("scan", **listed) == {expired: "NOT_APPLICABLE"}


def test_the_data_of_a_user_page_by_page(store: ConsentStore) -> None:
    store.consent(policies=[policy("purpose == 'care'", "image")])
    names = [f"scan-{number}" for number in range(5)]
    for name in names:
        store.mapping(name, "image")
    store.mapping("letter", "report")
    store.mapping("other", "image", user="user-2")
    archived = store.mapping("old", "image")["name"]
    store.ok("POST", f"{archived}:archive", {})
    found: list[dict[str, Any]] = []
    page: dict[str, Any] = {"nextPageToken": ""}
    while "nextPageToken" in page:
        page = store.evaluate(pageSize=4, pageToken=page["nextPageToken"])
        found += page["results"]
    assert sorted(one["dataId"] for one in found) == ["letter", *names]
    assert {one["dataId"] for one in found if one.get("consented")} == {*names}
    images = store.evaluate(resourceAttributes={"kind": "image"}, responseView="FULL")["results"]
    assert {one["dataId"] for one in images} == {*names}
    assert all(len(one["consentDetails"]) == 1 for one in images)
    assert store.evaluate(user="nobody") == {}


DETERMINATIONS_THAT_ARE_REFUSED: list[tuple[Any, ...]] = [
    ({"dataId": ""}, 400, "data_id is required"),
    ({"dataId": "\ud800"}, 400, "data_id is not valid Unicode"),
    ({"dataId": "none"}, 404, "has the data_id 'none'"),
    ({"requestAttributes": {"role": "a"}}, 400, "the attribute 'role' is not defined"),
    ({"requestAttributes": {"kind": "image"}}, 400, "not REQUEST"),
    ({"requestAttributes": {"purpose": "x"}}, 400, "'x' is not one of the allowed values"),
    ({"consentList": {}}, 400, "between 1 and 100 names are required, not 0"),
    ({"consentList": {"consents": ["x"]}}, 400, "invalid name in consent_list 'x'"),
]


def test_determinations_that_are_refused(store: ConsentStore) -> None:
    store.mapping("scan", "image")
    for body, code, reason in DETERMINATIONS_THAT_ARE_REFUSED:
        given = {"dataId": "scan", "requestAttributes": {"purpose": "care"}, **body}
        assert reason in store.refused("POST", f"{store.name}:checkDataAccess", given, code)[1]


EVALUATIONS_THAT_ARE_REFUSED: list[tuple[Any, ...]] = [
    ({"userId": ""}, "Requests must specify user_id"),
    ({"requestAttributes": {}}, "request_attributes is required"),
    ({"resourceAttributes": {"purpose": "care"}}, "not RESOURCE"),
    ({"pageToken": "x"}, "Invalid value for page_token"),
]


def test_evaluations_that_are_refused(store: ConsentStore) -> None:
    for body, reason in EVALUATIONS_THAT_ARE_REFUSED:
        given = {"userId": "u", "requestAttributes": {"purpose": "care"}, **body}
        assert reason in store.refused("POST", f"{store.name}:evaluateUserConsents", given)[1]
