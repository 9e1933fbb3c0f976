"""Authorization rules: what compiles, and what a request satisfies."""

import pytest

from emulator.services.healthcare.consents.authorization_rules import (
    Outcome,
    compile_rule,
    is_attribute_name,
)

KNOWN = frozenset({"purpose", "role", "size"})


@pytest.mark.parametrize(
    ("expression", "request_values", "outcome"),
    [
        ("purpose == 'care'", {"purpose": "care"}, Outcome.SATISFIED),
        ("purpose == 'care'", {"purpose": "research"}, Outcome.NOT_SATISFIED),
        ('purpose in ["care", "billing"]', {"purpose": "billing"}, Outcome.SATISFIED),
        ("purpose != 'care' && role == 'nurse'", {"purpose": "x", "role": "nurse"},
         Outcome.SATISFIED),
        ("role == 'a' || purpose == 'care'", {"purpose": "care"}, Outcome.SATISFIED),
        ("role == 'a' && purpose == 'care'", {"purpose": "x"}, Outcome.NOT_SATISFIED),
        ("role == 'a'", {"purpose": "care"}, Outcome.FAILED),
        ("role != 'a'", {}, Outcome.FAILED),
        ("size == 'a' // && nothing || else", {"size": "a"}, Outcome.SATISFIED),
        ("true", {}, Outcome.SATISFIED),
    ],
)  # fmt: skip
def test_outcomes(expression: str, request_values: dict[str, str], outcome: Outcome) -> None:
    assert compile_rule(expression, KNOWN).evaluate(request_values) is outcome


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("purpose == 'role'", {"purpose"}),
        ("role == r\"\\d\" || purpose == 'it\\'s size'", {"role", "purpose"}),
        ("role == '''purpose\n''' // size", {"role"}),
    ],
)
def test_the_attributes_of_a_rule_are_not_the_words_of_its_texts(
    expression: str, names: set[str]
) -> None:
    assert compile_rule(expression, KNOWN).attributes == names


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("purpose ==", "Syntax error"),
        ("nothing == 'a'", "undeclared reference to 'nothing'"),
        ("!(purpose == 'a')", "undeclared reference to '!_'"),
        ("purpose.startsWith('a')", "undeclared reference to 'startsWith'"),
        ("purpose + 'a' == 'ba'", "undeclared reference to '_+_'"),
        ("['a'].exists(x, x == purpose)", "undeclared reference to 'x'"),
        ("purpose == 1", "no matching overload"),
        ("purpose", "the expression is STRING, not BOOL"),
    ],
)
def test_what_is_no_rule_is_named(expression: str, reason: str) -> None:
    with pytest.raises(ValueError, match=r"^[^\n]+$") as refused:
        compile_rule(expression, KNOWN)
    assert reason in str(refused.value)
    assert "INVALID_ARGUMENT" not in str(refused.value)


def test_at_most_ten_logical_operators() -> None:
    terms = ["purpose == '&& ||'"] * 12
    assert compile_rule(" || ".join(terms[:11]), KNOWN).attributes == {"purpose"}
    with pytest.raises(ValueError, match="11 logical operators: at most 10"):
        compile_rule(" && ".join(terms), KNOWN)


@pytest.mark.parametrize(
    ("name", "fits"), [("purpose", True), ("size", True), ("in", False), ("string", False)]
)
def test_names_that_rules_can_use(name: str, fits: bool) -> None:
    assert is_attribute_name(name) is fits
