"""FHIR resources written and searched, beside HAPI FHIR: the same requests to both servers."""

import itertools
import json
import random
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from benchmarks import comparison, load
from benchmarks.comparison import Row
from benchmarks.fhir.resources import PER_PATIENT, SEARCHED, SYSTEM, resources, transaction
from benchmarks.load import Request
from benchmarks.local import DATASET, Local
from benchmarks.sides import Sides

CLIENTS, ROUNDS = 4, 3
CREATES, TRANSACTIONS, ENTRIES, SEARCHES = 300, 10, 100, 400
BUCKET = "benchmark-hapi"
JSON = {"Content-Type": "application/fhir+json"}
_OTHERS = 10 * SEARCHED
"""The number of the first resource that no search finds."""
_SEARCHES = {
    "by identifier": ("Patient?identifier={}", 1),
    "by a chain": ("Observation?subject:Patient.identifier={}", PER_PATIENT - 1),
}


def measure_hapi(sides: Sides) -> Iterator[Row]:
    """Measure creates, transactions of 100, and searches among many resources, in turns."""
    local = sides.local
    body = {"version": "R4", "enableUpdateCreate": True}
    created = local.post(f"/v1/{DATASET}/fhirStores", body, fhirStoreId="beside-hapi")
    roots = (f"{local.running.url}/v1/{created['name']}/fhir", sides.hapi)
    yield _creates(roots)
    yield _transactions(roots)
    sides.report(f"filling both FHIR servers with {SEARCHED} resources (minutes)")
    yield _filling(local, created["name"], sides.hapi)
    for name, (query, found) in _SEARCHES.items():
        yield _searches(roots, name, query, found)


def _creates(roots: tuple[str, str]) -> Row:
    some = resources(CREATES, _OTHERS)
    patients = [one for one in some if one["resourceType"] == "Patient"]
    bodies = [json.dumps(patients[number % len(patients)]).encode() for number in range(CREATES)]
    requests = [Request("POST", "/Patient", body, JSON) for body in bodies]
    return _row("FHIR resources created one a request", roots, CREATES, lambda: requests)


def _transactions(roots: tuple[str, str]) -> Row:
    """Measure transactions; each turn of a server brings resources that it does not have."""
    firsts = itertools.count(_OTHERS + CREATES, ENTRIES)

    def requests() -> list[Request]:
        some = [transaction(ENTRIES, next(firsts)) for _ in range(TRANSACTIONS)]
        return [Request("POST", "", json.dumps(one).encode(), JSON) for one in some]

    work = f"FHIR resources by transactions of {ENTRIES}"
    return _row(work, roots, TRANSACTIONS * ENTRIES, requests)


def _filling(local: Local, store: str, hapi: str) -> Row:
    """Bring all resources into both: by an import, and by what HAPI has for it."""
    lines = b"\n".join(json.dumps(one).encode() for one in resources(SEARCHED))
    local.bucket(BUCKET, [("all.ndjson", lines)])
    source = {"uri": f"gs://{BUCKET}/all.ndjson"}
    body = {"contentStructure": "RESOURCE", "gcsSource": source}
    done = local.operation(f"/v1/{store}:import", body)
    bundles = [transaction(ENTRIES, first) for first in range(0, SEARCHED, ENTRIES)]
    requests = [Request("POST", "", json.dumps(one).encode(), JSON) for one in bundles]
    work = f"{SEARCHED} FHIR resources by an import, the peer's by transactions"
    rates = (done.success / done.seconds, SEARCHED / _send(hapi, requests))
    return comparison.rate(work, *rates, "/s", 1)


def _searches(roots: tuple[str, str], name: str, query: str, found: int) -> Row:
    draw = random.Random(1)

    def requests() -> list[Request]:
        numbers = [draw.randrange(SEARCHED // PER_PATIENT) for _ in range(SEARCHES)]
        return [Request("GET", "/" + query.format(f"{SYSTEM}%7C{number}")) for number in numbers]

    def check(body: bytes) -> None:
        assert len(json.loads(body)["entry"]) == found

    return _row(f"FHIR searches {name} among {SEARCHED}", roots, SEARCHES, requests, check)


def _row(
    work: str,
    roots: tuple[str, str],
    count: int,
    requests: Callable[[], list[Request]],
    check: Callable[[bytes], None] = lambda _body: None,
) -> Row:
    """Measure how many a second each server does, in turns."""
    ours, peer = comparison.in_turns(
        lambda: count / _send(roots[0], requests(), check),
        lambda: count / _send(roots[1], requests(), check),
        ROUNDS,
    )
    return comparison.rate(work, ours, peer, "/s", 1)


def _send(
    root: str, requests: list[Request], check: Callable[[bytes], None] = lambda _body: None
) -> float:
    """Send requests whose paths begin at the root of a FHIR API."""
    path = urlsplit(root).path
    led = [Request(one.method, path + one.path, one.body, one.headers) for one in requests]
    return load.send(root, led, CLIENTS, check)
