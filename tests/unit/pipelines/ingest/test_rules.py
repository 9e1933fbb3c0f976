"""Rules: conditions, actions, and the errors of a file that is not valid."""

from importlib.resources import files
from typing import Any

import pytest

from pipelines.ingest import rules
from pipelines.ingest.rules import Rule, RulesError, parse


def rule(condition: str, limit: Any = True, action: str = "reject", value: Any = True) -> Rule:
    return Rule("r", "PatientID", condition, limit, action, value)


@pytest.mark.parametrize(
    ("condition", "limit", "holds", "not_holds"),
    [
        ("missing", True, [None, ""], ["x"]),
        ("longer_than", 2, ["abc", "a\\abc"], ["ab", "", None]),
        ("matching", r"\d+", ["12", "a\\1"], ["a1", None]),
        ("not_matching", r"\d+", ["a1", "1\\a"], ["12", None]),
        ("not_in", ["A", "B"], ["C", "A\\C"], ["A\\B", None]),
        ("invalid_uid", True, ["1..2", "a", "1." * 40], ["1.2.3", None]),
        ("always", True, ["", "x"], [None]),
    ],
)
def test_conditions(
    condition: str, limit: Any, holds: list[str | None], not_holds: list[str | None]
) -> None:
    one = rule(condition, limit)
    assert [text for text in holds if not one.applies(text)] == []
    assert [text for text in not_holds if one.applies(text)] == []


@pytest.mark.parametrize(
    ("action", "value", "before", "after"),
    [
        ("set", "NONE", None, "NONE"),
        ("remove", True, "x", None),
        ("strip", True, "  a \0\\ b", "a\\b"),
        ("truncate", 3, "abcdef\\ab", "abc\\ab"),
        ("replace", {"pattern": "[-/]", "by": ""}, "2024-01/02", "20240102"),
    ],
)
def test_actions(action: str, value: Any, before: str | None, after: str | None) -> None:
    assert rule("always", True, action, value).fixed(before) == after


def test_the_default_rules_are_valid() -> None:
    text = files("pipelines.ingest").joinpath("default_rules.yaml").read_text()
    parsed = parse(text)
    assert parsed.max_bytes == rules.MAX_BYTES
    assert {one.attribute for one in parsed.rules} >= {"StudyInstanceUID", "PatientID"}


RULE = "{name: a, attribute: PatientID, when: missing, reject: true}"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a: [", "are not valid YAML"),
        ("- 1", "holds no mapping"),
        ("colour: 1", "the rules: 'colour' is unknown"),
        ("max_bytes: 0", "max_bytes: 0 is not a valid number"),
        ("sop_classes: [x]", "sop_classes: 'x' is not a valid UID"),
        ("rules: [1]", "rule 1 is not valid"),
        (f"rules: [{RULE}, {{attribute: PatientID}}]", r"rule 2 \(without a name\) has no name"),
        ("rules: [{name: a, attribute: Patient}]", "'Patient' is not a keyword of DICOM"),
        (
            "rules: [{name: a, attribute: PatientID, when: never, reject: true}]",
            r"rule 1 \(a\): when needs exactly one of always",
        ),
        (
            "rules: [{name: a, attribute: PatientID, when: missing}]",
            r"rule 1 \(a\) needs exactly one of reject",
        ),
        (
            "rules: [{name: a, attribute: PatientID, when: {longer_than: x}, strip: true}]",
            "'x' is not a valid value of longer_than",
        ),
        (
            "rules: [{name: a, attribute: PatientID, when: {matching: '('}, strip: true}]",
            r"'\(' is not a valid pattern",
        ),
    ],
)
def test_errors_name_the_rule(text: str, complaint: str) -> None:
    with pytest.raises(RulesError, match=complaint):
        parse(text)


def test_no_rules_accept_all() -> None:
    assert parse("").rules == []
