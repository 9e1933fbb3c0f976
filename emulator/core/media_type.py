"""Media types of Content-Type and Accept headers (RFC 9110 8.3.1)."""

import re
from collections.abc import Mapping
from typing import NamedTuple

_PARAMETER = re.compile(r';\s*([^\s;=]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^;\s]*)')
_QUOTED_PAIR = re.compile(r"\\(.)")


class MediaType(NamedTuple):
    """A media type.

    Attributes:
        type: such as `application/dicom`, in lower case; empty if the header has none
        parameters: values by name in lower case; the first of each name
    """

    type: str
    parameters: Mapping[str, str]


def parse(header: str) -> MediaType:
    """Return the media type of a header. Values may hold a `/`, as many clients write them."""
    name, separator, rest = header.partition(";")
    parameters: dict[str, str] = {}
    for key, value in _PARAMETER.findall(separator + rest):
        parameters.setdefault(key.lower(), _unquote(value))
    return MediaType(name.strip().lower(), parameters)


def _unquote(value: str) -> str:
    if len(value) > 1 and value[0] == value[-1] == '"':
        return _QUOTED_PAIR.sub(r"\1", value[1:-1])
    return value
