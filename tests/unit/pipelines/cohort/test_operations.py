"""Operations: each selection has one, whatever crashes between a start and its note."""

from typing import Any

import pytest

from pipelines.cohort.operations import CohortError, Operations, Selection, report

A, B = Selection("gs://b/run/selection-0.txt", 4), Selection("gs://b/run/selection-1.txt", 4)
Json = dict[str, Any]


class Api:
    """The Healthcare API, whose operations end at the second look."""

    def __init__(self) -> None:
        self.operations: dict[str, Json] = {}
        self.started: list[str] = []
        self.error: Json = {}
        self.is_denied = False
        self.counter = {"success": "3", "failure": "1"}

    def add(self, counter: dict[str, str]) -> str:
        """Add an operation, of this run or another."""
        name = f"operations/{len(self.operations) + 1}"
        method = "google.cloud.healthcare.v1.dicom.DicomService.DeidentifyDicomStore"
        metadata = {"apiMethodName": method, "counter": counter}
        self.operations[name] = {"name": name, "metadata": metadata}
        return name

    def start(self, selection: str) -> str:
        self.started.append(selection)
        return self.add(self.counter)

    def get(self, name: str) -> Json:
        operation = dict(self.operations[name])
        self.operations[name] |= {"done": True, **self.error}
        return operation

    def list(self) -> list[Json] | None:
        return None if self.is_denied else [*self.operations.values()]


class Notes(dict[str, Json]):
    """Notes in memory; `broken` loses the ones with an operation."""

    broken = False

    def read(self, name: str) -> Json | None:
        return self.get(name)

    def write(self, name: str, note: Json) -> None:
        if self.broken and "operation" in note:
            raise ConnectionError
        self[name] = note


def run(api: Api, notes: Notes, *selections: Selection) -> list[Json]:
    return Operations(api, notes, sleep=lambda _: None).run([*selections])


def interrupt(api: Api, notes: Notes, selection: Selection) -> None:
    """Start an operation whose note is lost."""
    notes.broken = True
    with pytest.raises(ConnectionError):
        run(api, notes, selection)
    notes.broken = False


def test_each_selection_has_one_operation() -> None:
    api, notes = Api(), Notes()
    ended = run(api, notes, B, A)
    assert api.started == [A.uri, B.uri]
    assert [one["done"] for one in ended] == [True, True]
    assert run(api, notes, A, B) == ended
    assert api.started == [A.uri, B.uri]


def test_an_operation_without_a_note_is_found() -> None:
    api, notes = Api(), Notes()
    api.add(api.counter)
    interrupt(api, notes, A)
    api.add({"success": "7"})  # of another run
    assert [one["name"] for one in run(api, notes, A, B)] == ["operations/2", "operations/4"]
    assert api.started == [A.uri, B.uri]


def test_an_operation_that_never_started_is_started() -> None:
    api, notes = Api(), Notes()
    notes["operations/selection-0.txt.json"] = {"selection": A.uri, "before": []}
    api.add({"success": "7"})
    assert [one["name"] for one in run(api, notes, A)] == ["operations/2"]


def test_two_operations_that_may_be_it_are_named() -> None:
    api, notes = Api(), Notes()
    interrupt(api, notes, A)
    api.add(api.counter)
    with pytest.raises(CohortError, match="operations/1, operations/2 may be the operation"):
        run(api, notes, A)
    assert api.started == [A.uri]


def test_a_run_needs_no_list_of_operations_unless_its_start_was_interrupted() -> None:
    api, notes = Api(), Notes()
    api.is_denied = True
    assert [one["name"] for one in run(api, notes, A)] == ["operations/1"]
    interrupt(api, notes, B)
    with pytest.raises(CohortError, match=r"selection-1\.txt was interrupted, and healthcare\.op"):
        run(api, notes, A, B)
    # A list at last does not say which operations were there before.
    api.is_denied = False
    with pytest.raises(CohortError, match="Empty the destination"):
        run(api, notes, A, B)
    assert api.started == [A.uri, B.uri]


def test_an_operation_that_failed_is_started_again_if_it_copied_nothing() -> None:
    api, notes = Api(), Notes()
    api.error, api.counter = {"error": {"message": "no"}}, {"pending": "4"}
    with pytest.raises(CohortError, match="operations/1 failed: no Run it again"):
        run(api, notes, A)
    api.counter = {"success": "1", "pending": "3"}
    for _ in range(2):
        with pytest.raises(CohortError, match="operations/2 failed: no 1 instances are copied"):
            run(api, notes, A)
    assert api.started == [A.uri, A.uri]


def test_progress_is_what_was_copied_since() -> None:
    api, counted = Api(), list[int]()
    Operations(api, Notes(), counted.append, lambda _: None).run([A, B])
    assert sum(counted) == 6


def test_the_report_adds_the_operations_up() -> None:
    api, notes = Api(), Notes()
    total = report(run(api, notes, A, B), selected=8, missing=1)
    operations = total.pop("operations")
    assert total == {"selected": 8, "instances": 6, "dead_letters": 3}
    assert operations == ["operations/1", "operations/2"]
