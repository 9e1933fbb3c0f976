"""Every inferred behaviour of the emulator has a check, and every check names one."""

import re
from collections import Counter
from pathlib import Path

import pytest

from conformance.checks import ALL

ROOT = Path(__file__).parents[3]
_ID = r"[a-z0-9]+(?:-[a-z0-9]+)+"
_MARK = re.compile(rf"Inferred \(conformance: ({_ID}(?:, {_ID})*)\)")


def _prose(text: str) -> str:
    """Return a source text without the signs of comments, on one line."""
    return re.sub(r"\s+", " ", re.sub(r"^\s*#", " ", text, flags=re.MULTILINE))


def _marks(text: str) -> list[str]:
    """Return the ids of the checks that a source text names."""
    return [one for mark in _MARK.findall(_prose(text)) for one in mark.split(", ")]


def _sources() -> dict[str, str]:
    return {
        str(file.relative_to(ROOT)): file.read_text()
        for file in sorted((ROOT / "emulator").rglob("*.py"))
    }


def test_comments_and_checks_name_each_other() -> None:
    marked = {one for text in _sources().values() for one in _marks(text)}
    assert marked == {check.id for check in ALL}


def test_every_inferred_behaviour_is_marked() -> None:
    unmarked = {
        name: words
        for name, text in _sources().items()
        if len(words := re.findall(r"\binferred\b", _prose(text), re.IGNORECASE))
        != len(_MARK.findall(_prose(text)))
    }
    assert unmarked == {}, "write `Inferred (conformance: CHECK-ID)`, and add the check"


def test_a_check_has_an_id_of_its_own_and_a_title() -> None:
    assert [one for one, n in Counter(check.id for check in ALL).items() if n > 1] == []
    assert [check.id for check in ALL if not re.fullmatch(_ID, check.id) or not check.title] == []


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("Inferred (conformance: one-text): why.", ["one-text"]),
        ("# Inferred (conformance: a-b,\n# c-d): why.", ["a-b", "c-d"]),
        ("Inferred: why.", []),
    ],
)
def test_marks_are_read_from_comments_and_docstrings(text: str, ids: list[str]) -> None:
    assert _marks(text) == ids
