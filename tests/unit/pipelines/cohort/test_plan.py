"""The plan of a cohort: what is refused before anything is changed."""

from dataclasses import replace
from typing import Any

import pytest

from pipelines.cohort import plan
from pipelines.cohort.plan import PLAN, SELECTION, Settings
from pipelines.cohort.selection import SelectionError
from pipelines.common import tables
from pipelines.common.tables import Answer, QueryError

LOCATION = "projects/p/locations/us-central1/datasets/d"
SETTINGS = Settings(
    f"{LOCATION}/dicomStores/a", f"{LOCATION}/dicomStores/b", "gs://b/run/", "SELECT 1", "", "p"
)
Json = dict[str, Any]


class Notes(dict[str, Json]):
    """Notes in memory."""

    def read(self, name: str) -> Json | None:
        return self.get(name)

    def write(self, name: str, note: Json) -> None:
        self[name] = note


def test_a_resumed_run_has_the_selection_of_the_first_attempt() -> None:
    notes = Notes()
    assert plan.check_folder(SETTINGS, notes) is None
    notes.write(PLAN, SETTINGS.plan)
    notes.write(SELECTION, {"files": []})
    assert plan.check_folder(replace(SETTINGS, requests_per_second=5.0), notes) == {"files": []}


@pytest.mark.parametrize(
    ("name", "value"),
    [("sql", "SELECT 2"), ("config", {"dicom": {}}), ("operations", 2), ("destination", "other")],
)
def test_a_folder_has_one_run(name: str, value: Any) -> None:
    notes = Notes({PLAN: SETTINGS.plan})
    with pytest.raises(SelectionError, match=f"has a run with another {name}"):
        plan.check_folder(replace(SETTINGS, **{name: value}), notes)


@pytest.mark.parametrize(
    ("destination", "complaint"),
    [
        (SETTINGS.source, "can't be copied into itself"),
        (SETTINGS.destination.replace("us-central1", "europe-west4"), "of the same location"),
    ],
)
def test_stores_that_do_not_fit_are_refused(destination: str, complaint: str) -> None:
    asked: list[str] = []
    with pytest.raises(SelectionError, match=complaint):
        plan.check_stores(replace(SETTINGS, destination=destination), asked.append)
    assert asked == []
    plan.check_stores(SETTINGS, asked.append)
    assert asked == [SETTINGS.source, SETTINGS.destination]


def test_a_query_is_run_once_it_has_the_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []

    def run(sql: str, project: str) -> Answer:
        ran.append(sql)
        return Answer(project, "US", "job", len(ran) - 1)

    monkeypatch.setattr(tables, "run", run)
    monkeypatch.setattr(tables, "columns_of", lambda *_: ["Modality"])
    with pytest.raises(SelectionError, match="does not select the column"):
        plan.select(SETTINGS)
    assert ran == []
    monkeypatch.setattr(tables, "columns_of", lambda *_: ["studyinstanceuid"])
    with pytest.raises(SelectionError, match="selects no rows"):
        plan.select(SETTINGS)
    assert plan.select(SETTINGS) == Answer("p", "US", "job", 1)


def test_a_refused_query_has_the_words_of_bigquery(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: str) -> list[str]:
        raise QueryError("Unrecognized name: Nope at [1:8]")

    monkeypatch.setattr(tables, "columns_of", refuse)
    with pytest.raises(SelectionError, match=r"BigQuery refuses the query: Unrecognized name"):
        plan.select(SETTINGS)
