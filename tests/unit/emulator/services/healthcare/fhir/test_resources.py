"""Resources: create, read, update, patch, delete, history, conditions."""

import base64
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.support.fhir_resources import IDENTIFIER, observation, patient

MakeFhir = Callable[..., Any]


def nanoseconds(version_id: str) -> int:
    return int(base64.urlsafe_b64decode(version_id + "=" * (-len(version_id) % 4)))


def history(fhir: Any, path: str) -> list[Any]:
    entries: list[Any] = fhir.ok("GET", f"{path}/_history").get("entry", [])
    return entries


def test_a_resource_is_created_and_read_again(fhir: Any) -> None:
    response = fhir.send("POST", "Patient", patient("ignored", gender="other", meta={"tag": []}))
    created = response.json()
    assert response.status_code == 201
    assert response.headers["content-type"] == "application/fhir+json;charset=utf-8"
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", created["id"])
    version = created["meta"]["versionId"]
    assert response.headers["etag"] == f'W/"{version}"'
    path = f"{fhir.store}/fhir/Patient/{created['id']}/_history/{version}"
    assert response.headers["location"] == f"http://127.0.0.1:1/v1/{path}"
    assert created["gender"] == "other"
    assert response.text.startswith('{\n  "gender": "other",\n  "id"')
    read = fhir.send("GET", f"Patient/{created['id']}")
    assert read.text == response.text
    assert read.headers["last-modified"].endswith(" GMT")


def test_a_version_id_is_the_time_of_the_change(fhir: Any) -> None:
    meta = fhir.put(patient("a"))["meta"]
    assert nanoseconds(meta["versionId"]) % 1000 == 0
    assert meta["lastUpdated"].endswith("+00:00")
    micros = str(nanoseconds(meta["versionId"]) // 1000)[-6:]
    assert meta["lastUpdated"][-12:-6] == micros


def test_numbers_stay_exact(fhir: Any) -> None:
    body = b'{"resourceType":"Observation","id":"n","status":"final","code":{"text":"x"},'
    body += b'"valueQuantity":{"value":1.500},"component":[{"code":{"text":"y"},'
    body += b'"valueQuantity":{"value":1e3}}]}'
    stored = fhir.send("PUT", "Observation/n", body).text
    patched = fhir.patch("Observation/n", [{"op": "add", "path": "/language", "value": "en"}]).text
    for text in (stored, patched, fhir.send("GET", "Observation/n").text):
        assert '"value": 1.500' in text
        assert '"value": 1e3' in text


def test_each_update_is_a_version_of_the_history(fhir: Any) -> None:
    first = fhir.put(patient("a", active=True))
    second = fhir.put(patient("a", active=False))
    patched = fhir.patch("Patient/a", [{"op": "add", "path": "/gender", "value": "female"}]).json()
    assert fhir.ok("DELETE", "Patient/a")["issue"][0]["severity"] == "information"
    entries = history(fhir, "Patient/a")
    assert [each["request"]["method"] for each in entries] == ["DELETE", "PATCH", "PUT", "PUT"]
    assert [each.get("resource") for each in entries] == [None, patched, second, first]
    assert fhir.ok("GET", f"Patient/a/_history/{first['meta']['versionId']}") == first
    deletion = entries[0]["response"]["etag"][3:-1]
    assert fhir.refused(410, "GET", f"Patient/a/_history/{deletion}")["code"] == "deleted"


def test_a_history_has_pages_that_survive_writes(fhir: Any) -> None:
    versions = [fhir.put(patient("a"))["meta"]["versionId"] for _ in range(5)]
    page = fhir.ok("GET", "Patient/a/_history?_count=2")
    found = [each["resource"]["meta"]["versionId"] for each in page["entry"]]
    fhir.put(patient("a"))
    while links := [each["url"] for each in page["link"] if each["relation"] == "next"]:
        page = fhir.ok("GET", links[0].partition("/fhir/")[2])
        found += [each["resource"]["meta"]["versionId"] for each in page["entry"]]
    assert found == versions[::-1]


def test_a_history_is_limited_in_time(fhir: Any) -> None:
    old = fhir.put(patient("a"))["meta"]["lastUpdated"]
    new = fhir.put(patient("a"))["meta"]["lastUpdated"]
    since = new.replace("+", "%2B")
    assert len(history(fhir, "Patient/a")) == 2
    entries = fhir.ok("GET", f"Patient/a/_history?_since={since}")["entry"]
    assert [each["response"]["lastModified"] for each in entries] == [new]
    assert "entry" not in fhir.ok("GET", "Patient/a/_history?_at=2020-02")
    at_year = fhir.ok("GET", f"Patient/a/_history?_at={old[:4]}")
    assert len(at_year["entry"]) == 2
    refused = fhir.refused(400, "GET", "Patient/a/_history?_since=2020")
    assert refused["details"]["text"] == "invalid_query"


def test_a_page_token_belongs_to_its_list(fhir: Any) -> None:
    for id_ in "ab":
        fhir.put(patient(id_))
        fhir.put(patient(id_))
    page = fhir.ok("GET", "Patient/a/_history?_count=1")
    token = page["link"][1]["url"].partition("_page_token=")[2]
    assert fhir.refused(400, "GET", f"Patient/b/_history?_page_token={token}")
    assert fhir.refused(400, "GET", "Patient/a/_history?_page_token=%25")
    assert fhir.refused(400, "GET", "Patient/a/_history?_count=1001")


def test_a_conditional_read_answers_that_nothing_changed(fhir: Any) -> None:
    stored = fhir.send("PUT", "Patient/a", patient("a"))
    same = {"If_None_Match": stored.headers["etag"]}
    assert fhir.send("GET", "Patient/a", **same).status_code == 304
    assert fhir.send("GET", "Patient/a", If_None_Match='W/"b"').status_code == 200
    modified = {"If_Modified_Since": stored.headers["last-modified"]}
    assert fhir.send("GET", "Patient/a", **modified).status_code == 304
    earlier = {"If_Modified_Since": "Wed, 01 Jan 2020 00:00:00 GMT"}
    assert fhir.send("GET", "Patient/a", **earlier).status_code == 200


def test_writes_with_another_etag_are_refused(fhir: Any) -> None:
    old = fhir.send("PUT", "Patient/a", patient("a")).headers["etag"]
    now = fhir.send("PUT", "Patient/a", patient("a", active=True), If_Match=old).headers["etag"]
    for method, body in (("PUT", patient("a")), ("DELETE", None)):
        assert fhir.refused(412, method, "Patient/a", body, If_Match=old)["code"] == "conflict"
    assert fhir.patch("Patient/a", [], If_Match=old).status_code == 412
    assert fhir.patch("Patient/a", [], If_Match=now).status_code == 200
    assert fhir.ok("GET", "Patient/a")["active"] is True


def test_an_update_may_be_for_new_resources_alone(fhir: Any) -> None:
    assert fhir.send("PUT", "Patient/a", patient("a"), If_None_Match="*").status_code == 201
    assert fhir.refused(412, "PUT", "Patient/a", patient("a"), If_None_Match="*")


def test_a_store_decides_who_chooses_ids(make_fhir: MakeFhir) -> None:
    fixed = make_fhir("fixed", enableUpdateCreate=False)
    assert fixed.refused(404, "PUT", "Patient/a", patient("a"))["code"] == "not-found"
    created = fixed.ok("POST", "Patient", patient())
    assert fixed.put({**created, "active": True})["active"] is True


def test_the_id_of_the_body_is_that_of_the_path(fhir: Any) -> None:
    refused = fhir.refused(400, "PUT", "Patient/one", patient("two"))
    assert refused["details"]["text"] == "resource_mismatch"
    assert refused["diagnostics"] == (
        "resource id mismatch, id of specified resource: one, id from payload: two"
    )


@pytest.mark.parametrize(
    ("method", "path", "word"),
    [
        ("GET", "Patient/_history", "invalid_resource_id"),
        ("GET", "ValueSet/$expand", "invalid_resource_id"),
        ("GET", "Patient/a_b", "invalid_resource_id"),
        ("GET", "patient/a", "bad_resource_type"),
        ("POST", "Resource", "bad_resource_type"),
    ],
)
def test_ids_and_types_of_paths_are_checked(fhir: Any, method: str, path: str, word: str) -> None:
    body = patient() if method == "POST" else None
    assert fhir.refused(400, method, path, body)["details"]["text"] == word


def test_a_deleted_resource_is_gone_until_it_is_purged(fhir: Any) -> None:
    fhir.put(patient("a"))
    assert fhir.refused(404, "GET", "Patient/b")["code"] == "not-found"
    fhir.ok("DELETE", "Patient/a")
    fhir.ok("DELETE", "Patient/a")
    assert fhir.refused(410, "GET", "Patient/a")["code"] == "deleted"
    assert fhir.ok("DELETE", "Patient/a/$purge") == {}
    assert fhir.refused(404, "GET", "Patient/a")["code"] == "not-found"
    assert fhir.refused(404, "GET", "Patient/a/_history")["code"] == "not-found"
    assert fhir.send("PUT", "Patient/a", patient("a")).status_code == 201


def test_a_purge_leaves_the_current_version(fhir: Any) -> None:
    fhir.put(patient("a"))
    current = fhir.put(patient("a", active=True))
    fhir.ok("DELETE", "Patient/a/$purge")
    assert [each["resource"] for each in history(fhir, "Patient/a")] == [current]


def test_a_store_without_versions_has_no_history(make_fhir: MakeFhir) -> None:
    fhir = make_fhir("plain", disableResourceVersioning=True)
    fhir.put(patient("a"))
    fhir.put(patient("a", active=True))
    assert fhir.refused(400, "GET", "Patient/a/_history")["code"] == "not-supported"
    fhir.ok("DELETE", "Patient/a")
    assert fhir.refused(404, "GET", "Patient/a")["code"] == "not-found"


def test_a_patch_that_fails_changes_nothing(fhir: Any) -> None:
    stored = fhir.put(patient("a", active=True))
    for operations in (
        [{"op": "add", "path": "/gender", "value": "male"}, {"op": "remove", "path": "/name"}],
        [{"op": "test", "path": "/active", "value": False}],
        [{"op": "replace", "path": "/id", "value": "b"}],
        [{"op": "replace", "path": "/resourceType", "value": "Person"}],
        [{"op": "remove"}],
        [7],
        {"op": "remove", "path": "/active"},
    ):
        assert fhir.patch("Patient/a", operations).status_code == 400, operations
    failed = fhir.patch("Patient/a", [{"op": "test", "path": "/active", "value": "x"}]).json()
    text = "operation 0 of the patch tests a value that is another one"
    assert failed["issue"][0]["diagnostics"] == text
    assert fhir.send("PATCH", "Patient/a", []).status_code == 415
    assert fhir.ok("GET", "Patient/a") == stored


def test_a_reference_needs_its_target(make_fhir: MakeFhir) -> None:
    fhir = make_fhir("checking")
    refused = fhir.refused(400, "POST", "Observation", observation("Patient/none"))
    assert refused["details"]["text"] == "invalid_references"
    assert refused["expression"] == ["Observation.subject"]
    fhir.put(patient("a"))
    fhir.put(observation("Patient/a", "o"))
    fhir.put(observation("https://example.com/fhir/Patient/1", "external"))
    assert fhir.refused(409, "DELETE", "Patient/a")["code"] == "conflict"
    assert fhir.ok("GET", "Patient/a")
    fhir.ok("DELETE", "Observation/o")
    fhir.ok("DELETE", "Patient/a")


def test_a_store_may_leave_references_unchecked(make_fhir: MakeFhir) -> None:
    fhir = make_fhir("lenient", disableReferentialIntegrity=True)
    fhir.put(observation("Patient/none", "o"))
    inner = patient("a", managingOrganization={"reference": "#none"})
    refused = fhir.refused(400, "PUT", "Patient/a", inner)
    assert refused["details"]["text"] == "invalid_references"


def test_references_in_extensions_count_by_a_setting(make_fhir: MakeFhir) -> None:
    value = {"url": "urn:x", "valueReference": {"reference": "Patient/none"}}
    resource = patient("a", extension=[value])
    make_fhir("plain").put(resource)
    strict = make_fhir("strict", complexDataTypeReferenceParsing="ENABLED")
    refused = strict.refused(400, "PUT", "Patient/a", resource)
    assert refused["expression"] == ["Patient.extension[0].valueReference"]


def test_a_canonical_url_is_unique_in_a_store(fhir: Any) -> None:
    value_set = {"resourceType": "ValueSet", "status": "draft", "url": "urn:v"}
    fhir.put({**value_set, "id": "a"})
    fhir.put({**value_set, "id": "a", "status": "active"})
    assert fhir.refused(409, "PUT", "ValueSet/b", {**value_set, "id": "b"})["code"] == "conflict"
    fhir.put({**value_set, "id": "b", "version": "2"})


def test_a_conditional_create_finds_what_is_there(fhir: Any) -> None:
    condition = {"If_None_Exist": "identifier=urn:example:mrn|7001"}
    body = patient(identifier=[IDENTIFIER])
    first = fhir.send("POST", "Patient", body, **condition)
    again = fhir.send("POST", "Patient", body, **condition)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()


def test_conditional_writes_are_by_identifier(fhir: Any) -> None:
    query = "Patient?identifier=urn:example:mrn%7C7001"
    created = fhir.send("PUT", query, patient(identifier=[IDENTIFIER]))
    assert created.status_code == 201
    id_ = created.json()["id"]
    updated = fhir.ok("PUT", query, patient(identifier=[IDENTIFIER], active=True))
    assert (updated["id"], updated["active"]) == (id_, True)
    patched = fhir.patch(query, [{"op": "add", "path": "/gender", "value": "male"}])
    assert patched.json()["gender"] == "male"
    other = "Patient?identifier=7002"
    assert fhir.patch(other, []).status_code == 404
    chosen = fhir.send("PUT", other, patient("chosen", identifier=[{"value": "7002"}]))
    assert (chosen.status_code, chosen.json()["id"]) == (201, "chosen")
    assert fhir.ok("DELETE", query) == {}
    assert fhir.refused(410, "GET", f"Patient/{id_}")
    assert fhir.ok("DELETE", query) == {}


def test_a_condition_with_several_matches_is_refused(fhir: Any) -> None:
    for id_ in "ab":
        fhir.put(patient(id_, identifier=[IDENTIFIER]))
    query = "Patient?identifier=urn:example:mrn%7C"
    for method, body in (("PUT", patient()), ("DELETE", None)):
        assert fhir.refused(412, method, query, body)["code"] == "multiple-matches"
    assert fhir.patch(query, []).status_code == 412
    for wrong in ("Patient?name=a", "Patient", "Patient?identifier="):
        assert fhir.refused(400, "DELETE", wrong)["details"]["text"] == "invalid_query"


def test_concurrent_conditional_creates_make_one_resource(fhir: Any) -> None:
    condition = {"If_None_Exist": "identifier=7001"}
    body = patient(identifier=[{"value": "7001"}])
    with ThreadPoolExecutor(4) as pool:
        sent = [pool.submit(fhir.send, "POST", "Patient", body, **condition) for _ in range(8)]
        answers = [each.result() for each in sent]
    assert sorted(each.status_code for each in answers) == [200] * 7 + [201]
    assert len({each.json()["id"] for each in answers}) == 1


def test_an_answer_is_as_short_as_the_client_prefers(fhir: Any) -> None:
    short = fhir.send("POST", "Patient", patient(), Prefer="return=minimal")
    assert (short.status_code, short.content) == (201, b"")
    assert "/_history/" in short.headers["location"]
    reported = fhir.send("POST", "Patient", patient(), Prefer="return=OperationOutcome")
    assert reported.json()["resourceType"] == "OperationOutcome"


def test_parameters_of_google_are_none_of_fhir(fhir: Any) -> None:
    assert fhir.send("POST", "Patient?alt=json&prettyPrint=false", patient()).status_code == 201
    query = "Patient?identifier=7001&alt=json&key=k"
    assert fhir.send("PUT", query, patient()).status_code == 201


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"resourceType": 7}', b"{}"])
def test_a_body_that_is_no_resource_is_refused(fhir: Any, body: bytes) -> None:
    refused = fhir.refused(400, "POST", "Patient", body)
    assert refused["details"]["text"] == "unparseable_resource"
    assert refused["code"] == "structure"


def test_stores_of_other_versions_hold_no_data_yet(make_fhir: MakeFhir) -> None:
    stu3 = make_fhir("stu3", version="STU3")
    answer = stu3.send("GET", "Patient/a")
    assert answer.status_code == 501
    assert "version STU3" in answer.json()["error"]["message"]


def test_a_deleted_store_takes_its_resources_along(make_fhir: MakeFhir, client: Any) -> None:
    fhir = make_fhir("short")
    fhir.put(patient("a"))
    fhir.put(patient("a"))
    client.delete(f"/v1/{fhir.store}").raise_for_status()
    assert fhir.send("GET", "Patient/a").status_code == 404
    again = make_fhir("short")
    assert again.refused(404, "GET", "Patient/a")["code"] == "not-found"


def test_metrics_count_versions_by_type(fhir: Any, client: Any) -> None:
    assert client.get(f"/v1/{fhir.store}:getFHIRStoreMetrics").json() == {"name": fhir.store}
    fhir.put(patient("a"))
    fhir.put(patient("a"))
    fhir.put(observation("Patient/a", "o"))
    found = client.get(f"/v1/{fhir.store}:getFHIRStoreMetrics").json()["metrics"]
    assert [(each["resourceType"], each["count"]) for each in found] == [
        ("Observation", "1"),
        ("Patient", "1"),
    ]
    assert "versionedStorageSizeBytes" not in found[0]
    assert int(found[1]["versionedStorageSizeBytes"]) > 0


def test_a_binary_is_stored_raw_and_read_by_its_media_type(fhir: Any) -> None:
    fhir.put(patient("a"))
    created = fhir.send("POST", "Binary", b"\x00\x01", "image/png", X_Security_Context="Patient/a")
    assert (created.status_code, created.content) == (201, b"")
    path = created.headers["location"].partition("/fhir/")[2]
    binary = path.partition("/_history")[0]
    as_json = fhir.ok("GET", binary)
    assert as_json["data"] == base64.b64encode(b"\x00\x01").decode()
    assert as_json["securityContext"] == {"reference": "Patient/a"}
    for each in (binary, path):
        raw = fhir.send("GET", each, Accept="image/png")
        assert (raw.content, raw.headers["content-type"]) == (b"\x00\x01", "image/png")
    assert fhir.send("PUT", binary, b"text", "text/plain").status_code == 200
    assert fhir.send("GET", binary, Accept="text/plain").text == "text"
    other = fhir.send("POST", "Binary", patient("a"))
    assert other.content == b""
    resource = {"resourceType": "Binary", "contentType": "text/plain", "data": "dGV4dA=="}
    assert fhir.ok("POST", "Binary", resource)["data"] == "dGV4dA=="


def test_validate_reports_and_stores_nothing(fhir: Any) -> None:
    valid = fhir.ok("POST", "Patient/$validate", patient("a"))
    assert valid["issue"][0]["severity"] == "information"
    assert fhir.refused(404, "GET", "Patient/a")
    assert fhir.refused(400, "POST", "Patient/$validate", observation("Patient/a"))
    refused = fhir.refused(400, "POST", "Patient/$validate?profile=urn:none", patient())
    assert refused["details"]["text"] == "profile_not_found"


def test_capabilities_are_those_of_the_store(make_fhir: MakeFhir) -> None:
    fhir = make_fhir("plain", disableResourceVersioning=True, enableUpdateCreate=False)
    statement = fhir.ok("GET", "metadata")
    assert statement["fhirVersion"] == "4.0.1"
    [rest] = statement["rest"]
    interactions = [each["code"] for each in rest["interaction"]]
    assert interactions == ["batch", "transaction", "search-system"]
    assert len(rest["resource"]) == 146
    [patients] = [each for each in rest["resource"] if each["type"] == "Patient"]
    assert patients["updateCreate"] is False
    assert "vread" not in [each["code"] for each in patients["interaction"]]
    assert fhir.refused(400, "POST", "Parameters/$validate", patient())
    assert fhir.ok("POST", "CapabilityStatement/$validate", statement)


def test_members_that_are_null_have_no_value(fhir: Any) -> None:
    body = {"contained": None, "meta": None, "identifier": None, "name": [{"family": None}]}
    fhir.put(patient("a", active=True, **body))
    patched = fhir.patch("Patient/a", [{"op": "add", "path": "/gender", "value": None}]).json()
    assert set(patched) == {"resourceType", "id", "meta", "active", "name"}
    given = {"given": ["Ann", None], "_given": [None, {"id": "x"}]}
    assert fhir.put(patient("b", name=[given]))["name"] == [given]


def test_elements_of_a_wrong_type_are_refused(fhir: Any) -> None:
    wrong: tuple[Any, ...] = (5, [[]], "x")
    for code in wrong:
        refused = fhir.refused(400, "PUT", "Observation/o", observation("", "o", code=code))
        assert refused["details"]["text"] == "unparseable_resource"


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_the_root_takes_bundles_alone(fhir: Any, method: str) -> None:
    answer = fhir.send(method, "", {})
    assert (answer.status_code, answer.json()["error"]["code"]) == (405, 405)
