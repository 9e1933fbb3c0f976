"""Sixteen clients store, import, search, read and delete the same few instances at once.

What each was told is kept with its times; afterwards there has to be an order of all of it that
explains every answer, instance by instance, and whose end is what store, index and disk hold.
"""

import random
import sqlite3
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from emulator import processes
from emulator.layout import Running
from tests.soak.linear import Event, Told, is_linearizable
from tests.unit.emulator.healthcare.dicom.conftest import make_dicom

pytestmark = pytest.mark.sockets

CLIENTS = 16
STUDIES, SERIES, INSTANCES = 3, 2, 3
PATIENCE_SECONDS = 60
BUCKET = "overlapping"
_DATASET = "projects/concurrent/locations/us-central1/datasets/dataset1"
_STORE = f"{_DATASET}/dicomStores/store1"
_DICOM = "application/dicom"

Answer = tuple[Told, str | None]
Key = tuple[str, str, str]
"""Study, series and SOP Instance UID. Every series has instances of the same UIDs."""

KEYS: list[Key] = [
    (f"1.2.{study}", f"1.2.{study}.{series}", f"1.2.9.{number}")
    for study in range(1, STUDIES + 1)
    for series in range(1, SERIES + 1)
    for number in range(1, INSTANCES + 1)
]
CONTENTS = ("a", "b")


def _file(key: Key, content: str) -> bytes:
    pixels = np.full((4, 4), ord(content), np.uint8)
    uids = dict(zip(("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"), key, strict=True))
    return make_dicom(pixels=pixels, PatientComments=content, **uids)


FILES = {(key, content): _file(key, content) for key in KEYS for content in CONTENTS}
NAMES = {sha256(file).hexdigest(): which for which, file in FILES.items()}


@dataclass
class History:
    """What all clients were told, by instance."""

    events: defaultdict[Key, list[Event]] = field(default_factory=lambda: defaultdict(list))
    told: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, told: dict[Key, Answer], began: int, client: int) -> None:
        """Keep what an answer that has just come told."""
        ended = time.monotonic_ns()
        with self.lock:
            for key, (what, content) in told.items():
                self.events[key].append(Event(what, content, began, ended, client))
                self.told[what.name.lower()] += 1


class Client:
    """One of the clients.

    Args:
        url: of the emulator.
        history: shared by all.
        draw: what it does is drawn from.
        number: its own.
    """

    def __init__(self, url: str, history: History, draw: random.Random, number: int) -> None:
        self._http = httpx.Client(base_url=url, timeout=PATIENCE_SECONDS)
        self._web = f"/v1/{_STORE}/dicomWeb"
        self._history, self._draw, self._number = history, draw, number

    def work(self, steps: int) -> None:
        """Do so many things."""
        deeds = {
            self.store: 30,
            self.delete_instance: 20,
            self.delete_many: 5,
            self.bring_in: 3,
            self.read: 15,
            self.render: 5,
            self.read_many: 7,
            self.search: 15,
        }
        for deed in self._draw.choices([*deeds], [*deeds.values()], k=steps):
            deed()

    def _send(self, method: str, path: str, *codes: int, **more: Any) -> httpx.Response:
        answer = self._http.request(method, path, **more)
        assert answer.status_code in codes, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer

    def _tell(self, told: dict[Key, Answer], began: int) -> None:
        self._history.add(told, began, self._number)

    def _below(self, levels: int) -> tuple[str, list[Key]]:
        """A study or a series: its path, and all that can be in it."""
        chosen = self._draw.choice(KEYS)[:levels]
        path = "/".join(f"{n}/{uid}" for n, uid in zip(("studies", "series"), chosen, strict=False))
        return path, [key for key in KEYS if key[:levels] == chosen]

    def store(self) -> None:
        """Store one to three instances in a request."""
        numbers = self._draw.sample(range(INSTANCES), self._draw.randint(1, INSTANCES))
        # The answer names what failed by its SOP Instance UID alone.
        keys = [self._draw.choice(KEYS[one::INSTANCES]) for one in numbers]
        given = {key: self._draw.choice(CONTENTS) for key in keys}
        parts = [
            b"--x\r\nContent-Type: application/dicom\r\n\r\n" + FILES[one] + b"\r\n"
            for one in given.items()
        ]
        headers = {
            "Content-Type": f'multipart/related; type="{_DICOM}"; boundary=x',
            "Accept": "application/dicom+json",
        }
        body = b"".join(parts) + b"--x--"
        began = time.monotonic_ns()
        path = f"{self._web}/studies"
        answer = self._send("POST", path, 200, 409, content=body, headers=headers)
        failed = {_value(item, "00081155") for item in _items(answer, "00081198")}
        kept = {_value(item, "00081190") for item in _items(answer, "00081199")}
        assert len(failed) + len(kept) == len(given)
        told: dict[Key, Answer] = {
            key: (Told.CONFLICT if key[2] in failed else Told.STORED, content)
            for key, content in given.items()
        }
        self._tell(told, began)

    def delete_instance(self) -> None:
        key = self._draw.choice(KEYS)
        began = time.monotonic_ns()
        answer = self._send("DELETE", f"{self._web}/{_path(key)}", 200, 404)
        told = Told.DELETED if answer.status_code == 200 else Told.MISSING
        self._tell({key: (told, None)}, began)

    def delete_many(self) -> None:
        path, keys = self._below(self._draw.choice((1, 2, 2)))
        began = time.monotonic_ns()
        answer = self._send("DELETE", f"{self._web}/{path}", 200, 404)
        told = Told.MISSING
        if answer.status_code == 200:
            assert "error" not in self._finish(answer.json()["name"])
            told = Told.CLEARED
        self._tell(dict.fromkeys(keys, (told, None)), began)

    def bring_in(self) -> None:
        """Import one content of every instance of a study."""
        study, content = self._draw.choice(KEYS)[0], self._draw.choice(CONTENTS)
        body = {"gcsSource": {"uri": f"gs://{BUCKET}/{content}/{study}/*.dcm"}}
        began = time.monotonic_ns()
        done = self._finish(
            self._send("POST", f"/v1/{_STORE}:import", 200, json=body).json()["name"]
        )
        keys = [key for key in KEYS if key[0] == study]
        log = self._send("GET", done["metadata"]["logsUrl"], 200).json().get("entries", [])
        failed = {entry["source"].rpartition("/")[2]: entry["error"] for entry in log}
        assert all("checksum mismatch" in error for error in failed.values()), failed
        counter = done["metadata"]["counter"]
        assert int(counter.get("failure", 0)) == len(failed)
        assert int(counter.get("success", 0)) == len(keys) - len(failed)
        told: dict[Key, Answer] = {
            key: (Told.CONFLICT if _object(key) in failed else Told.STORED, content) for key in keys
        }
        self._tell(told, began)

    def _finish(self, name: str) -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            operation: dict[str, Any] = self._send("GET", f"/v1/{name}", 200).json()
            if operation.get("done"):
                return operation
            time.sleep(0.01)
        raise AssertionError(f"{name} does not end")

    def read(self, key: Key | None = None) -> None:
        """Retrieve an instance as it was stored."""
        key = key or self._draw.choice(KEYS)
        began = time.monotonic_ns()
        headers = {"Accept": f"{_DICOM}; transfer-syntax=*"}
        answer = self._send("GET", f"{self._web}/{_path(key)}", 200, 404, headers=headers)
        if answer.status_code == 404:
            self._tell({key: (Told.MISSING, None)}, began)
        else:
            found, content = NAMES[sha256(answer.content).hexdigest()]
            assert found == key
            self._tell({key: (Told.READ, content)}, began)

    def render(self) -> None:
        key = self._draw.choice(KEYS)
        kind = self._draw.choice(("rendered", "frames/1", "metadata"))
        began = time.monotonic_ns()
        answer = self._send("GET", f"{self._web}/{_path(key)}/{kind}", 200, 404)
        told = Told.PRESENT if answer.status_code == 200 else Told.MISSING
        self._tell({key: (told, None)}, began)

    def read_many(self) -> None:
        path, keys = self._below(self._draw.choice((1, 2)))
        headers = {"Accept": f'multipart/related; type="{_DICOM}"; transfer-syntax=*'}
        began = time.monotonic_ns()
        answer = self._send("GET", f"{self._web}/{path}", 200, 404, headers=headers)
        if answer.status_code == 404:
            self._tell(dict.fromkeys(keys, (Told.MISSING, None)), began)
            return
        told: dict[Key, Answer] = {}
        for part in _parts(answer):
            key, content = NAMES[sha256(part).hexdigest()]
            assert key in keys
            told[key] = (Told.READ, content)
        self._tell(told, began)

    def search(self) -> None:
        """Search at some level: all that is found, and all that is not, is told."""
        levels = self._draw.choice((0, 1, 2))
        if levels:
            below, keys = self._below(levels)
            path = f"{self._web}/{below}/instances"
        else:
            path, keys = f"{self._web}/instances", KEYS
        began = time.monotonic_ns()
        answer = self._send("GET", f"{path}?limit=1000", 200, 204)
        found = [_key(item) for item in answer.json()] if answer.content else []
        assert len({*found}) == len(found)
        assert {*found} <= {*keys}
        told: dict[Key, Answer] = {
            key: (Told.PRESENT if key in found else Told.MISSING, None) for key in keys
        }
        self._tell(told, began)
        self._count()

    def _count(self) -> None:
        """What is found has something in it, and no more than there can be."""
        for item in self.found("studies"):
            assert 1 <= _value(item, "00201206") <= SERIES
            assert 1 <= _value(item, "00201208") <= SERIES * INSTANCES
        for item in self.found("series"):
            assert 1 <= _value(item, "00201209") <= INSTANCES

    def metrics(self) -> dict[str, Any]:
        """What the store counts."""
        metrics: dict[str, Any] = self._send(
            "GET", f"/v1/{_STORE}:getDICOMStoreMetrics", 200
        ).json()
        return metrics

    def found(self, what: str) -> list[dict[str, Any]]:
        """All studies, series or instances."""
        answer = self._send("GET", f"{self._web}/{what}?limit=1000", 200, 204)
        found: list[dict[str, Any]] = answer.json() if answer.content else []
        return found


def _path(key: Key) -> str:
    return f"studies/{key[0]}/series/{key[1]}/instances/{key[2]}"


def _object(key: Key) -> str:
    return f"{key[1]}-{key[2]}.dcm"


def _value(item: dict[str, Any], tag: str) -> Any:
    return item[tag]["Value"][0]


def _key(item: dict[str, Any]) -> Key:
    return (_value(item, "0020000D"), _value(item, "0020000E"), _value(item, "00080018"))


def _items(answer: httpx.Response, tag: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = answer.json().get(tag, {}).get("Value", [])
    return found


def _parts(answer: httpx.Response) -> Iterator[bytes]:
    boundary = answer.headers["Content-Type"].rpartition("boundary=")[2].strip('"').encode()
    pieces = answer.content.split(b"--" + boundary)
    assert pieces[-1].strip() == b"--", "the answer is cut off"
    for piece in pieces[1:-1]:
        yield piece.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n")


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """An emulator of this test's own, with a store and a bucket of files to import."""
    state = tmp_path_factory.mktemp("concurrent") / "emulator"
    running = processes.start(state, all_services_enabled=True)
    try:
        _prepare(running.url)
        yield running
    finally:
        processes.stop(state)


def _prepare(url: str) -> None:
    with httpx.Client(base_url=url, timeout=PATIENCE_SECONDS) as http:

        def post(path: str, **more: Any) -> None:
            http.post(path, **more).raise_for_status()

        location, _, dataset = _DATASET.partition("/datasets/")
        post(f"/v1/{location}/datasets?datasetId={dataset}", json={})
        post(f"/v1/{_DATASET}/dicomStores?dicomStoreId=store1", json={})
        post("/storage/v1/b?project=concurrent", json={"name": BUCKET})
        policy = {"bindings": [{"role": "roles/storage.objectViewer", "members": ["allUsers"]}]}
        http.put(f"/storage/v1/b/{BUCKET}/iam", json=policy).raise_for_status()
        for (key, content), file in FILES.items():
            name = f"{content}/{key[0]}/{_object(key)}"
            upload = f"/upload/storage/v1/b/{BUCKET}/o"
            post(upload, params={"uploadType": "media", "name": name}, content=file)


def test_the_answers_to_many_clients_are_those_of_some_order(
    emulator: Running, seed: int, soak: bool, tell: Callable[..., None]
) -> None:
    history = History()
    steps = 600 if soak else 60
    clients = [
        Client(emulator.url, history, random.Random(f"{seed} {number}"), number)
        for number in range(CLIENTS)
    ]
    with ThreadPoolExecutor(CLIENTS) as pool:
        running = [pool.submit(client.work, steps) for client in clients]
        for one in running:
            one.result()

    judge = Client(emulator.url, history, random.Random(seed), CLIENTS)
    left = _left(judge, history)
    for key, events in history.events.items():
        assert is_linearizable(events), _story(key, events)
    _check_listing(judge, left)
    _check_disk(emulator.state, left)
    tell("concurrent clients", clients=CLIENTS, steps=CLIENTS * steps, lost=0, **history.told)


def _left(judge: Client, history: History) -> dict[Key, str]:
    """What is there in the end; that it is goes into the history."""
    for key in KEYS:
        judge.read(key)
    last = {key: history.events[key][-1] for key in KEYS}
    return {key: event.content for key, event in last.items() if event.content is not None}


def _check_listing(judge: Client, left: dict[Key, str]) -> None:
    """Searches, counts and metrics say what is left."""
    assert Counter(map(_key, judge.found("instances"))) == Counter([*left])
    series = {_value(item, "0020000E"): item for item in judge.found("series")}
    inside = Counter(key[1] for key in left)
    assert {uid: _value(item, "00201209") for uid, item in series.items()} == inside
    studies = {_value(item, "0020000D"): item for item in judge.found("studies")}
    inside = Counter(key[0] for key in left)
    assert {uid: _value(item, "00201208") for uid, item in studies.items()} == inside
    for uid, item in studies.items():
        assert _value(item, "00201206") == len({key[1] for key in left if key[0] == uid})
    metrics = judge.metrics()
    assert int(metrics.get("instanceCount", 0)) == len(left)
    assert int(metrics["blobStorageSizeBytes"]) == sum(len(FILES[one]) for one in left.items())


def _check_disk(state: Path, left: dict[Key, str]) -> None:
    """No row without its file, no file without its row."""
    with sqlite3.connect(f"file:{state}/state.sqlite3?mode=ro", uri=True) as database:
        rows = database.execute("SELECT study, series, sop, sha256 FROM dicom_instances")
        index = {(study, series, sop): name for study, series, sop, name in rows}
    assert index == {one[0]: sha256(FILES[one]).hexdigest() for one in left.items()}
    files = {file.name: file.read_bytes() for file in (state / "dicom/sha256").iterdir()}
    assert files == {sha256(FILES[one]).hexdigest(): FILES[one] for one in left.items()}
    assert not [*(state / "dicom/incoming").iterdir()]


def _story(key: Key, events: list[Event]) -> str:
    lines = [f"no order explains what was told of {'/'.join(key)}:"]
    first = min(event.began for event in events)
    for event in sorted(events, key=lambda event: event.began):
        moments = f"{(event.began - first) / 1e6:9.2f} - {(event.ended - first) / 1e6:9.2f} ms"
        lines.append(f"{moments}  client {event.client:2}  {event.told.name} {event.content or ''}")
    return "\n".join(lines)
