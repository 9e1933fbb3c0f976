"""Operations: each selection has one, whatever crashes between a start and its note."""

from typing import Any

from pipelines.cohort.operations import Operations, report

A, B = "gs://b/run/selection-0.txt", "gs://b/run/selection-1.txt"
Json = dict[str, Any]


class Api:
    """The Healthcare API, whose operations end at the second look."""

    def __init__(self) -> None:
        self.operations: dict[str, Json] = {}
        self.started: list[str] = []
        self.fails = False

    def start(self, selection: str) -> str:
        self.started.append(selection)
        name = f"operations/{len(self.started)}"
        metadata = {
            "createTime": f"2999-01-01T00:00:0{len(self.started)}Z",
            "apiMethodName": "google.cloud.healthcare.v1.dicom.DicomService.DeidentifyDicomStore",
            "counter": {"success": "3", "failure": "1"},
        }
        self.operations[name] = {"name": name, "metadata": metadata}
        return name

    def get(self, name: str) -> Json:
        operation = dict(self.operations[name])
        self.operations[name]["done"] = True
        if self.fails:
            self.operations[name]["error"] = {"message": "no"}
        return operation

    def list(self) -> list[Json]:
        return [*self.operations.values()]


class Notes(dict[str, Json]):
    """Notes in memory; `broken` loses the ones with an operation."""

    broken = False

    def read(self, name: str) -> Json | None:
        return self.get(name)

    def write(self, name: str, note: Json) -> None:
        if self.broken and "operation" in note:
            raise ConnectionError
        self[name] = note


def run(api: Api, notes: Notes, *selections: str) -> list[Json]:
    return Operations(api, notes, lambda _: None).run([*selections])


def test_each_selection_has_one_operation() -> None:
    api, notes = Api(), Notes()
    ended = run(api, notes, B, A)
    assert api.started == [A, B]
    assert [one["done"] for one in ended] == [True, True]
    assert run(api, notes, A, B) == ended
    assert api.started == [A, B]


def test_an_operation_without_a_note_is_found() -> None:
    api, notes = Api(), Notes()
    notes.broken = True
    for _ in range(2):
        try:
            run(api, notes, A)
        except ConnectionError:
            continue
    assert api.started == [A]
    notes.broken = False
    assert [one["name"] for one in run(api, notes, A, B)] == ["operations/1", "operations/2"]
    assert api.started == [A, B]


def test_an_operation_that_failed_is_started_again() -> None:
    api, notes = Api(), Notes()
    api.fails = True
    run(api, notes, A)
    run(api, notes, A)
    assert api.started == [A, A]


def test_the_report_adds_the_operations_up() -> None:
    api, notes = Api(), Notes()
    total = report(run(api, notes, A, B))
    assert (total["instances"], total["dead_letters"], total["errors"]) == (6, 2, [])
