"""Every method of the APIs with nonsense: ids, queries and bodies, made from the documents."""

import json
import random
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.soak.api_methods import NAMES, Method, methods
from tests.soak.fuzzing import LOCATION, PROJECT, Target, target
from tests.support.dicom_files import make_dicom

pytestmark = pytest.mark.sockets

CALLS, CALLS_LONG = 5, 80
"""Of each method."""
CALLS_BETWEEN_FURNISHING = 100
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
    b"{'a': 'b\\",
    b"{a: b}",
    b"{'a':" * 5000,
    b"{" + b"\\'" * 20_000,
    b"{,}",
)
"""Bodies that are not a JSON object, or only begin like one."""


@pytest.fixture(scope="module")
def victim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    with target(tmp_path_factory.mktemp("fuzz-bodies")) as running:
        yield running


def furnish(victim: Target) -> None:
    """Make what the names lead to, where an earlier call has taken it away."""
    post = victim.client.post
    dataset = f"/v1/{LOCATION}/datasets"
    post(f"{dataset}?datasetId=fuzzed", json={})
    post(f"{dataset}/fuzzed/dicomStores?dicomStoreId=s", json={})
    post(f"{dataset}/fuzzed/fhirStores?fhirStoreId=f", json={"version": "R4"})
    post(f"{dataset}/fuzzed/hl7V2Stores?hl7V2StoreId=h", json={})
    consents = f"{dataset}/fuzzed/consentStores"
    post(f"{consents}?consentStoreId=c", json={"enableConsentCreateOnUpdate": True})
    attribute = {"category": "REQUEST", "allowedValues": ["text"]}
    post(f"{consents}/c/attributeDefinitions?attributeDefinitionId=fuzzed", json=attribute)
    artifact = post(f"{consents}/c/consentArtifacts", json={"userId": "text"})
    consent = {"userId": "text", "consentArtifact": artifact.json().get("name", "")}
    victim.client.patch(f"{consents}/c/consents/fuzzed?updateMask=userId", json=consent)
    post(f"{consents}/c/userDataMappings", json={"userId": "text", "dataId": "text"})
    headers = {"Content-Type": "application/dicom"}
    web = f"{dataset}/fuzzed/dicomStores/s/dicomWeb/studies"
    post(web, content=make_dicom(), headers=headers)
    topic = f"projects/{PROJECT}/topics/fuzzed"
    victim.client.put(f"/v1/{topic}", json={})
    victim.client.put(f"/v1/projects/{PROJECT}/subscriptions/fuzzed", json={"topic": topic})
    rings = f"/v1/{LOCATION}/keyRings"
    post(f"{rings}?keyRingId=fuzzed", json={})
    sink = {"name": "fuzzed", "destination": f"storage.googleapis.com/{PROJECT}-logs"}
    post(f"/v2/projects/{PROJECT}/sinks", json=sink)
    metric = {"name": "fuzzed", "filter": "severity>=ERROR"}
    post(f"/v2/projects/{PROJECT}/metrics", json=metric)
    entries = {"logName": f"projects/{PROJECT}/logs/fuzzed", "entries": [{"textPayload": "a"}]}
    post("/v2/entries:write", json=entries)
    post(f"/v1/projects/{PROJECT}/serviceAccounts", json={"accountId": "fuzzed"})
    post(f"/v1/projects/{PROJECT}/roles", json={"roleId": "fuzzed", "role": {"title": "a"}})
    keys = {"purpose": "ENCRYPT_DECRYPT"}
    datasets = f"/bigquery/v2/projects/{PROJECT}/datasets"
    reference = {"projectId": PROJECT, "datasetId": "fuzzed"}
    post(datasets, json={"datasetReference": reference})
    table: dict[str, Any] = {"tableReference": {**reference, "tableId": "fuzzed"}}
    table["schema"] = {"fields": [{"name": "a", "type": "STRING"}]}
    post(f"{datasets}/fuzzed/tables", json=table)
    post(f"/storage/v1/b?project={PROJECT}", json={"name": "fuzzed"})
    post(f"{rings}/fuzzed/cryptoKeys?cryptoKeyId=fuzzed", json=keys)


def value(
    draw: random.Random, method: Method, field_schema: Mapping[str, Any], depth: int = 0
) -> Any:
    """Return a value of a schema, or sometimes an invalid one."""
    if draw.random() < 0.12 or depth > 6:
        return draw.choice(WRONG)
    if "$ref" in field_schema:
        fields = method.schemas[field_schema["$ref"]].get("properties", {})
        given = {
            name: value(draw, method, inner, depth + 1)
            for name, inner in fields.items()
            if draw.random() < 0.5
        }
        if draw.random() < 0.1:
            given[draw.choice(HOSTILE)] = draw.choice(WRONG)
        return given
    if "enum" in field_schema:
        return draw.choice([*field_schema["enum"], "NONSENSE"])
    if field_schema["type"] == "array":
        return [
            value(draw, method, field_schema["items"], depth + 1) for _ in range(draw.randrange(4))
        ]
    if field_schema["type"] == "object":
        inner = field_schema.get("additionalProperties", {"type": "string"})
        return {draw.choice(HOSTILE): value(draw, method, inner, depth + 1)}
    simple: dict[str, tuple[Any, ...]] = {
        "boolean": (True, False),
        "integer": (0, 1, -5, 2**31),
        "number": (0.5, -1.0),
        "any": WRONG,
    }
    texts = ("text", "2024-01-01T00:00:00Z", "3600s", "12", "QUJD", *NAMES.values(), *HOSTILE)
    return draw.choice(simple.get(field_schema["type"], texts))


def path_of(draw: random.Random, method: Method) -> str:
    path = method.spec.get("flatPath", method.spec["path"])
    for name in method.spec.get("parameters", {}):
        path = path.replace(f"{{+{name}}}", f"{{{name}}}")
    parts = path.split("{")
    path = parts[0]
    for part in parts[1:]:
        name, _, rest = part.partition("}")
        given = draw.choice(HOSTILE) if draw.random() < 0.2 else NAMES.get(name, "x")
        path += quote(given, safe=draw.choice(("", "/%"))) + rest
    return f"/{method.root}{path}"


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


def lenient(text: str) -> str:
    """Write strict JSON as only Google's parser reads it."""
    single = re.sub(
        r'"((?:[^"\\]|\\.)*)"',
        lambda match: "'" + match[1].replace('\\"', '"').replace("'", "\\'") + "'",
        text,
    )
    return re.sub(r"(?<=[^\s{\[])([}\]])$", r",\1", single)


def body_of(draw: random.Random, method: Method) -> dict[str, Any]:
    if "request" not in method.spec:
        return {}
    if draw.random() < 0.15:
        content = draw.choice(RAW)
    else:
        body = value(draw, method, method.spec["request"])
        text = json.dumps(body, ensure_ascii=draw.random() < 0.5)
        content = (lenient(text) if draw.random() < 0.2 else text).encode("utf-8", "replace")
    return {"content": content, "headers": {"Content-Type": "application/json"}}


def check_error(answer: httpx.Response, what: str) -> None:
    """See that an error is of Google's shape: in a FHIR store an OperationOutcome."""
    if answer.headers.get("Content-Type", "").startswith("application/fhir+json"):
        outcome = answer.json()
        assert outcome["resourceType"] == "OperationOutcome", what
        assert all(issue["code"] and issue["severity"] for issue in outcome["issue"]), what
        return
    assert answer.headers.get("Content-Type", "").startswith("application/json"), (
        f"{answer.status_code} {answer.text[:200]!r} by {what}"
    )
    error = answer.json()["error"]
    assert error["code"] == answer.status_code, what
    assert error["message"], what
    assert error["status"].isupper(), what


def test_every_method_takes_nonsense(
    victim: Target, draw: random.Random, seed: int, soak: bool, report: Callable[..., None]
) -> None:
    known = methods()
    assert len(known) > 200
    calls = 0
    for _ in range(CALLS_LONG if soak else CALLS):
        for method in known:
            if calls % CALLS_BETWEEN_FURNISHING == 0:
                furnish(victim)
            path, query = path_of(draw, method), query_of(draw, method)
            body = body_of(draw, method)
            shown = body.get("content", b"")[:500]
            what = f"seed {seed}, call {calls}: {method.name} {path[:200]} {query} {shown!r}"
            answer = victim.call(method.spec["httpMethod"], path, what, params=query, **body)
            calls += 1
            # The client shortens paths with dots, which may lead to the other programs.
            if answer.status_code >= 400 and answer.request.url.path.startswith(
                ("/v1", "/v2", "/v3")
            ):
                check_error(answer, what)
    victim.check()
    report("methods with nonsense", tried=calls, methods=len(known), lost=0)
