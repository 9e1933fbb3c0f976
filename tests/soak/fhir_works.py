"""The works with FHIR data at which the emulator is killed."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from tests.soak.crash_works import BUCKET, DATASET, TOPIC
from tests.soak.crashing import GONE, PROJECT, Changes, Key, KilledEmulator, fresh

IMPORTED = "imported"
"""What the names of stores begin with that an import filled: it notifies nothing."""
LINES = 300
"""Resources of the file that is imported: two transactions of an import."""
_TAG = "http://example.com/works"
Resource = dict[str, Any]


def prepare(victim: KilledEmulator) -> None:
    """Put a file of resources into the bucket."""
    lines = (json.dumps(_patient(fresh("p"), "import")) for _ in range(LINES))
    path = f"/upload/storage/v1/b/{BUCKET}/o?uploadType=media&name=fhir.ndjson"
    victim.call("POST", path, content="\n".join(lines).encode())


def _patient(id_: str, tag: str, family: str = "Initial") -> Resource:
    return {
        "resourceType": "Patient",
        "id": id_,
        "meta": {"tag": [{"system": _TAG, "code": tag}]},
        "name": [{"family": family}],
    }


def _observation(id_: str, tag: str, patient: str) -> Resource:
    return {
        "resourceType": "Observation",
        "id": id_,
        "meta": {"tag": [{"system": _TAG, "code": tag}]},
        "status": "final",
        "code": {"text": "pulse"},
        "subject": {"reference": f"Patient/{patient}"},
    }


def _new_store(victim: KilledEmulator, prefix: str = "fhir") -> str:
    store = fresh(prefix)
    name = f"{DATASET}/fhirStores/{store}"
    body = {
        "version": "R4",
        "enableUpdateCreate": True,
        "notificationConfigs": [{"pubsubTopic": TOPIC}],
    }
    path = f"/v1/{DATASET}/fhirStores?fhirStoreId={store}"
    victim.change("POST", path, body, {("there", f"/v1/{name}"): True})
    return name


def _family(store: str, id_: str) -> Key:
    return "family", f"/v1/{store}/fhir/Patient/{id_}"


def _matches(store: str, type_: str, tag: str) -> Key:
    return "matches", f"/v1/{store}/fhir/{type_}?_tag={tag}&_count=1"


def _put(victim: KilledEmulator, store: str, resource: Resource, changes: Changes) -> None:
    path = f"/v1/{store}/fhir/{resource['resourceType']}/{resource['id']}"
    victim.change("PUT", path, resource, changes)


def write(victim: KilledEmulator) -> None:
    """Create resources, update and patch them, delete some."""
    store = _new_store(victim)
    for number in range(4):
        id_ = fresh("p")
        key = _family(store, id_)
        _put(
            victim, store, _patient(id_, id_), {key: "Initial", _matches(store, "Patient", id_): 1}
        )
        _put(victim, store, _patient(id_, id_, "Updated"), {key: "Updated"})
        patch = [{"op": "replace", "path": "/name/0/family", "value": "Patched"}]
        headers = {"Content-Type": "application/json-patch+json"}
        with victim.promises.change({key: "Patched"}):
            victim.call("PATCH", key[1], content=json.dumps(patch).encode(), headers=headers)
        if number % 2:
            gone = {key: GONE, _matches(store, "Patient", id_): GONE}
            victim.change("DELETE", key[1], None, gone)


def transact(victim: KilledEmulator) -> None:
    """Write by transactions, each of them whole or not at all."""
    store = _new_store(victim)
    for _ in range(3):
        tag, patients = fresh("t"), [fresh("p") for _ in range(5)]
        created = [_patient(id_, tag) for id_ in patients]
        created += [_observation(fresh("o"), tag, id_) for id_ in patients]
        changes: dict[Key, Any] = {_family(store, id_): "Initial" for id_ in patients}
        changes |= {_matches(store, type_, tag): 5 for type_ in ("Patient", "Observation")}
        _execute(victim, store, [("PUT", one) for one in created], changes)
        deleted = [("DELETE", one) for one in created]
        changes = dict.fromkeys(changes, GONE)
        _execute(victim, store, deleted, changes)


def _execute(
    victim: KilledEmulator, store: str, requests: list[tuple[str, Resource]], changes: Changes
) -> None:
    entries = [
        {
            "request": {"method": method, "url": f"{one['resourceType']}/{one['id']}"},
            **({"resource": one} if method == "PUT" else {}),
        }
        for method, one in requests
    ]
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    victim.change("POST", f"/v1/{store}/fhir", bundle, changes)


def import_(victim: KilledEmulator) -> None:
    """Import the bucket's file into a new store."""
    store = _new_store(victim, IMPORTED)
    source = {"uri": f"gs://{BUCKET}/fhir.ndjson"}
    body = {"contentStructure": "RESOURCE", "gcsSource": source}
    changes = {_matches(store, "Patient", "import"): LINES}
    victim.operate("POST", f"/v1/{store}:import", body, changes)


def _small_store(victim: KilledEmulator) -> tuple[str, dict[Key, Any]]:
    """A new store with a few patients; its name, and what is in it."""
    store = _new_store(victim)
    found: dict[Key, Any] = {}
    for number in range(3):
        id_ = fresh("p")
        found[_family(store, id_)] = "Initial"
        found[_matches(store, "Patient", "small")] = number + 1
        _put(victim, store, _patient(id_, "small"), found)
    return store, found


def export_to_storage(victim: KilledEmulator) -> None:
    """Export a store into a new folder."""
    [store, _], prefix = _small_store(victim), fresh("out")
    name = quote(f"{prefix}/Patient", safe="")
    changes = {("lines", f"/storage/v1/b/{BUCKET}/o/{name}?alt=media"): 3}
    body = {"gcsDestination": {"uriPrefix": f"gs://{BUCKET}/{prefix}"}}
    victim.operate("POST", f"/v1/{store}:export", body, changes)


def export_to_bigquery(victim: KilledEmulator) -> None:
    """Export a store to a new table."""
    [store, _], dataset = _small_store(victim), fresh("fhir")
    reference = {"datasetReference": {"projectId": PROJECT, "datasetId": dataset}}
    victim.json("POST", f"/bigquery/v2/projects/{PROJECT}/datasets", reference)
    schema = {"schemaType": "ANALYTICS_V2"}
    destination = {"datasetUri": f"bq://{PROJECT}.{dataset}", "schemaConfig": schema}
    body = {"bigqueryDestination": destination}
    victim.operate("POST", f"/v1/{store}:export", body, {("rows", f"{dataset}.Patient"): 3})


def delete(victim: KilledEmulator) -> None:
    """Delete the resources of a store by an operation, and then the store."""
    store, found = _small_store(victim)
    gone = dict.fromkeys(found, GONE)
    victim.operate("POST", f"/v1/{store}:bulkDelete", {"type": "Patient"}, gone)
    victim.change("DELETE", f"/v1/{store}", None, {("there", f"/v1/{store}"): GONE})


WORKS: dict[str, Callable[[KilledEmulator], None]] = {
    "FHIR writes": write,
    "FHIR transactions": transact,
    "FHIR import": import_,
    "FHIR export to Cloud Storage": export_to_storage,
    "FHIR export to BigQuery": export_to_bigquery,
    "FHIR deletion": delete,
}
