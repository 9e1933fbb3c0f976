"""Two FHIR stores against a model of them: the versions of each resource, in their order.

In process and one request after the other, so that hypothesis can shrink what it finds.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
from hypothesis.stateful import invariant, rule

from tests.soak.model_machine import DATASET, ModelMachine, check

STORES = tuple(f"{DATASET}/fhirStores/{name}" for name in ("one", "two"))
PATIENTS, OBSERVATIONS = ("p1", "p2", "p3"), ("o1", "o2")
Content = tuple[str, str]
"""The code of a resource, and the patient that an observation is about; empty for a patient."""
Key = tuple[str, str]
Request = tuple[str, Key, Content]
"""The method of HTTP, the resource, and what is written."""

stores = st.sampled_from(STORES)
codes = st.sampled_from("ab")
patient_keys = st.tuples(st.just("Patient"), st.sampled_from(PATIENTS))
observation_keys = st.tuples(st.just("Observation"), st.sampled_from(OBSERVATIONS))
keys = patient_keys | observation_keys
puts = st.tuples(st.just("PUT"), patient_keys, st.tuples(codes, st.just(""))) | st.tuples(
    st.just("PUT"), observation_keys, st.tuples(codes, st.sampled_from(PATIENTS))
)
deletes = st.tuples(st.just("DELETE"), keys, st.just(("", "")))
requests = puts | deletes


class FhirStores(ModelMachine):
    """Calls, each with what the model says of its answer."""

    def __init__(self) -> None:
        super().__init__()
        self._current: dict[str, dict[Key, Content]] = {store: {} for store in STORES}
        self._past: dict[str, dict[Key, list[Content | None]]] = {store: {} for store in STORES}
        for store in STORES:
            self._make(store)

    def _make(self, store: str) -> None:
        parent, _, name = store.rpartition("/")
        body = {"version": "R4", "enableUpdateCreate": True}
        self._send("POST", f"{parent}?fhirStoreId={name}", 200, json=body)

    def _apply(self, store: str, given: list[Request]) -> bool:
        """Change the model as a transaction does; return whether it may."""
        current = dict(self._current[store])
        past = {key: [*versions] for key, versions in self._past[store].items()}
        for method, key, content in given:
            before = current.pop(key, None)
            if method == "PUT":
                current[key] = content
                past.setdefault(key, []).append(content)
            elif before is not None:
                past[key].append(None)
        if any(about and ("Patient", about) not in current for _, about in current.values()):
            return False
        self._current[store], self._past[store] = current, past
        return True

    @rule(store=stores, given=requests)
    def write(self, store: str, given: Request) -> None:
        method, key, content = given
        is_new = key not in self._current[store]
        path = f"{store}/fhir/{'/'.join(key)}"
        if self._apply(store, [given]):
            code = 201 if method == "PUT" and is_new else 200
        else:
            code = 400 if method == "PUT" else 409
        body = {"json": _resource(key, content)} if method == "PUT" else {}
        self._send(method, path, code, **body)

    @rule(
        store=stores,
        given=st.lists(requests, min_size=1, max_size=5, unique_by=lambda request: request[1]),
    )
    def transact(self, store: str, given: list[Request]) -> None:
        # Documented (http://hl7.org/fhir/R4/http.html#trules): deletes come first.
        is_done = self._apply(store, sorted(given, key=lambda request: request[0]))
        has_delete = any(method == "DELETE" for method, _, _ in given)
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [*map(_entry, given)]}
        type(self).requests += 1
        answer = self._client.post(f"/v1/{store}/fhir", json=bundle)
        assert answer.status_code in ((200,) if is_done else (400, 409 if has_delete else 400)), (
            answer.text
        )

    @rule(store=stores, key=keys, code=codes)
    def patch(self, store: str, key: Key, code: str) -> None:
        found = self._current[store].get(key)
        versions = self._past[store].get(key)
        if found is not None:
            assert self._apply(store, [("PUT", key, (code, found[1]))])
        tag = [{"op": "replace", "path": "/meta/tag/0/code", "value": code}]
        status = 200 if found else 410 if versions else 404
        headers = {"Content-Type": "application/json-patch+json"}
        path = f"{store}/fhir/{'/'.join(key)}"
        self._send("PATCH", path, status, json=tag, headers=headers)

    @rule(store=stores, key=keys)
    def purge(self, store: str, key: Key) -> None:
        if key in self._current[store]:
            self._send("DELETE", f"{store}/fhir/{'/'.join(key)}/$purge", 200)
            self._past[store][key] = [self._current[store][key]]

    @rule(store=stores)
    def delete_store(self, store: str) -> None:
        self._send("DELETE", store, 200)
        self._current[store], self._past[store] = {}, {}
        self._send("GET", f"{store}/fhir/Patient", 404)
        self._make(store)

    @rule(store=stores, key=keys)
    def read(self, store: str, key: Key) -> None:
        found, versions = self._current[store].get(key), self._past[store].get(key)
        status = 200 if found else 410 if versions else 404
        answer = self._send("GET", f"{store}/fhir/{'/'.join(key)}", status)
        if found:
            assert _content(answer.json()) == found

    @rule(store=stores, key=keys)
    def read_history(self, store: str, key: Key) -> None:
        versions = self._past[store].get(key)
        path = f"{store}/fhir/{'/'.join(key)}/_history"
        if not versions:
            return
        entries = self._send("GET", path, 200).json()["entry"]
        shown = [_content(one["resource"]) if "resource" in one else None for one in entries]
        assert shown == versions[::-1]

    @rule(store=stores, code=codes)
    def search_by_tag(self, store: str, code: str) -> None:
        self._search(store, "Patient", f"_tag={code}", lambda content: content[0] == code)
        self._search(store, "Observation", f"_tag={code}", lambda content: content[0] == code)

    @rule(store=stores, patient=st.sampled_from(PATIENTS), code=codes)
    def search_by_reference(self, store: str, patient: str, code: str) -> None:
        query = f"subject=Patient/{patient}"
        self._search(store, "Observation", query, lambda content: content[1] == patient)
        current = self._current[store]
        query = f"subject:Patient._tag={code}"
        self._search(
            store, "Observation", query, lambda content: current["Patient", content[1]][0] == code
        )

    def _search(
        self, store: str, type_: str, query: str, is_match: Callable[[Content], bool]
    ) -> None:
        found = self._send("GET", f"{store}/fhir/{type_}?{query}", 200).json()
        shown = {one["resource"]["id"]: _content(one["resource"]) for one in found.get("entry", [])}
        wanted = {
            key[1]: content
            for key, content in self._current[store].items()
            if key[0] == type_ and is_match(content)
        }
        assert shown == wanted
        assert found["total"] == len(wanted)

    @invariant()
    def metrics_count_what_is_there(self) -> None:
        for store, current in self._current.items():
            found = self._send("GET", f"{store}:getFHIRStoreMetrics", 200).json()
            counts = {
                one["resourceType"]: int(one.get("count", 0)) for one in found.get("metrics", [])
            }
            for type_ in ("Patient", "Observation"):
                assert counts.get(type_, 0) == sum(key[0] == type_ for key in current)

    @invariant()
    def the_index_holds_what_is_there(self) -> None:
        current = sorted(key for model in self._current.values() for key in model)
        with self._cloud.database.read() as connection:
            rows = connection.execute(
                "SELECT type, id, (SELECT COUNT(*) FROM fhir_references WHERE resource = number)"
                " AS edges FROM fhir_resources ORDER BY type, id"
            ).fetchall()
            assert sorted((row["type"], row["id"]) for row in rows) == current
            assert all(row["edges"] == (row["type"] == "Observation") for row in rows)
            for table in ("tokens", "strings", "ranges", "references"):
                orphans = (
                    f"SELECT COUNT(*) FROM fhir_index_{table} WHERE resource NOT IN"
                    " (SELECT number FROM fhir_resources)"
                )
                assert connection.execute(orphans).fetchone()[0] == 0


def _resource(key: Key, content: Content) -> dict[str, Any]:
    type_, id_ = key
    code, about = content
    resource = {"resourceType": type_, "id": id_, "meta": {"tag": [{"code": code}]}}
    if type_ == "Patient":
        return resource
    subject = {"reference": f"Patient/{about}"}
    return {**resource, "status": "final", "code": {"text": "pulse"}, "subject": subject}


def _content(resource: dict[str, Any]) -> Content:
    about = resource.get("subject", {}).get("reference", "").removeprefix("Patient/")
    return resource["meta"]["tag"][0]["code"], about


def _entry(given: Request) -> dict[str, Any]:
    method, key, content = given
    request = {"method": method, "url": "/".join(key)}
    body = {"resource": _resource(key, content)} if method == "PUT" else {}
    return {"request": request, **body}


def test_two_fhir_stores_and_their_model(
    soak: bool, seed: int, report: Callable[..., None], tmp_path: Path
) -> None:
    check(FhirStores, tmp_path, soak=soak, seed=seed, report=report, name="FHIR against a model")
