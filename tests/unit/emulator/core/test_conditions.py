"""Conditions of SQL queries, and the folding of text."""

import sqlite3

import pytest

from emulator.core.conditions import FALSE, TRUE, Condition, and_, fold, matches_wildcards, or_

ONE, TWO = Condition("a = ?", ("1",)), Condition("b > ?", (2,))


def test_conditions_are_joined_with_their_parameters_in_order() -> None:
    assert and_(ONE, or_(TWO, ONE)) == Condition("(a = ? AND (b > ? OR a = ?))", ("1", 2, "1"))


def test_one_condition_stays_and_none_has_the_value_of_the_empty_join() -> None:
    assert and_(ONE) is ONE
    assert and_() is TRUE
    assert or_() is FALSE


@pytest.mark.parametrize(
    ("one", "other"),
    [("MÜLLER", "müller"), ("Mu\u0308ller", "Müller"), ("STRASSE", "straße"), ("ΣΑΣ", "σας")],
)
def test_texts_that_differ_in_case_or_encoding_only_are_folded_alike(one: str, other: str) -> None:
    assert fold(one) == fold(other)


@pytest.mark.parametrize(
    ("pattern", "is_match"),
    [("müller", True), ("m?ller", True), ("m*", True), ("[m]*", False), ("m", False)],
)
def test_a_pattern_has_wildcards_and_no_classes(pattern: str, *, is_match: bool) -> None:
    sql, parameters = matches_wildcards("name", pattern)
    connection = sqlite3.connect(":memory:")
    [[found]] = connection.execute(f"SELECT {sql} FROM (SELECT 'müller' AS name)", parameters)
    connection.close()

    assert bool(found) is is_match
