"""Selections: rows and results as paths, and searches as parameters."""

import pytest

from pipelines.cohort.selection import (
    SelectionError,
    lines,
    path_of,
    path_of_result,
    search_parameters,
)


def test_rows_become_paths() -> None:
    row = {"StudyInstanceUID": "1", "SeriesInstanceUID": "1.2", "SOPInstanceUID": None}
    assert path_of(row) == "/studies/1/series/1.2"
    assert path_of({**row, "SOPInstanceUID": "1.2.3"}) == "/studies/1/series/1.2/instances/1.2.3"
    assert path_of_result({"0020000D": {"vr": "UI", "Value": ["1"]}}) == "/studies/1"


@pytest.mark.parametrize("row", [{}, {"StudyInstanceUID": "1", "SOPInstanceUID": "1.2.3"}])
def test_rows_without_a_way_are_refused(row: dict[str, str]) -> None:
    with pytest.raises(SelectionError):
        path_of(row)


def test_searches_are_parameters() -> None:
    wanted = [("Modality", "CT"), ("StudyDate", "20240101-")]
    assert search_parameters("Modality=CT&StudyDate=20240101-") == wanted
    with pytest.raises(SelectionError, match="is not a valid search"):
        search_parameters("Modality")


def test_a_file_has_each_path_once() -> None:
    assert lines(["/studies/2", "/studies/1", "/studies/2"]) == b"/studies/1\n/studies/2\n"
