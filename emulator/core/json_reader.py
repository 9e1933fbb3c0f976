"""JSON as Google's front ends read it: RFC 8259, and what their parser accepts beside it.

Google's parser (protobuf's, with its legacy syntax) also takes strings and names in single quotes,
names without quotes, and a comma after the last member or element. JSON5 is another language:
comments, hexadecimal numbers, `NaN` and `Infinity` are refused here as there.

What the strict parser refuses is rewritten to strict JSON in one pass of linear time and parsed
again. So both readings have the same bounds in depth.
"""

import json
import re
from typing import Any

_TOKEN = re.compile(
    r"""
    (?P<empty> [\[{,:] \s*+ , )
    | (?P<string> "[^"\\]*+ (?:\\.[^"\\]*+)*+ (?P<end>"?) )
    | ' (?P<single> [^'\\]*+ (?:\\.[^'\\]*+)*+ ) (?P<single_end>'?)
    | (?P<word> [\w$]++ ) (?P<colon> \s*+ :)?
    | (?P<comma> , ) (?P<close> \s*+ [}\]])?
    """,
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_ESCAPE_OR_QUOTE = re.compile(r"\\.|\"", re.DOTALL)
_BRACKET = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[][{}]', re.DOTALL)
_WORDS = {
    "Expecting value": "Expected a value.",
    "Expecting property name enclosed in double quotes": "Expected an object key or }.",
    "Expecting ':' delimiter": "Expected : between key:value pair.",
    "Extra data": "Parsing terminated before end of input.",
    "Invalid \\escape": "Invalid escape sequence in string.",
    "Invalid \\uXXXX escape": "Illegal hex string.",
    "Invalid control character at": "Invalid control character in string.",
}
"""The message of the package json -> Google's message."""


class JsonError(ValueError):
    """The text is not JSON. The message has the position, and quotes nothing of the text."""


def read(raw: bytes) -> Any:
    """Return the value of a JSON text in UTF-8, UTF-16 or UTF-32.

    Raises:
        JsonError: it is not JSON, or nested too deeply
    """
    try:
        return _parse(raw)
    except (ValueError, RecursionError):
        return _read_leniently(raw)


def to_strict(raw: bytes) -> bytes:
    """Return a body as strict JSON; unchanged where it is strict, or not JSON at all."""
    try:
        _parse(raw)
    except (ValueError, RecursionError):
        try:
            return json.dumps(_read_leniently(raw)).encode()
        except JsonError:
            pass
    return raw


def _parse(text: bytes | str) -> Any:
    return json.loads(text, parse_constant=_refuse_constant)


def _refuse_constant(word: str) -> None:
    raise JsonError(f"Expected a value. {word} is not a JSON number.")


def _read_leniently(raw: bytes) -> Any:
    try:
        text = raw.decode(json.detect_encoding(raw), "surrogatepass")
    except UnicodeDecodeError as error:
        raise JsonError(f"The text is not valid {error.encoding}.") from None
    strict = _TOKEN.sub(_to_strict_token, text)
    try:
        return _parse(strict)
    except json.JSONDecodeError as error:
        raise JsonError(f"{_explain(error)} (line {error.lineno}, column {error.colno})") from None
    except RecursionError:
        raise JsonError("Message too deep. Max recursion depth reached.") from None
    except JsonError:
        raise
    except ValueError:
        raise JsonError("Unable to parse number.") from None


def _to_strict_token(token: re.Match[str]) -> str:
    """Return a token of Google's dialect as strict JSON has it."""
    if token["empty"] is not None:
        return token[0]  # a comma after nothing: not JSON in any dialect
    if token["string"] is not None:
        return token[0] if token["end"] else _unclosed()
    if token["single"] is not None:
        return f'"{_requote(token["single"])}"' if token["single_end"] else _unclosed()
    if token["word"] is not None:
        if token["colon"] and not token["word"][0].isdigit():
            return f'"{token["word"]}"{token["colon"]}'
        return token[0]
    return token["close"] or token[0]


def _unclosed() -> str:
    raise JsonError("Closing quote expected in string.")


def _requote(content: str) -> str:
    r"""Return the content of a single-quoted string for double quotes: `\'` is `'`, `"` is `\"`."""

    def requote(match: re.Match[str]) -> str:
        return {"\\'": "'", '"': '\\"'}.get(match[0], match[0])

    return _ESCAPE_OR_QUOTE.sub(requote, content)


def _explain(error: json.JSONDecodeError) -> str:
    """Return Google's words for an error of the strict parser."""
    if error.pos >= len(error.doc.rstrip()):
        return "Unexpected end of string."
    if error.msg == "Expecting ',' delimiter":
        is_object = _innermost_bracket(error.doc[: error.pos]) == "{"
        expected = ", or } after key:value pair" if is_object else ", or ] after array value"
        return f"Expected {expected}."
    return _WORDS.get(error.msg, "Unexpected token.")


def _innermost_bracket(text: str) -> str:
    """Return the last bracket that a text opens and does not close."""
    opened: list[str] = []
    for [bracket] in (match for match in _BRACKET.findall(text) if len(match) == 1):
        if bracket in "[{":
            opened.append(bracket)
        elif opened:
            opened.pop()
    return opened[-1] if opened else ""
