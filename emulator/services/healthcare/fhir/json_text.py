"""The JSON of resources: exact numbers in, sorted keys out.

FHIR keeps the precision of a decimal (http://hl7.org/fhir/R4/datatypes.html#decimal, documented):
`1.50` is not `1.5`. So a number with a point or an exponent is a `Decimal` here that remembers its
text, and is written again as it was read.
"""

import json
import re
import uuid
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from emulator.core.json_reader import JsonError

MEDIA_TYPE = "application/fhir+json;charset=utf-8"

_MARK = uuid.uuid4().hex
"""Stands before a number while the encoder sees it as a string; no client can know it."""
_MARKED = re.compile(f'"{_MARK}([^"]*)"')
_HALF_OF_A_PAIR = re.compile(rb"\\u[dD][89abAB]|\\u[dD][c-fC-F]")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


class ExactDecimal(Decimal):
    """A decimal number with the text that it was read from.

    Attributes:
        text: as it is written in JSON
    """

    __slots__ = ("text",)
    text: str

    def __new__(cls, text: str) -> "ExactDecimal":
        """Return the number of a text such as `1.50` or `1e3`."""
        number = super().__new__(cls, text)
        number.text = text
        return number

    def __deepcopy__(self, _memo: object) -> "ExactDecimal":
        """Return the number itself: a copy by its value would have another text."""
        return self


def parse(raw: bytes | str) -> dict[str, Any]:
    """Return the object of a JSON text.

    Numbers with a point or an exponent become `ExactDecimal`. Half a surrogate pair becomes U+FFFD,
    as Go reads it, because it has no form in UTF-8.

    Raises:
        JsonError: the text is not JSON in UTF-8, not an object, or nested too deeply
    """
    try:
        text = raw if isinstance(raw, str) else raw.decode()
        value = _DECODER.decode(text)
    except UnicodeDecodeError:
        raise JsonError("The body is not valid UTF-8.") from None
    except json.JSONDecodeError as error:
        raise JsonError(f"{error.msg} (line {error.lineno}, column {error.colno})") from None
    except RecursionError:
        raise JsonError("The JSON is nested too deeply.") from None
    except JsonError:
        raise
    except ValueError:  # more digits than Python converts
        raise JsonError("A number of the JSON has too many digits.") from None
    if not isinstance(value, dict):
        raise JsonError("The body is not a JSON object.")
    if _HALF_OF_A_PAIR.search(raw.encode() if isinstance(raw, str) else raw):
        return dict(_without_surrogates(value))
    return value


def dump(value: Mapping[str, Any] | list[Any], *, indent: int | None = None) -> bytes:
    """Return a value as JSON in UTF-8, its keys sorted.

    Args:
        value: numbers may be `Decimal`
        indent: number of spaces a level; nothing for the shortest form
    """
    text = (_SHORTEST if indent is None else _encoder(indent)).encode(value)
    if _MARK in text:
        text = _MARKED.sub(r"\1", text)
    return text.encode()


def _mark_decimal(value: object) -> str:
    if isinstance(value, ExactDecimal):
        return _MARK + value.text
    if isinstance(value, Decimal):
        return _MARK + str(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def _encoder(indent: int | None) -> json.JSONEncoder:
    return json.JSONEncoder(
        sort_keys=True,
        ensure_ascii=False,
        indent=indent,
        separators=(",", ":") if indent is None else (",", ": "),
        default=_mark_decimal,
    )


def _refuse_constant(word: str) -> None:
    raise JsonError(f"{word} is not a JSON number.")


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return _LONE_SURROGATE.sub("\ufffd", value)
    if isinstance(value, dict):
        return {
            _without_surrogates(name): _without_surrogates(member) for name, member in value.items()
        }
    if isinstance(value, list):
        return [_without_surrogates(member) for member in value]
    return value


_DECODER = json.JSONDecoder(parse_float=ExactDecimal, parse_constant=_refuse_constant)
_SHORTEST = _encoder(None)
"""Made once: `json` makes another one for each call with arguments."""
