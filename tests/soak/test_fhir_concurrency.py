"""Many clients write, search and delete the same few FHIR resources at once.

There has to be an order of all answers that explains each of them, resource by resource. Two
resources are written by transactions alone: a client that sees one of them sees its pair.
"""

import random
import sqlite3
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from emulator.core import http_client
from emulator.server import lifecycle
from emulator.server.server_file import ServerInfo
from tests.soak.linear import Event, Outcome, is_linearizable, story
from tests.support.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.sockets

CLIENTS = 8
STEPS, SOAK_STEPS = 40, 400
_DATASET = "projects/concurrent/locations/us-central1/datasets/dataset1"
_STORE = f"{_DATASET}/fhirStores/store1"
SINGLE, PAIR = ("p1", "p2", "p3"), ("left", "right")
_IDS = (*SINGLE, *PAIR)


@dataclass
class History:
    """The answers to all clients, by resource."""

    events: defaultdict[str, list[Event]] = field(default_factory=lambda: defaultdict(list))
    outcomes: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, events: dict[str, Event]) -> None:
        """Record the events of an answer."""
        with self.lock:
            for id_, event in events.items():
                self.events[id_].append(event)
                self.outcomes[event.outcome.name.lower()] += 1


class Client:
    """One of the clients.

    Args:
        url: of the emulator
        history: of the store, shared by all
        draw: what it does is drawn from
        number: its own
    """

    def __init__(self, url: str, history: History, draw: random.Random, number: int) -> None:
        self._http = http_client.client(url, seconds=PATIENCE_SECONDS)
        self._base = f"/v1/{_STORE}/fhir"
        self._history, self._draw, self._number = history, draw, number
        self._written = 0

    def work(self, steps: int) -> None:
        """Do so many things."""
        deeds: dict[Callable[[], object], int] = {
            self.write: 20,
            self.swap: 20,
            self.delete: 10,
            self.transact: 10,
            self.read: 15,
            self.search: 25,
        }
        for deed in self._draw.choices([*deeds], [*deeds.values()], k=steps):
            deed()

    def _send(self, method: str, path: str, *codes: int, **more: Any) -> httpx.Response:
        answer = self._http.request(method, f"{self._base}{path}", **more)
        assert answer.status_code in codes, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer

    def _new_content(self) -> str:
        self._written += 1
        return f"{self._number}-{self._written}"

    def _record(
        self, began: int, outcomes: dict[str, tuple[Outcome, str | None]], expected: str = ""
    ) -> None:
        ended = time.monotonic_ns()
        self._history.add(
            {
                id_: Event(outcome, content, began, ended, self._number, expected or None)
                for id_, (outcome, content) in outcomes.items()
            }
        )

    def write(self) -> None:
        """Write over a resource, or create it."""
        id_, content = self._draw.choice(SINGLE), self._new_content()
        began = time.monotonic_ns()
        self._send("PUT", f"/Patient/{id_}", 200, 201, json=_patient(id_, content))
        self._record(began, {id_: (Outcome.WRITTEN, content)})

    def swap(self) -> None:
        """Replace the version that was just read, unless it has changed since."""
        id_, content = self._draw.choice(SINGLE), self._new_content()
        answer = self.read(id_)
        if answer is None:
            return
        headers = {"If-Match": answer.headers["ETag"]}
        began = time.monotonic_ns()
        done = self._send(
            "PUT", f"/Patient/{id_}", 200, 412, json=_patient(id_, content), headers=headers
        )
        outcome = Outcome.SWAPPED if done.status_code == 200 else Outcome.NOT_SWAPPED
        self._record(began, {id_: (outcome, content)}, expected=_content(answer.json()))

    def delete(self) -> None:
        """Delete a resource, which may not be there."""
        id_ = self._draw.choice(SINGLE)
        began = time.monotonic_ns()
        self._send("DELETE", f"/Patient/{id_}", 200)
        self._record(began, {id_: (Outcome.CLEARED, None)})

    def transact(self) -> None:
        """Write or delete both resources of the pair, and another one, by a transaction."""
        ids, content = [*PAIR, self._draw.choice(SINGLE)], self._new_content()
        is_deletion = self._draw.random() < 0.3
        method = "DELETE" if is_deletion else "PUT"
        entries = [
            {
                "request": {"method": method, "url": f"Patient/{id_}"},
                **({} if is_deletion else {"resource": _patient(id_, content)}),
            }
            for id_ in ids
        ]
        began = time.monotonic_ns()
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
        self._send("POST", "", 200, json=bundle)
        outcome = (Outcome.CLEARED, None) if is_deletion else (Outcome.WRITTEN, content)
        self._record(began, dict.fromkeys(ids, outcome))

    def read(self, id_: str = "") -> httpx.Response | None:
        """Read a resource; return the answer if it is there."""
        id_ = id_ or self._draw.choice(_IDS)
        began = time.monotonic_ns()
        answer = self._send("GET", f"/Patient/{id_}", 200, 404, 410)
        if answer.status_code != 200:
            self._record(began, {id_: (Outcome.MISSING, None)})
            return None
        self._record(began, {id_: (Outcome.READ, _content(answer.json()))})
        return answer

    def search(self) -> None:
        """Search all: each is found with its content, or missing, and the pair is one."""
        began = time.monotonic_ns()
        answer = self._send("GET", "/Patient?_tag=x", 200).json()
        found = {
            one["resource"]["id"]: _content(one["resource"]) for one in answer.get("entry", [])
        }
        assert answer["total"] == len(found)
        assert found.get(PAIR[0]) == found.get(PAIR[1]), "half of a transaction was seen"
        self._record(
            began,
            {
                id_: (Outcome.READ, found[id_]) if id_ in found else (Outcome.MISSING, None)
                for id_ in _IDS
            },
        )


def _patient(id_: str, content: str) -> dict[str, Any]:
    tag = {"tag": [{"code": "x"}]}
    return {"resourceType": "Patient", "id": id_, "meta": tag, "name": [{"family": content}]}


def _content(resource: dict[str, Any]) -> str:
    return str(resource["name"][0]["family"])


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[ServerInfo]:
    """An emulator of this test's own, with a store."""
    running = lifecycle.start(tmp_path / "emulator", all_services_enabled=True)
    try:
        with http_client.client(running.url, seconds=PATIENCE_SECONDS) as http:
            location, _, dataset = _DATASET.partition("/datasets/")
            path = f"/v1/{location}/datasets?datasetId={dataset}"
            http.post(path, json={}).raise_for_status()
            body = {"version": "R4", "enableUpdateCreate": True}
            path = f"/v1/{_DATASET}/fhirStores?fhirStoreId=store1"
            http.post(path, json=body).raise_for_status()
        yield running
    finally:
        lifecycle.stop(tmp_path / "emulator")


def test_the_answers_about_fhir_are_those_of_some_order(
    emulator: ServerInfo, seed: int, soak: bool, report: Callable[..., None]
) -> None:
    steps, history = SOAK_STEPS if soak else STEPS, History()

    def client(number: int) -> Client:
        return Client(emulator.url, history, random.Random(f"{seed} {number}"), number)

    with ThreadPoolExecutor(CLIENTS) as pool:
        for one in [pool.submit(client(number).work, steps) for number in range(CLIENTS)]:
            one.result()
    client(CLIENTS).search()
    left = {id_: events[-1].content for id_, events in history.events.items()}
    for id_, events in history.events.items():
        assert is_linearizable(events), story(id_, events)
    with sqlite3.connect(f"file:{emulator.state}/state.sqlite3?mode=ro", uri=True) as database:
        rows = database.execute("SELECT id FROM fhir_resources").fetchall()
        versions = database.execute(
            "SELECT COUNT(*), COUNT(body) FROM fhir_versions WHERE type = 'Patient'"
        ).fetchone()
    assert {id_ for (id_,) in rows} == {id_ for id_, content in left.items() if content}
    written = history.outcomes["written"] + history.outcomes["swapped"]
    assert versions[1] + len(rows) == written, "a version is lost"
    report("concurrent FHIR clients", clients=CLIENTS, steps=CLIENTS * steps, **history.outcomes)
