"""A client of a DICOM store that records each response with its time."""

import random
import threading
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import httpx

from emulator.core import http_client
from tests.soak.instances import (
    CONTENTS,
    FILES,
    INSTANCES,
    KEYS,
    SERIES,
    Key,
    key_of,
    parts_of,
    path_of,
    value,
)
from tests.soak.linear import Event, Outcome
from tests.support.waiting import wait_until

PATIENCE_SECONDS = 60
BUCKET = "overlapping"
DICOM = "application/dicom"
NAMES = {sha256(file).hexdigest(): which for which, file in FILES.items()}
Answer = tuple[Outcome, str | None]


@dataclass
class History:
    """The responses to all clients, by instance."""

    events: defaultdict[Key, list[Event]] = field(default_factory=lambda: defaultdict(list))
    outcomes: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, outcomes: dict[Key, Answer], began: int, client: int) -> None:
        """Record the outcomes of a response that has just arrived."""
        ended = time.monotonic_ns()
        with self.lock:
            for key, (what, content) in outcomes.items():
                self.events[key].append(Event(what, content, began, ended, client))
                self.outcomes[what.name.lower()] += 1


class Client:
    """One of the clients.

    Args:
        url: of the emulator.
        store: full name of the DICOM store.
        history: of that store, shared by all.
        draw: what it does is drawn from.
        number: its own.
    """

    def __init__(
        self, url: str, store: str, history: History, draw: random.Random, number: int
    ) -> None:
        self._http = http_client.client(url, seconds=PATIENCE_SECONDS)
        self._store = f"/v1/{store}"
        self._web = f"{self._store}/dicomWeb"
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

    def _record(self, outcomes: dict[Key, Answer], began: int) -> None:
        self._history.add(outcomes, began, self._number)

    def _below(self, levels: int) -> tuple[str, list[Key]]:
        """A study or a series: its path, and all that can be in it."""
        chosen = self._draw.choice(KEYS)[:levels]
        return path_of(chosen), [key for key in KEYS if key[:levels] == chosen]

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
            "Content-Type": f'multipart/related; type="{DICOM}"; boundary=x',
            "Accept": "application/dicom+json",
        }
        body = b"".join(parts) + b"--x--"
        began = time.monotonic_ns()
        path = f"{self._web}/studies"
        answer = self._send("POST", path, 200, 409, content=body, headers=headers)
        failed = {value(item, "00081155") for item in _items(answer, "00081198")}
        kept = {value(item, "00081190") for item in _items(answer, "00081199")}
        assert len(failed) + len(kept) == len(given)
        outcomes: dict[Key, Answer] = {
            key: (Outcome.CONFLICT if key[2] in failed else Outcome.STORED, content)
            for key, content in given.items()
        }
        self._record(outcomes, began)

    def delete_instance(self) -> None:
        key = self._draw.choice(KEYS)
        began = time.monotonic_ns()
        answer = self._send("DELETE", f"{self._web}/{path_of(key)}", 200, 404)
        outcome = Outcome.DELETED if answer.status_code == 200 else Outcome.MISSING
        self._record({key: (outcome, None)}, began)

    def delete_many(self) -> None:
        path, keys = self._below(self._draw.choice((1, 2, 2)))
        began = time.monotonic_ns()
        answer = self._send("DELETE", f"{self._web}/{path}", 200, 404)
        outcome = Outcome.MISSING
        if answer.status_code == 200:
            assert "error" not in self._finish(answer.json()["name"])
            outcome = Outcome.CLEARED
        self._record(dict.fromkeys(keys, (outcome, None)), began)

    def bring_in(self) -> None:
        """Import one content of every instance of a study."""
        study, content = self._draw.choice(KEYS)[0], self._draw.choice(CONTENTS)
        body = {"gcsSource": {"uri": f"gs://{BUCKET}/{content}/{study}/*.dcm"}}
        began = time.monotonic_ns()
        done = self._finish(
            self._send("POST", f"{self._store}:import", 200, json=body).json()["name"]
        )
        keys = [key for key in KEYS if key[0] == study]
        log = self._send("GET", done["metadata"]["logsUrl"], 200).json().get("entries", [])
        failed = {entry["source"].rpartition("/")[2]: entry["error"] for entry in log}
        assert all("checksum mismatch" in error for error in failed.values()), failed
        counter = done["metadata"]["counter"]
        assert int(counter.get("failure", 0)) == len(failed)
        assert int(counter.get("success", 0)) == len(keys) - len(failed)
        outcomes: dict[Key, Answer] = {
            key: (Outcome.CONFLICT if object_of(key) in failed else Outcome.STORED, content)
            for key in keys
        }
        self._record(outcomes, began)

    def _finish(self, name: str) -> dict[str, Any]:
        def look() -> dict[str, Any]:
            operation: dict[str, Any] = self._send("GET", f"/v1/{name}", 200).json()
            return operation if operation.get("done") else {}

        return wait_until(look, f"{name} does not end")

    def read(self, key: Key | None = None) -> None:
        """Retrieve an instance as it was stored."""
        key = key or self._draw.choice(KEYS)
        began = time.monotonic_ns()
        headers = {"Accept": f"{DICOM}; transfer-syntax=*"}
        answer = self._send("GET", f"{self._web}/{path_of(key)}", 200, 404, headers=headers)
        if answer.status_code == 404:
            self._record({key: (Outcome.MISSING, None)}, began)
        else:
            found, content = NAMES[sha256(answer.content).hexdigest()]
            assert found == key
            self._record({key: (Outcome.READ, content)}, began)

    def render(self) -> None:
        key = self._draw.choice(KEYS)
        resource = self._draw.choice(("rendered", "frames/1", "metadata"))
        began = time.monotonic_ns()
        answer = self._send("GET", f"{self._web}/{path_of(key)}/{resource}", 200, 404)
        outcome = Outcome.PRESENT if answer.status_code == 200 else Outcome.MISSING
        self._record({key: (outcome, None)}, began)

    def read_many(self) -> None:
        path, keys = self._below(self._draw.choice((1, 2)))
        headers = {"Accept": f'multipart/related; type="{DICOM}"; transfer-syntax=*'}
        began = time.monotonic_ns()
        answer = self._send("GET", f"{self._web}/{path}", 200, 404, headers=headers)
        if answer.status_code == 404:
            self._record(dict.fromkeys(keys, (Outcome.MISSING, None)), began)
            return
        outcomes: dict[Key, Answer] = {}
        for part in parts_of(answer.headers["Content-Type"], answer.content):
            key, content = NAMES[sha256(part).hexdigest()]
            assert key in keys
            outcomes[key] = (Outcome.READ, content)
        self._record(outcomes, began)

    def search(self) -> None:
        """Search at some level: each instance is found or missing."""
        levels = self._draw.choice((0, 1, 2))
        if levels:
            below, keys = self._below(levels)
            path = f"{self._web}/{below}/instances"
        else:
            path, keys = f"{self._web}/instances", KEYS
        began = time.monotonic_ns()
        answer = self._send("GET", f"{path}?limit=1000", 200, 204)
        found = [key_of(item) for item in answer.json()] if answer.content else []
        assert len({*found}) == len(found)
        assert {*found} <= {*keys}
        outcomes: dict[Key, Answer] = {
            key: (Outcome.PRESENT if key in found else Outcome.MISSING, None) for key in keys
        }
        self._record(outcomes, began)
        self._count()

    def _count(self) -> None:
        """Assert that a search result is not empty and within its limits."""
        for item in self.found("studies"):
            assert 1 <= value(item, "00201206") <= SERIES
            assert 1 <= value(item, "00201208") <= SERIES * INSTANCES
        for item in self.found("series"):
            assert 1 <= value(item, "00201209") <= INSTANCES

    def metrics(self) -> dict[str, Any]:
        """The store's own counts."""
        metrics: dict[str, Any] = self._send(
            "GET", f"{self._store}:getDICOMStoreMetrics", 200
        ).json()
        return metrics

    def found(self, what: str) -> list[dict[str, Any]]:
        """All studies, series or instances."""
        answer = self._send("GET", f"{self._web}/{what}?limit=1000", 200, 204)
        found: list[dict[str, Any]] = answer.json() if answer.content else []
        return found


def object_of(key: Key) -> str:
    """The name of the object to import it from, without its folder."""
    return f"{key[1]}-{key[2]}.dcm"


def _items(answer: httpx.Response, tag: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = answer.json().get(tag, {}).get("Value", [])
    return found
