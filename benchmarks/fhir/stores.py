"""FHIR stores: writes, searches among many resources, import, and export to BigQuery."""

import json
import random
import time
from collections.abc import Iterator
from typing import Any

from benchmarks import comparison, exporting, load
from benchmarks.comparison import Row
from benchmarks.fhir.resources import (
    IMPORTED,
    PER_PATIENT,
    SEARCHED,
    SYSTEM,
    resources,
    transaction,
)
from benchmarks.load import Request
from benchmarks.local import DATASET, Local
from benchmarks.memory import Watch
from benchmarks.sides import Sides
from emulator.core.settings import PROJECT

CLIENTS = 4
CREATES, TRANSACTIONS, ENTRIES, SEARCHES = 1_000, 20, 100, 400
IMPORT_GOAL, MEMORY_GOAL, EXPORT_GOAL = 1_500, 600, 1.5
BUCKET = "benchmark-fhir"
JSON = {"Content-Type": "application/fhir+json"}


def measure_fhir(sides: Sides) -> Iterator[Row]:
    """Measure what a FHIR store does; its peers are goals, and a load job of the same rows."""
    local = sides.local
    yield from _writes(sides)
    sides.report(f"writing {SEARCHED} resources into a bucket, and importing them (minutes)")
    yield from _import(local)
    store = _filled(local)
    yield from _searches(sides, store)
    yield _export(sides, store)


def _new_store(local: Local, name: str) -> str:
    body = {"version": "R4", "enableUpdateCreate": True}
    return str(local.post(f"/v1/{DATASET}/fhirStores", body, fhirStoreId=name)["name"])


def _writes(sides: Sides) -> Iterator[Row]:
    """Create resources one a request, and by transactions; the rate of both counts resources."""
    local = sides.local
    store = _new_store(local, "written")
    sides.report(f"{CREATES} creates, and {TRANSACTIONS} transactions of {ENTRIES}")
    path = f"/v1/{store}/fhir"
    some = [one for one in resources(CREATES * 2) if one["resourceType"] == "Patient"]
    posts = [
        Request("POST", f"{path}/Patient", json.dumps(some[number % len(some)]).encode(), JSON)
        for number in range(CREATES)
    ]
    transactions = [
        Request("POST", path, json.dumps(transaction(ENTRIES, number * ENTRIES)).encode(), JSON)
        for number in range(TRANSACTIONS)
    ]
    single = CREATES / load.send(local.running.url, posts, CLIENTS)
    together = TRANSACTIONS * ENTRIES / load.send(local.running.url, transactions, CLIENTS)
    work = f"FHIR resources by transactions of {ENTRIES}, beside one a request"
    yield comparison.rate(work, together, single, "resources/s", 1)


def _import(local: Local) -> Iterator[Row]:
    """Import a file of many resources into an empty store."""
    store = _new_store(local, "imported")
    lines = [json.dumps(one).encode() for one in resources(SEARCHED)]
    files = {"first.ndjson": lines[:IMPORTED], "second.ndjson": lines[IMPORTED:]}
    local.bucket(BUCKET, ((name, b"\n".join(some)) for name, some in files.items()))
    with Watch(local.running.pid) as memory:
        done = _bring_in(local, store, "first.ndjson")
    rate = done.success / done.seconds
    work = f"import of {IMPORTED} FHIR resources"
    yield comparison.floor(work, rate, IMPORT_GOAL, "resources/s")
    yield comparison.ceiling("its memory, all told", memory.peak_mb, MEMORY_GOAL, "MB")


def _bring_in(local: Local, store: str, name: str) -> Any:
    body = {"contentStructure": "RESOURCE", "gcsSource": {"uri": f"gs://{BUCKET}/{name}"}}
    return local.operation(f"/v1/{store}:import", body)


def _filled(local: Local) -> str:
    """Return the store of the import, with the other resources too."""
    store = f"{DATASET}/fhirStores/imported"
    _bring_in(local, store, "second.ndjson")
    return store


def _searches(sides: Sides, store: str) -> Iterator[Row]:
    """Search by identifier, and by a chain: the second finds what the first one's patient has."""
    sides.report(f"searches among {SEARCHED} FHIR resources")
    draw = random.Random(1)
    numbers = [draw.randrange(SEARCHED // PER_PATIENT) for _ in range(SEARCHES)]
    values = [f"{SYSTEM}|{number}" for number in numbers]
    rates = []
    for query, expected in (
        ("Patient?identifier={}", 1),
        ("Observation?subject:Patient.identifier={}", PER_PATIENT - 1),
    ):
        paths = [f"/v1/{store}/fhir/{query.format(value)}" for value in values]
        requests = [Request("GET", path) for path in paths]

        def check(body: bytes, expected: int = expected) -> None:
            assert json.loads(body)["total"] == expected

        rates.append(SEARCHES / load.send(sides.local.running.url, requests, CLIENTS, check))
    work = f"FHIR search by a chain among {SEARCHED}, beside one by identifier"
    yield comparison.rate(work, rates[1], rates[0], "requests/s", 0.2)


def _export(sides: Sides, store: str) -> Row:
    """Export to a dataset, beside load jobs of the rows that arrived."""
    local = sides.local
    client = exporting.client_of(local)
    sides.report(f"exporting {SEARCHED} FHIR resources to BigQuery, and loading the same rows")
    dataset = "fhir_export"
    client.create_dataset(f"{PROJECT}.{dataset}")
    schema = {"schemaType": "ANALYTICS_V2"}
    destination = {"datasetUri": f"bq://{PROJECT}.{dataset}", "schemaConfig": schema}
    began = time.perf_counter()
    local.operation(f"/v1/{store}:export", {"bigqueryDestination": destination})
    ours = time.perf_counter() - began
    peer = 0.0
    for type_ in ("Observation", "Patient"):
        exported = client.get_table(f"{PROJECT}.{dataset}.{type_}")
        found = client.query(f"SELECT TO_JSON_STRING(t) FROM `{exported.reference}` t").result()
        rows = "\n".join(row[0] for row in found).encode()
        began = time.perf_counter()
        exporting.load_rows(client, f"{PROJECT}.{dataset}.{type_}Again", exported.schema, rows)
        peer += time.perf_counter() - began
    work = f"export of {SEARCHED} FHIR resources to BigQuery"
    return comparison.duration(work, ours, peer, EXPORT_GOAL)
