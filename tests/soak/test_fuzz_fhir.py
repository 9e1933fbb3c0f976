"""Damaged FHIR requests: each is answered, and none by an internal error."""

import copy
import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from emulator.app import create_app
from emulator.cloud import Cloud
from emulator.core.settings import Settings
from tests.support.emulator_names import LOCATION
from tests.support.fhir_resources import entry, observation, patient
from tests.support.new_state import write_new_state

ROUNDS, ROUNDS_LONG = 400, 50_000
STORE = f"{LOCATION}/datasets/d/fhirStores/s"
OLD = {"lastUpdated": "2020-01-01T00:00:00Z"}
PATCH = {"resourceType": "Binary", "contentType": "application/json-patch+json", "data": "W10="}
CONCEPT_MAP = {
    "resourceType": "ConceptMap",
    "id": "m",
    "url": "urn:map",
    "status": "active",
    "group": [{"source": "urn:a", "element": [{"code": "1", "target": [{"code": "2"}]}]}],
}
BUNDLES: tuple[dict[str, Any], ...] = (
    {
        "type": "transaction",
        "entry": [
            entry("PUT", "Patient/a", patient("a"), "urn:uuid:1"),
            entry("POST", "Observation", observation("urn:uuid:1"), ifNoneExist="identifier=a"),
            entry("PATCH", "Patient/a", PATCH),
            entry("DELETE", "Observation/o"),
        ],
    },
    {
        "type": "batch",
        "entry": [
            entry("PUT", "Patient?identifier=s|v", patient()),
            entry("GET", "Patient/a/_history/x"),
        ],
    },
    {
        "type": "history",
        "entry": [
            entry("PUT", "Patient/a", patient("a", meta=OLD)),
            {**entry("DELETE", "Patient/a"), "response": {"lastModified": "2021-01-01T00:00:00Z"}},
        ],
    },
)
BODIES: tuple[Any, ...] = (
    patient("a", identifier=[{"system": "s", "value": "v"}], name=[{"family": "Sample"}]),
    observation("Patient/a", "o", effectiveDateTime="2020", valueQuantity={"value": 1}),
    CONCEPT_MAP,
    [{"op": "add", "path": "/active", "value": True}, {"op": "move", "from": "/id", "path": "/x"}],
)
PATHS = (
    *("", "Patient", "Patient/a", "Observation/o", "ConceptMap/m", "Binary", "Binary/b"),
    *("metadata", "Patient?identifier=s|v", "Patient?identifier=,|\\", "Patient?name=a"),
    *("_search?_type=Patient", "Patient/$validate", "Patient/a/$purge", "Patient/a/_history/x"),
    *("Patient/a/_history?_at=9999", "$references?target=Patient/a"),
    *("Patient/a/$everything?start=0001-01-01&end=9999-12-31",),
    *("ConceptMap/$translate?url=urn:map&code=1&system=urn:a",),
    *("Observation/$lastn?patient=a&code=1",),
)
VALUES: tuple[Any, ...] = (
    *(None, True, 5, 1.5, 10**30, "", [], {}, [[]], {"a": [1]}, ["x"]),
    *("x" * 3000, "\x00", "\ud800", "Patient/a", "#a", "2020", "urn:uuid:1"),
)
HEADERS = ("If-Match", "If-None-Match", "If-None-Exist", "Prefer", "If-Modified-Since", "Accept")
TEXTS = ("", 'W/"MTU"', "*", '""', "identifier=s|v", "return=minimal", "Wed, 01 Jan 2020", "9" * 30)


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    """A client of an emulator with a FHIR store, in process."""
    urls: dict[str, Any] = dict.fromkeys(
        ("root_url", "bigquery_url", "storage_url"), "http://127.0.0.1:1"
    )
    write_new_state(tmp_path)
    cloud = Cloud(Settings(state_dir=tmp_path, **urls))
    cloud.service_usage.services.enable("local-project", ["healthcare.googleapis.com"])
    body = {"version": "R4", "enableUpdateCreate": True, "enableHistoryModifications": True}
    app = create_app(cloud)
    with TestClient(app, "http://127.0.0.1", raise_server_exceptions=False) as client:
        parent = f"/v1beta1/{LOCATION}/datasets"
        client.post(f"{parent}?datasetId=d", json={}).raise_for_status()
        client.post(f"{parent}/d/fhirStores?fhirStoreId=s", json=body).raise_for_status()
        yield client


def members(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield each member of objects and arrays with what holds it."""
    for key, member in [*value.items()] if isinstance(value, dict) else [*enumerate(value)]:
        yield value, key
        if isinstance(member, (dict, list)):
            yield from members(member)


def damaged(draw: random.Random, body: Any) -> Any:
    """Return a body of which some members are replaced or removed."""
    body = copy.deepcopy(body)
    for _ in range(draw.choice([0, 1, 1, 2])):
        if not (found := [*members(body)]):
            break
        parent, key = draw.choice(found)
        if draw.random() < 0.3:
            del parent[key]
        elif isinstance(parent, dict) and draw.random() < 0.3:
            parent[draw.choice(["extension", "meta", "contained", "_id"])] = draw.choice(VALUES)
        else:
            parent[key] = copy.deepcopy(draw.choice(VALUES))
    return body


def test_a_damaged_request_is_answered(
    soak: bool, draw: random.Random, report: Callable[..., None], client: TestClient
) -> None:
    statuses: Counter[int] = Counter()
    for _ in range(ROUNDS_LONG if soak else ROUNDS):
        method, path = draw.choice(["GET", "POST", "PUT", "PATCH", "DELETE"]), draw.choice(PATHS)
        body = draw.choice(BODIES)
        if draw.random() < 0.5:
            method, path, body = "POST", "", {"resourceType": "Bundle", **draw.choice(BUNDLES)}
        headers = {name: draw.choice(TEXTS) for name in HEADERS if draw.random() < 0.15}
        is_patch = method == "PATCH"
        headers["Content-Type"] = f"application/{'json-patch' if is_patch else 'fhir'}+json"
        content = json.dumps(damaged(draw, body)) if method in ("POST", "PUT", "PATCH") else None
        url = f"/v1beta1/{STORE}/fhir{f'/{path}' if path else ''}"
        answer = client.request(method, url, content=content, headers=headers)
        statuses[answer.status_code] += 1
        assert answer.status_code != 500, (method, path, headers, content)
    assert {200, 201, 400} <= set(statuses)
    rounds = sum(statuses.values())
    report("damaged FHIR requests", tried=rounds, refused=rounds - statuses[200] - statuses[201])
