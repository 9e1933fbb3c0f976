"""Sixteen clients store, import, search, read and delete the same few instances at once.

What each was totals is kept with its times; afterwards there has to be an order of all of it that
explains every answer, instance by instance, and whose end is what store, index and disk hold.
"""

import random
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from emulator.core import http_client
from emulator.server import lifecycle
from emulator.server.server_file import ServerInfo
from tests.soak.clients import BUCKET, DICOM, Client, History, object_of
from tests.soak.instances import (
    CONTENTS,
    FILES,
    KEYS,
    Key,
    key_of,
    path_of,
    value,
)
from tests.soak.linear import is_linearizable, story
from tests.support.waiting import PATIENCE_SECONDS, wait_until

pytestmark = pytest.mark.sockets

CLIENTS = 16
_DATASET = "projects/concurrent/locations/us-central1/datasets/dataset1"
STORES = tuple(f"{_DATASET}/dicomStores/{name}" for name in ("store1", "store2"))
"""Both are given the same files, which the emulator keeps once."""


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerInfo]:
    """An emulator of this test's own, with a store and a bucket of files to import."""
    state = tmp_path_factory.mktemp("concurrent") / "emulator"
    running = lifecycle.start(state, all_services_enabled=True)
    try:
        _prepare(running.url)
        yield running
    finally:
        lifecycle.stop(state)


def _prepare(url: str) -> None:
    with http_client.client(url, seconds=PATIENCE_SECONDS) as http:

        def post(path: str, **more: Any) -> None:
            http.post(path, **more).raise_for_status()

        location, _, dataset = _DATASET.partition("/datasets/")
        post(f"/v1/{location}/datasets?datasetId={dataset}", json={})
        for store in STORES:
            post(f"/v1/{_DATASET}/dicomStores?dicomStoreId={store.rpartition('/')[2]}", json={})
        post("/storage/v1/b?project=concurrent", json={"name": BUCKET})
        policy = {"bindings": [{"role": "roles/storage.objectViewer", "members": ["allUsers"]}]}
        http.put(f"/storage/v1/b/{BUCKET}/iam", json=policy).raise_for_status()
        for (key, content), file in FILES.items():
            name = f"{content}/{key[0]}/{object_of(key)}"
            upload = f"/upload/storage/v1/b/{BUCKET}/o"
            post(upload, params={"uploadType": "media", "name": name}, content=file)


def test_the_answers_to_many_clients_are_those_of_some_order(
    emulator: ServerInfo, seed: int, soak: bool, report: Callable[..., None]
) -> None:
    steps = 600 if soak else 60
    histories = {store: History() for store in STORES}

    def client(number: int) -> Client:
        store = STORES[number % len(STORES)]
        draw = random.Random(f"{seed} {number}")
        return Client(emulator.url, store, histories[store], draw, number)

    with ThreadPoolExecutor(CLIENTS) as pool:
        for one in [pool.submit(client(number).work, steps) for number in range(CLIENTS)]:
            one.result()

    left = {}
    for number, (store, history) in enumerate(histories.items()):
        judge = client(number)
        left[store] = _left(judge, history)
        for key, events in history.events.items():
            assert is_linearizable(events), story("/".join(key), events)
        _check_listing(judge, left[store])
    _check_disk(emulator.state, left)
    totals = sum((history.outcomes for history in histories.values()), Counter[str]())
    report("concurrent clients", clients=CLIENTS, steps=CLIENTS * steps, lost=0, **totals)


def _left(judge: Client, history: History) -> dict[Key, str]:
    """Read the final contents, and add the reads to the history."""
    for key in KEYS:
        judge.read(key)
    last = {key: history.events[key][-1] for key in KEYS}
    return {key: event.content for key, event in last.items() if event.content is not None}


def _check_listing(judge: Client, left: dict[Key, str]) -> None:
    """Searches, counts and metrics say what is left."""
    assert Counter(map(key_of, judge.found("instances"))) == Counter([*left])
    series = {value(item, "0020000E"): item for item in judge.found("series")}
    inside = Counter(key[1] for key in left)
    assert {uid: value(item, "00201209") for uid, item in series.items()} == inside
    studies = {value(item, "0020000D"): item for item in judge.found("studies")}
    inside = Counter(key[0] for key in left)
    assert {uid: value(item, "00201208") for uid, item in studies.items()} == inside
    for uid, item in studies.items():
        assert value(item, "00201206") == len({key[1] for key in left if key[0] == uid})
    metrics = judge.metrics()
    assert int(metrics.get("instanceCount", 0)) == len(left)
    assert int(metrics["blobStorageSizeBytes"]) == sum(len(FILES[one]) for one in left.items())


def _check_disk(state: Path, left: dict[str, dict[Key, str]]) -> None:
    """No row without its file, no file without its row."""
    with sqlite3.connect(f"file:{state}/state.sqlite3?mode=ro", uri=True) as database:
        rows = database.execute("SELECT store, study, series, sop, sha256 FROM dicom_instances")
        index = {(store, (study, series, sop)): name for store, study, series, sop, name in rows}
    there = {(store, one[0]): FILES[one] for store in left for one in left[store].items()}
    assert index == {where: sha256(file).hexdigest() for where, file in there.items()}
    files = {file.name: file.read_bytes() for file in (state / "dicom/sha256").iterdir()}
    assert files == {sha256(file).hexdigest(): file for file in there.values()}
    assert not [*(state / "dicom/incoming").iterdir()]


def test_a_store_that_comes_and_goes_leaves_nothing(
    emulator: ServerInfo,
    seed: int,
    soak: bool,
    report: Callable[..., None],
) -> None:
    """Some clients delete and recreate the store; the others continue."""
    store = f"{_DATASET}/dicomStores/fleeting"
    steps, codes = (300 if soak else 40), Counter[int]()
    with ThreadPoolExecutor(CLIENTS) as pool:
        running = [
            pool.submit(_come_and_go, emulator.url, store, random.Random(f"{seed} {number}"), steps)
            for number in range(CLIENTS)
        ]
        for one in running:
            codes += one.result()
    with http_client.client(emulator.url, seconds=PATIENCE_SECONDS) as http:
        assert http.delete(f"/v1/{store}").status_code in (200, 404)
        listing = f"/v1/{_DATASET}/operations?pageSize=1000"
        wait_until(
            lambda: all(one.get("done") for one in http.get(listing).json().get("operations", [])),
            "an operation hangs",
        )
    assert set(codes) <= {200, 204, 404, 409}, codes
    with sqlite3.connect(f"file:{emulator.state}/state.sqlite3?mode=ro", uri=True) as database:
        rows = "SELECT sha256 FROM dicom_instances WHERE store = ?"
        assert not database.execute(rows, [store]).fetchall()
        used = {name for (name,) in database.execute("SELECT sha256 FROM dicom_instances")}
    assert {file.name for file in (emulator.state / "dicom/sha256").iterdir()} == used
    # What workers fetched for an import that ended early is deleted when they hand it over.
    incoming = emulator.state / "dicom/incoming"
    wait_until(lambda: not [*incoming.iterdir()], "a file is left in the staging folder")
    report("a store that comes and goes", lost=0, **{f"HTTP {c}": n for c, n in codes.items()})


def _come_and_go(url: str, store: str, draw: random.Random, steps: int) -> Counter[int]:
    """Call what may be answered by 404 at any moment; the codes of the answers."""
    parent, _, name = store.rpartition("/")
    web, uri = f"/v1/{store}/dicomWeb", f"gs://{BUCKET}/a/**.dcm"
    calls: dict[Callable[[], dict[str, Any]], int] = {
        lambda: {"method": "POST", "url": f"/v1/{parent}?dicomStoreId={name}", "json": {}}: 10,
        lambda: {"method": "DELETE", "url": f"/v1/{store}"}: 3,
        lambda: {
            "method": "POST",
            "url": f"{web}/studies",
            "content": FILES[draw.choice(KEYS), draw.choice(CONTENTS)],
            "headers": {"Content-Type": DICOM, "Accept": "application/dicom+json"},
        }: 20,
        lambda: {
            "method": "POST",
            "url": f"/v1/{store}:import",
            "json": {"gcsSource": {"uri": uri}},
        }: 3,
        lambda: {"method": "GET", "url": f"{web}/{path_of(draw.choice(KEYS))}"}: 10,
        lambda: {"method": "DELETE", "url": f"{web}/{path_of(draw.choice(KEYS))}"}: 10,
        lambda: {"method": "DELETE", "url": f"{web}/studies/{draw.choice(KEYS)[0]}"}: 3,
        lambda: {"method": "GET", "url": f"{web}/studies"}: 10,
        lambda: {"method": "GET", "url": f"/v1/{store}:getDICOMStoreMetrics"}: 5,
    }
    codes: Counter[int] = Counter()
    with http_client.client(url, seconds=PATIENCE_SECONDS) as http:
        for call in draw.choices([*calls], [*calls.values()], k=steps):
            codes[http.request(**call()).status_code] += 1
    return codes
