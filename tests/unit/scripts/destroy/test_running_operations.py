from collections.abc import Iterator
from typing import Any

import pytest

from scripts.destroy import running_operations
from scripts.lib.errors import ExitCode, ScriptError
from scripts.lib.google import clients
from tests.unit.scripts.fakes import DATASET, FakeGoogle, operation, refusal

OTHER = f"{DATASET}2"
RESUME = "teardown.py --stack s"


class Busy(FakeGoogle):
    """Datasets with operations that end when cancelled, a few looks later."""

    def __init__(self) -> None:
        super().__init__(lists_apart=False)
        self.looks: dict[str, int] = {}
        self.begun_later: list[str] = []
        self.refusal: Any = None
        self.absent: set[str] = set()
        self.endless = False

    def begin(self, name: str, looks: int = 2) -> None:
        self.looks[name] = looks

    def request(
        self, uri: str, method: str = "GET", body: Any = None, headers: Any = None, **more: Any
    ) -> Any:
        path = uri.partition("/v1/")[2].partition("?")[0]
        self.answers = [self._answer(path)]
        return super().request(uri, method, body, headers, **more)

    def _answer(self, path: str) -> Any:
        dataset, _, name = path.partition("/operations")
        if not name:
            if dataset in self.absent:
                return refusal(404, "NOT_FOUND", "no dataset")
            return 200, {"operations": [*self._listed(dataset)]}
        if path.endswith(":cancel"):
            return self.refusal or (200, {})
        if not self.endless:
            self.looks[path] -= 1
        if self.looks[path] <= 0 and self.begun_later:
            self.begin(self.begun_later.pop())
        return 200, self._body(path)

    def _listed(self, dataset: str) -> Iterator[dict[str, Any]]:
        for name in self.looks:
            if name.startswith(f"{dataset}/"):
                yield self._body(name)

    def _body(self, name: str) -> dict[str, Any]:
        return {**operation(done=self.looks[name] <= 0), "name": name}

    @property
    def cancelled(self) -> list[str]:
        return [
            uri.partition("/v1/")[2].partition(":cancel")[0]
            for _, uri, _ in self.asked
            if ":cancel" in uri
        ]


@pytest.fixture
def busy(monkeypatch: pytest.MonkeyPatch) -> Busy:
    from googleapiclient.discovery import build

    fake = Busy()
    client = build("healthcare", "v1", http=fake, static_discovery=True, cache_discovery=False)
    monkeypatch.setattr(clients, "healthcare", lambda: client)
    return fake


def _stop(busy: Busy, **more: Any) -> tuple[list[str], list[str]]:
    reported: list[str] = []
    names = running_operations.stop(
        clients.healthcare(), [DATASET, OTHER], resume=RESUME, report=reported.append, **more
    )
    return names, reported


def test_nothing_is_under_way(busy: Busy) -> None:
    busy.begin(f"{DATASET}/operations/old", looks=0)
    assert _stop(busy) == ([], [])
    assert busy.cancelled == []


def test_what_is_under_way_is_cancelled_and_waited_for(busy: Busy) -> None:
    names = [f"{DATASET}/operations/1", f"{OTHER}/operations/2"]
    for name in names:
        busy.begin(name)
    assert [
        each.name for each in running_operations.running(clients.healthcare(), [DATASET, OTHER])
    ] == names
    stopped, reported = _stop(busy)
    assert stopped == busy.cancelled == names
    assert reported[0] == f"Cancelling {names[0]} (Import) ..."
    assert set(busy.looks.values()) == {0}


def test_what_is_begun_meanwhile_is_cancelled_too(busy: Busy) -> None:
    first, second = f"{DATASET}/operations/1", f"{DATASET}/operations/2"
    busy.begin(first)
    busy.begun_later = [second]
    assert _stop(busy)[0] == [first, second]
    assert busy.cancelled == [first, second]


def test_what_can_not_be_cancelled_is_waited_for(busy: Busy) -> None:
    name = f"{DATASET}/operations/1"
    busy.begin(name)
    busy.refusal = refusal(400, "FAILED_PRECONDITION", "it is too late")
    stopped, reported = _stop(busy)
    assert stopped == [name]
    assert "it is too late" in reported[1]
    assert "Waiting for its end." in reported[1]
    assert busy.looks[name] == 0


def test_when_time_is_up_it_says_how_to_go_on(busy: Busy) -> None:
    busy.begin(f"{DATASET}/operations/1")
    busy.endless = True
    with pytest.raises(ScriptError) as caught:
        _stop(busy, timeout=0.0)
    assert caught.value.exit_code is ExitCode.STILL_RUNNING
    assert RESUME in caught.value.hint


def test_in_a_dataset_that_is_gone_nothing_is_under_way(busy: Busy) -> None:
    busy.absent = {DATASET, OTHER}
    assert running_operations.running(clients.healthcare(), [DATASET, OTHER]) == []
