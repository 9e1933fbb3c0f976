"""Selections: rows and results as paths, searches as parameters, and what a store has of them."""

import pytest

from pipelines.cohort.selection import (
    SelectionError,
    check_columns,
    lines,
    parse_search,
    path_of,
    path_of_result,
    resolve,
)


def test_rows_become_paths() -> None:
    row = {"studyinstanceuid": "1", "SeriesInstanceUID": "1.2", "SOPInstanceUID": None}
    assert path_of(row) == "/studies/1/series/1.2"
    assert path_of({**row, "SOPInstanceUID": "1.2.3"}) == "/studies/1/series/1.2/instances/1.2.3"


def test_results_become_paths() -> None:
    result = {
        tag: {"vr": "UI", "Value": [uid]}
        for tag, uid in (("0020000D", "1"), ("0020000E", "1.2"), ("00080018", "1.2.3"))
    }
    assert path_of_result(result, "studies") == "/studies/1"
    assert path_of_result(result, "series") == "/studies/1/series/1.2"
    assert path_of_result(result, "instances") == "/studies/1/series/1.2/instances/1.2.3"


@pytest.mark.parametrize(
    "row",
    [
        {},
        {"StudyInstanceUID": "1", "SOPInstanceUID": "1.2.3"},
        {"StudyInstanceUID": "1\n/studies/2"},
    ],
)
def test_rows_without_a_way_are_refused(row: dict[str, str]) -> None:
    with pytest.raises(SelectionError):
        path_of(row)


@pytest.mark.parametrize(
    ("columns", "complaint"),
    [
        (["Modality"], "does not select the column StudyInstanceUID, but Modality"),
        ([], "but none"),
        (["StudyInstanceUID", "SOPInstanceUID"], "without SeriesInstanceUID"),
    ],
)
def test_missing_columns_are_named(columns: list[str], complaint: str) -> None:
    with pytest.raises(SelectionError, match=complaint):
        check_columns(columns)
    check_columns([*columns, "studyinstanceuid", "seriesinstanceuid"])


def test_searches_are_parameters() -> None:
    keys = [("Modality", "CT"), ("StudyDate", "20240101-")]
    assert parse_search("series?Modality=CT&StudyDate=20240101-") == ("series", keys)
    assert parse_search("PatientID=a?") == ("studies", [("PatientID", "a?")])
    for wrong in ("Modality", "frames?Modality=CT", "series?"):
        with pytest.raises(SelectionError, match="is not valid"):
            parse_search(wrong)


def test_a_store_has_some_of_what_is_selected() -> None:
    present = [f"/studies/1/series/{n}/instances/{n}.{m}" for n in (2, 3, 4) for m in (1, 2)]
    wanted = ["/studies/1/series/2", present[0], present[2], "/studies/1/series/9"]
    resolved = resolve(wanted, present)
    assert resolved.instances == present[:3]
    assert resolved.missing == ["/studies/1/series/9"]
    assert resolve(["/studies/1"], present).instances == present


def test_a_file_has_each_path_once() -> None:
    assert lines(["/studies/2", "/studies/1", "/studies/2"]) == b"/studies/1\n/studies/2\n"
