"""Values of primitive types, with the words of google/fhir for those that are wrong.

The rules and texts are observed in `jsonformat` and `fhirvalidate` of google/fhir v0.7.4, whose
errors the API repeats. A problem of the first stage stops the reading of a resource, so those of
the second stage are reported only if there is none of the first.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from emulator.services.healthcare.fhir import json_text, url_syntax

MAX_STRING_BYTES = 1024 * 1024
_ESCAPED = re.compile(r"\\u00([01][0-9a-f])")
_GO_ESCAPES = {"07": r"\a", "0b": r"\v"}
MAX_QUOTED = 50
"""Characters of an object or array that an error quotes."""

_MAX_INT, _MAX_UNSIGNED = 2**31 - 1, 2**32 - 1
_DAY = r"(?P<year>\d{4})(?:-(?P<month>0[1-9]|1[0-2])(?:-(?P<day>\d{2}))?)?"
_CLOCK = r"(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?"
_ZONE = r"(?:Z|[+-](?:(?:0\d|1[0-3]):[0-5]\d|14:00))"
_DATE = re.compile(_DAY, re.ASCII)
_DATE_TIME = re.compile(rf"{_DAY}(?:(?<=-\d\d-\d\d)T{_CLOCK}{_ZONE})?", re.ASCII)
_INSTANT = re.compile(rf"{_DAY}(?<=-\d\d-\d\d)T{_CLOCK}{_ZONE}", re.ASCII)
_TIME = re.compile(_CLOCK, re.ASCII)
_BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")
_FORMATS = {
    "code": ("Code", re.compile(r"[^\t\n\f\r ]+(?:[\t\n\f\r ][^\t\n\f\r ]+)*")),
    "id": ("Id", re.compile(r"[A-Za-z0-9\-.]{1,64}")),
    "oid": ("Oid", re.compile(r"urn:oid:[0-2](?:\.(?:0|[1-9][0-9]*))+")),
    "uuid": ("Uuid", re.compile(r"urn:uuid:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")),
}
_TEXTS = {
    **{name: name for name in ("string", "code", "uri", "url", "canonical", "markdown", "xhtml")},
    "id": "ID",
    "oid": "OID",
    "uuid": "UUID",
}
"""Type of a text -> its name in an error."""


def quote(value: Any) -> str:
    """Return a value as an error quotes it: as JSON."""
    return json_text.dump([value])[1:-1].decode()


def quote_go(text: str) -> str:
    """Return a text as Go's verb `%q` quotes it, which has other escapes than JSON."""
    return _ESCAPED.sub(lambda match: _GO_ESCAPES.get(match[1], rf"\x{match[1]}"), quote(text))


def parse_error(type_name: str, value: Any) -> str:
    """Return why a value is not of a primitive type; an empty text if it is.

    Args:
        type_name: of a primitive type
        value: from JSON; `null` is an empty text, number or boolean, as Go reads it
    """
    if isinstance(value, list):
        return f"invalid JSON: {quote(value)[:MAX_QUOTED]}"
    if type_name in _TEXTS:
        if value is None or isinstance(value, str):
            return ""
        return f"expected {_TEXTS[type_name]}: found {quote(value)}"
    return _PARSERS[type_name](value)


def format_error(type_name: str, value: Any) -> str:
    """Return what is wrong with a value that is of its type; an empty text if nothing is."""
    if type_name == "string":
        return _string_error(value or "")
    if type_name in _FORMATS:
        name, pattern = _FORMATS[type_name]
        return "" if pattern.fullmatch(value or "") else f"invalid {name} format"
    if type_name in ("uri", "url", "canonical"):
        return "" if url_syntax.is_valid(value or "") else f"invalid {type_name}"
    if type_name in ("positiveInt", "unsignedInt") and value and value > _MAX_INT:
        return f"non-negative integer out of range {int(type_name[0] == 'p')}..2,147,483,647"
    return ""


def has_format(type_name: str) -> bool:
    """Whether values of a type have rules beyond those of reading them."""
    return type_name in _WITH_FORMAT


_WITH_FORMAT = {*_FORMATS, "string", "uri", "url", "canonical", "positiveInt", "unsignedInt"}


def is_integer(value: Any) -> bool:
    """Whether a value of JSON is a number without point and exponent."""
    return isinstance(value, int) and not isinstance(value, bool)


def _string_error(value: str) -> str:
    if len(value) * 4 > MAX_STRING_BYTES and len(value.encode()) > MAX_STRING_BYTES:
        return "string exceeds maximum size of 1 MB"
    if control := _CONTROL.search(value):
        return f"string contains invalid characters: U+{ord(control[0]):04X}"
    return ""


def _boolean(value: Any) -> str:
    is_valid = value is None or isinstance(value, bool)
    return "" if is_valid else f"expected boolean: found {quote(value)}"


def _decimal(value: Any) -> str:
    is_valid = is_integer(value) or isinstance(value, Decimal)
    return "" if is_valid else f"expected decimal: found {quote(value)}"


def _integer(value: Any) -> str:
    if value is None or (is_integer(value) and -_MAX_INT - 1 <= value <= _MAX_INT):
        return ""
    return f"expected integer: found {quote(value)}"


def _positive(value: Any) -> str:
    if not is_integer(value) or value < 1:
        return f"expected positive integer: found {quote(value)}"
    return "" if value <= _MAX_UNSIGNED else f"invalid positive integer: found {quote(value)}"


def _unsigned(value: Any) -> str:
    if not is_integer(value) or value < 0:
        return f"invalid non-negative integer: found {quote(value)}"
    return "" if value <= _MAX_UNSIGNED else "non-negative integer out of range 0..2,147,483,647"


def _moment(name: str, pattern: re.Pattern[str]) -> Callable[[Any], str]:
    def error(value: Any) -> str:
        match = pattern.fullmatch(value) if isinstance(value, str) else None
        return "" if match and _is_day(match) else f"expected {name}: found {quote(value)}"

    return error


def _is_day(match: re.Match[str]) -> bool:
    """Whether the calendar has the day of a match; Go knows the year 0, a leap year, as well."""
    if not match["day"]:
        return True
    try:
        date(int(match["year"]) or 4, int(match["month"]), int(match["day"]))
    except ValueError:
        return False
    return True


def _time(value: Any) -> str:
    is_valid = isinstance(value, str) and _TIME.fullmatch(value)
    return "" if is_valid else "invalid time: invalid time"


def _binary(value: Any) -> str:
    if isinstance(value, str) and _is_base64(value):
        return ""
    return f"expected binary data: found {quote(value)}"


def _is_base64(text: str) -> bool:
    """Whether a text is base64, with spaces at one distance alone (as PEM has lines)."""
    first, *chunks = re.split(" +", text)
    gaps = {len(gap) for gap in re.findall(" +", text)}
    if len(gaps) > 1 or any(len(chunk) != len(first) for chunk in chunks[:-1]):
        return False
    plain = text.replace(" ", "")
    return len(plain) % 4 == 0 and bool(_BASE64.fullmatch(plain))


_PARSERS: Mapping[str, Callable[[Any], str]] = {
    "base64Binary": _binary,
    "boolean": _boolean,
    "date": _moment("date", _DATE),
    "dateTime": _moment("datetime", _DATE_TIME),
    "decimal": _decimal,
    "instant": _moment("instant", _INSTANT),
    "integer": _integer,
    "positiveInt": _positive,
    "time": _time,
    "unsignedInt": _unsigned,
}
