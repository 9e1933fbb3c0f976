"""The JSON that Google's front ends accept, and what they refuse."""

import json
import time
from typing import Any

import pytest

from emulator.core import json_reader
from emulator.core.json_reader import JsonError

LENIENT: list[tuple[str, Any]] = [
    ("{ 'a': { 'b': 'c' } }", {"a": {"b": "c"}}),
    ("{a: 1, _b: 2, $c: 3, d1: true}", {"a": 1, "_b": 2, "$c": 3, "d1": True}),
    ('{"a": [1, 2, ], "b": {"c": null , } ,}', {"a": [1, 2], "b": {"c": None}}),
    (r"""{'it\'s': 'say "hi"'}""", {"it's": 'say "hi"'}),
    (r"""{'a': 'é\n\\'}""", {"a": "é\n\\"}),
    ("""{'a': "it's"}""", {"a": "it's"}),
    ("{'a': 'b:c, d]}'}", {"a": "b:c, d]}"}),
    ('{"a": "x: y,}",}', {"a": "x: y,}"}),
    ("{true: false, null: 1}", {"true": False, "null": 1}),
    ("['']", [""]),
    ("{a\n:\n1\n,\n}", {"a": 1}),
    ("[-1.5e3, 2E-2,]", [-1500.0, 0.02]),
]
REFUSED = [
    ("{a: b}", "Expected a value. (line 1, column 7)"),
    ("{'a': 1 'b': 2}", "Expected , or } after key:value pair. (line 1, column 9)"),
    ("{'a': [1 2]}", "Expected , or ] after array value. (line 1, column 10)"),
    ("{'a' 1}", "Expected : between key:value pair. (line 1, column 6)"),
    ("{1: 2}", "Expected an object key or }. (line 1, column 2)"),
    ("{,}", "Expected an object key or }. (line 1, column 2)"),
    ("[,]", "Expected a value. (line 1, column 2)"),
    ("[1,,]", "Expected a value."),
    ("{'a': 'b}", "Closing quote expected in string."),
    ('{"a": "b}', "Closing quote expected in string."),
    ("{'a': 'b\\", "Closing quote expected in string."),
    ("{} {}", "Parsing terminated before end of input. (line 1, column 4)"),
    ("{'a': 1", "Unexpected end of string."),
    ("{'a': NaN}", "Expected a value. NaN is not a JSON number."),
    ("[Infinity]", "Expected a value. Infinity is not a JSON number."),
    ("[-Infinity,]", "Expected a value. -Infinity is not a JSON number."),
    ("{'a': 0x10}", "Expected , or } after key:value pair."),
    ("{'a': +1}", "Expected a value."),
    ("{'a': 1} // b", "Parsing terminated before end of input."),
    (r"{'a': '\u12'}", "Illegal hex string."),
    (r"{'a': '\x12'}", "Invalid escape sequence in string."),
    ("{'a': '\n'}", "Invalid control character in string."),
    ("[" + "9" * 5000 + ",]", "Unable to parse number."),
    ("{'a':" * 100_000, "Message too deep. Max recursion depth reached."),
]


@pytest.mark.parametrize(("text", "value"), LENIENT)
def test_what_google_accepts_beside_strict_json_is_read(text: str, value: Any) -> None:
    assert json_reader.read(text.encode()) == value


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_every_encoding_of_strict_json_is_read_leniently_too(encoding: str) -> None:
    assert json_reader.read("{'a': 'é',}".encode(encoding)) == {"a": "é"}


@pytest.mark.parametrize(("text", "complaint"), REFUSED)
def test_other_dialects_are_refused_in_google_s_words(text: str, complaint: str) -> None:
    with pytest.raises(JsonError) as refusal:
        json_reader.read(text.encode())

    assert str(refusal.value).startswith(complaint)


def test_what_is_not_utf_8_is_refused() -> None:
    with pytest.raises(JsonError, match="The text is not valid utf-8"):
        json_reader.read(b"{'a': '\xff'}")


def test_an_error_quotes_nothing_of_the_text() -> None:
    with pytest.raises(JsonError) as refusal:
        json_reader.read(b"{'name': Jane}")

    assert "Jane" not in str(refusal.value)


@pytest.mark.parametrize(
    "piece", ["'", "\\'", '\\"', "a ", "a", ", ", "' \" ", "{", "'\\\\", "a: ", "[,"]
)
def test_time_is_linear_in_the_length(piece: str) -> None:
    def seconds(times: int) -> float:
        began = time.process_time()
        with pytest.raises(JsonError):
            json_reader.read(b"{" + piece.encode() * times)
        return time.process_time() - began

    short = min(seconds(20_000) for _ in range(3))

    assert seconds(200_000) < 30 * short + 0.2


def test_a_strict_body_stays_as_it_is() -> None:
    strict = b'{"a":   [1]}'

    assert json_reader.to_strict(strict) is strict


def test_a_lenient_body_is_made_strict_and_another_stays() -> None:
    assert json.loads(json_reader.to_strict(b"{'a': [1,]}")) == {"a": [1]}
    assert json_reader.to_strict(b"{a: b}") == b"{a: b}"
