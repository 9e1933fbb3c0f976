"""Numbers of a resource keep their text, and keys are sorted."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.core.json_reader import JsonError
from emulator.services.healthcare.fhir import json_text


@pytest.mark.parametrize("number", ["1.50", "0.00000001", "1e3", "-0.0", "1E+2", "12", "3.10e-7"])
def test_a_number_comes_back_as_it_was_written(number: str) -> None:
    raw = f'{{"value":{number}}}'.encode()
    assert json_text.dump(json_text.parse(raw)) == raw


def test_a_computed_decimal_is_a_number() -> None:
    assert json_text.dump({"b": Decimal("2.10"), "a": [Decimal(1)]}) == b'{"a":[1],"b":2.10}'


def test_the_answer_is_indented_with_sorted_keys() -> None:
    text = json_text.dump(json_text.parse('{"b": 1.0, "a": "\u00e9"}'), indent=2)
    assert text.decode() == '{\n  "a": "\u00e9",\n  "b": 1.0\n}'


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"[]", "The body is not a JSON object."),
        (b"{", "Expecting property name enclosed in double quotes"),
        (b'{"a": NaN}', "NaN is not a JSON number."),
        (b'{"a": "\xff"}', "The body is not valid UTF-8."),
        (b"{'a': 1}", "Expecting property name enclosed in double quotes"),
        (b'{"a":' * 100_000, "The JSON is nested too deeply."),
        (b'{"a": ' + b"1" * 5000 + b"}", "A number of the JSON has too many digits."),
    ],
)
def test_other_texts_are_refused(raw: bytes, message: str) -> None:
    with pytest.raises(JsonError, match=message):
        json_text.parse(raw)


def test_half_a_surrogate_pair_becomes_the_replacement_character() -> None:
    value = json_text.parse(rb'{"a": ["\ud800x"], "\udc00": 1, "b": "\ud83d\ude00"}')
    assert value == {"a": ["\ufffdx"], "\ufffd": 1, "b": "\U0001f600"}
    assert json_text.dump(value)


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.text(), _VALUES, max_size=5))
def test_every_object_comes_back(value: dict[str, object]) -> None:
    raw = json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
    expected = json.loads(raw)
    assert json_text.parse(json_text.dump(json_text.parse(raw))) == expected
