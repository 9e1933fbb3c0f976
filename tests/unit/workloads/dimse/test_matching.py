"""Keys that the adapter compares itself."""

from typing import Any

import pytest
from pydicom.dataset import Dataset

from workloads.dimse import matching


def matches(keyword: str, wanted: Any, found: Any) -> bool:
    key, held = Dataset(), Dataset()
    setattr(key, keyword, wanted)
    setattr(held, keyword, found)
    return matching.matches(key[keyword], held.to_json_dict())


@pytest.mark.parametrize(
    ("keyword", "wanted", "found", "expected"),
    [
        ("StudyDescription", "Chest*", "Chest PA", True),
        ("StudyDescription", "chest*", "Chest PA", False),
        ("StudyDescription", "C?est PA", "Chest PA", True),
        ("StudyDescription", "a.c", "abc", False),
        ("StudyDescription", "", "anything", True),
        ("StudyDescription", "*", "", True),
        ("StudyDescription", "x", "", False),
        ("PatientName", "amber*", "Amber^Ada", True),
        ("PatientName", "Amber^Ada^^", "AMBER^ADA", True),
        ("PatientName", "Yamada*", "Yamada^Tarou=山田^太郎", True),
        ("PatientName", "山田*", "Yamada^Tarou=山田^太郎", True),
        ("StudyTime", "0900-1000", "093000", True),
        ("StudyTime", "0900-1000", "100030", True),
        ("StudyTime", "0900-1000", "110000", False),
        ("StudyTime", "-0900", "093000", False),
        ("PatientBirthDate", "19800101-", "19791231", False),
        ("PatientBirthDate", "19800101-", "19800101", True),
        ("SeriesNumber", "2", "02", True),
        ("InstanceNumber", "3", "4", False),
        ("SOPClassUID", ["1.2", "1.3"], "1.3", True),
        ("SOPClassUID", ["1.2", "1.3"], "1.31", False),
        ("ImageType", "AXIAL", ["ORIGINAL", "AXIAL"], True),
    ],
)
def test_matching_of_the_standard(keyword: str, wanted: Any, found: Any, expected: bool) -> None:
    assert matches(keyword, wanted, found) is expected


def test_an_element_that_the_result_lacks_matches_nothing() -> None:
    key = Dataset()
    key.StudyDescription = "x"
    assert not matching.matches(key["StudyDescription"], {})
