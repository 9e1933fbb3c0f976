"""Every method of the APIs with nonsense: ids, queries and bodies, made from the documents."""

import json
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from emulator.discovery import document
from tests.soak.fuzzing import LOCATION, PROJECT, Target, target
from tests.unit.emulator.healthcare.dicom.conftest import make_dicom

pytestmark = pytest.mark.sockets

CALLS, CALLS_LONG = 8, 80
"""Of each method."""
APIS = (
    ("healthcare", "v1"),
    ("healthcare", "v1beta1"),
    ("pubsub", "v1"),
    ("cloudkms", "v1"),
    ("cloudresourcemanager", "v1"),
    ("serviceusage", "v1"),
)
"""Those that the emulator answers by itself."""
_VERBS = ("insert", "get", "patch", "update", "delete")
FRONTS = (
    ("bigquery", "v2", {f"bigquery.datasets.{verb}" for verb in _VERBS}),
    ("bigquery", "v2", {f"bigquery.tables.{verb}" for verb in (*_VERBS, "list")}),
    ("storage", "v1", {f"storage.buckets.{verb}" for verb in (*_VERBS, "list")}),
    ("storage", "v1", {f"storage.buckets.{verb}IamPolicy" for verb in ("get", "set")}),
)
"""Those that it answers in front of BigQuery's and Cloud Storage's stand-ins, others' programs."""
NAMES = {
    "projectsId": PROJECT,
    "projectId": PROJECT,
    "project": PROJECT,
    "locationsId": "us-central1",
    "datasetsId": "fuzzed",
    "dicomStoresId": "s",
    "fhirStoresId": "f",
    "hl7V2StoresId": "h",
    "consentStoresId": "c",
    "studiesId": "1.2.3",
    "seriesId": "1.2.3.4",
    "instancesId": "1.2.3.4.5",
    "framesId": "1",
    "topicsId": "fuzzed",
    "subscriptionsId": "fuzzed",
    "keyRingsId": "fuzzed",
    "cryptoKeysId": "fuzzed",
    "tablesId": "fuzzed",
    "bucket": "fuzzed",
}
"""What there is: half of the nonsense is to reach something."""
HOSTILE = (
    "..",
    "../..",
    "%2e%2e%2f",
    "a/b",
    "\0",
    "\n",
    "x" * 4000,
    "☃",
    "'; DROP TABLE operations; --",
    " ",
    "-",
    "{}",
    "x:y",
)
WRONG: tuple[Any, ...] = (
    None,
    True,
    -1,
    2**70,
    10**4000,
    1e308,
    "",
    "x" * 10_000,
    "\0",
    "9" * 5000,
    "gs://",
    "bq://a.b.c",
    [],
    [None],
    [[[[]]]],
    {},
    {"": None},
    {"unknown": {"unknown": []}},
)
RAW = (
    b"",
    b"{",
    b"[]",
    b"null",
    b"\xff\xfe",
    b'"text"',
    b"[" * 50_000,
    b'{"a":' * 5000,
    b"1" * 6000,
)
"""Bodies that are no JSON object, or are none for long."""


@dataclass(frozen=True)
class Method:
    """A method of an API's document."""

    api: str
    version: str
    spec: Mapping[str, Any]

    @property
    def root(self) -> str:
        """What comes before its path: nothing where that begins with the version."""
        root: str = document(self.api, self.version)["servicePath"]
        return root

    @property
    def name(self) -> str:
        return f"{self.version} {self.spec['id']}"

    @property
    def schemas(self) -> Mapping[str, Any]:
        schemas: Mapping[str, Any] = document(self.api, self.version)["schemas"]
        return schemas


def methods() -> list[Method]:
    found: list[Method] = []
    for api, version in APIS:
        pending = [document(api, version)]
        while pending:
            node = pending.pop()
            pending += node.get("resources", {}).values()
            found += [Method(api, version, one) for one in node.get("methods", {}).values()]
    for api, version, ids in FRONTS:
        kind = sorted(ids)[0].split(".")[1]
        known = document(api, version)["resources"][kind]["methods"].values()
        found += [Method(api, version, one) for one in known if one["id"] in ids]
    return found


@pytest.fixture(scope="module")
def victim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    with target(tmp_path_factory.mktemp("fuzz-bodies")) as made:
        yield made


def furnish(victim: Target) -> None:
    """Make what the names lead to, where an earlier call has taken it away."""
    post = victim.client.post
    dataset = f"/v1/{LOCATION}/datasets"
    post(f"{dataset}?datasetId=fuzzed", json={})
    post(f"{dataset}/fuzzed/dicomStores?dicomStoreId=s", json={})
    post(f"{dataset}/fuzzed/fhirStores?fhirStoreId=f", json={"version": "R4"})
    post(f"{dataset}/fuzzed/hl7V2Stores?hl7V2StoreId=h", json={})
    post(f"{dataset}/fuzzed/consentStores?consentStoreId=c", json={})
    headers = {"Content-Type": "application/dicom"}
    web = f"{dataset}/fuzzed/dicomStores/s/dicomWeb/studies"
    post(web, content=make_dicom(), headers=headers)
    topic = f"projects/{PROJECT}/topics/fuzzed"
    victim.client.put(f"/v1/{topic}", json={})
    victim.client.put(f"/v1/projects/{PROJECT}/subscriptions/fuzzed", json={"topic": topic})
    rings = f"/v1/{LOCATION}/keyRings"
    post(f"{rings}?keyRingId=fuzzed", json={})
    keys = {"purpose": "ENCRYPT_DECRYPT"}
    warehouse = f"/bigquery/v2/projects/{PROJECT}/datasets"
    reference = {"projectId": PROJECT, "datasetId": "fuzzed"}
    post(warehouse, json={"datasetReference": reference})
    table: dict[str, Any] = {"tableReference": {**reference, "tableId": "fuzzed"}}
    table["schema"] = {"fields": [{"name": "a", "type": "STRING"}]}
    post(f"{warehouse}/fuzzed/tables", json=table)
    post(f"/storage/v1/b?project={PROJECT}", json={"name": "fuzzed"})
    post(f"{rings}/fuzzed/cryptoKeys?cryptoKeyId=fuzzed", json=keys)


def value(draw: random.Random, method: Method, kind: Mapping[str, Any], depth: int = 0) -> Any:
    """Give a value of a schema, or now and then one that is not."""
    if draw.random() < 0.12 or depth > 6:
        return draw.choice(WRONG)
    if "$ref" in kind:
        fields = method.schemas[kind["$ref"]].get("properties", {})
        given = {
            name: value(draw, method, inner, depth + 1)
            for name, inner in fields.items()
            if draw.random() < 0.5
        }
        if draw.random() < 0.1:
            given[draw.choice(HOSTILE)] = draw.choice(WRONG)
        return given
    if "enum" in kind:
        return draw.choice([*kind["enum"], "NONSENSE"])
    if kind["type"] == "array":
        return [value(draw, method, kind["items"], depth + 1) for _ in range(draw.randrange(4))]
    if kind["type"] == "object":
        inner = kind.get("additionalProperties", {"type": "string"})
        return {draw.choice(HOSTILE): value(draw, method, inner, depth + 1)}
    simple: dict[str, tuple[Any, ...]] = {
        "boolean": (True, False),
        "integer": (0, 1, -5, 2**31),
        "number": (0.5, -1.0),
        "any": WRONG,
    }
    texts = ("text", "2024-01-01T00:00:00Z", "3600s", "12", "QUJD", *NAMES.values(), *HOSTILE)
    return draw.choice(simple.get(kind["type"], texts))


def path_of(draw: random.Random, method: Method) -> str:
    path = method.spec.get("flatPath", method.spec["path"])
    for name in method.spec.get("parameters", {}):
        path = path.replace(f"{{+{name}}}", f"{{{name}}}")
    parts = path.split("{")
    made = parts[0]
    for part in parts[1:]:
        name, _, rest = part.partition("}")
        given = draw.choice(HOSTILE) if draw.random() < 0.2 else NAMES.get(name, "x")
        made += quote(given, safe=draw.choice(("", "/%"))) + rest
    return f"/{method.root}{made}"


def query_of(draw: random.Random, method: Method) -> dict[str, str]:
    names = [
        name
        for name, spec in method.spec.get("parameters", {}).items()
        if spec.get("location") == "query"
    ]
    values = (*HOSTILE, "1", "-1", "9" * 5000, "a,b.c", "(" * 2000, "done=true", "all", "new1")
    chosen = {name: draw.choice(values) for name in names if draw.random() < 0.5}
    if draw.random() < 0.1:
        chosen["fields"] = draw.choice(values)
    return chosen


def body_of(draw: random.Random, method: Method) -> dict[str, Any]:
    if "request" not in method.spec:
        return {}
    if draw.random() < 0.15:
        content = draw.choice(RAW)
    else:
        made = value(draw, method, method.spec["request"])
        content = json.dumps(made, ensure_ascii=draw.random() < 0.5).encode("utf-8", "replace")
    return {"content": content, "headers": {"Content-Type": "application/json"}}


def check_error(answer: httpx.Response, what: str) -> None:
    """See that an error is of Google's shape."""
    assert answer.headers.get("Content-Type", "").startswith("application/json"), (
        f"{answer.status_code} {answer.text[:200]!r} by {what}"
    )
    error = answer.json()["error"]
    assert error["code"] == answer.status_code, what
    assert error["message"], what
    assert error["status"].isupper(), what


def test_every_method_takes_nonsense(
    victim: Target, draw: random.Random, seed: int, soak: bool, tell: Callable[..., None]
) -> None:
    known = methods()
    assert len(known) > 200
    calls = 0
    for _ in range(CALLS_LONG if soak else CALLS):
        for method in known:
            if calls % 50 == 0:
                furnish(victim)
            path, query = path_of(draw, method), query_of(draw, method)
            body = body_of(draw, method)
            shown = body.get("content", b"")[:500]
            what = f"seed {seed}, call {calls}: {method.name} {path[:200]} {query} {shown!r}"
            answer = victim.call(method.spec["httpMethod"], path, what, params=query, **body)
            calls += 1
            # The client shortens paths with dots, which may lead to the other programs.
            if answer.status_code >= 400 and answer.request.url.path.startswith("/v1"):
                check_error(answer, what)
    victim.check()
    tell("methods with nonsense", tried=calls, methods=len(known), lost=0)
