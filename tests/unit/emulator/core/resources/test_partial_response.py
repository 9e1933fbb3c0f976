"""The selector of partial answers."""

from typing import Any

import pytest

from emulator.core.errors import ApiError
from emulator.core.resources.partial_response import select_fields

ANSWER = {
    "services": [
        {"name": "a", "config": {"title": "A", "name": "x"}},
        {"name": "b", "config": {"title": "B", "name": "y"}},
    ],
    "nextPageToken": "2",
}


@pytest.mark.parametrize(
    ("fields", "kept"),
    [
        ("nextPageToken", {"nextPageToken": "2"}),
        ("services/name", {"services": [{"name": "a"}, {"name": "b"}]}),
        (
            "services(name,config/title),nextPageToken",
            {
                "services": [
                    {"name": "a", "config": {"title": "A"}},
                    {"name": "b", "config": {"title": "B"}},
                ],
                "nextPageToken": "2",
            },
        ),
        (
            "services/*/title",
            {
                "services": [
                    {"name": "a", "config": {"title": "A"}},
                    {"name": "b", "config": {"title": "B"}},
                ]
            },
        ),
        ("missing", {}),
        ("*", ANSWER),
    ],
)
def test_only_what_is_asked_for_is_kept(fields: str, kept: dict[str, Any]) -> None:
    assert select_fields(ANSWER, fields) == kept


@pytest.mark.parametrize("fields", ["a,", "a/", "a(b", "a)b", "(a)", "a b!", ",", "a((b))"])
def test_what_is_no_selector_is_refused(fields: str) -> None:
    with pytest.raises(ApiError, match="Invalid field selection"):
        select_fields(ANSWER, fields)


@pytest.mark.parametrize("fields", ["(" * 2000, "a/" * 500 + "a", "a(" * 300])
def test_a_selector_without_end_is_refused(fields: str) -> None:
    with pytest.raises(ApiError, match="Invalid field selection"):
        select_fields({"a": 1}, fields)
