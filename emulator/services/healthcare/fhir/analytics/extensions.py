"""Extensions as columns, named by their URLs.

A name is the last part of the URL. Where it is taken, by an element or by another extension, it is
the whole URL instead.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Row = dict[str, Any]
Convert = Callable[[Mapping[str, Any]], Row]
"""Returns the value of an extension as `{TYPE: value}`; empty without one."""

_INVALID = re.compile(r"[^A-Za-z0-9_]+")


class RowError(Exception):
    """A resource has no row."""


class ExtensionError(RowError):
    """Extensions whose columns have the same name; the resource has no row."""


def name_of(url: str) -> str:
    """Return the column of a URL by its last part."""
    return _valid(url.removesuffix("/").rpartition("/")[2])


def full_name_of(url: str) -> str:
    """Return the column of a URL by all of it."""
    return _valid(url.removeprefix("http://").removeprefix("https://"))


def _valid(text: str) -> str:
    name = _INVALID.sub("_", text)
    return f"_{name}" if name[:1].isdigit() else name


def single(row: Row, found: Sequence[Mapping[str, Any]], convert: Convert) -> None:
    """Add extensions to a row as ANALYTICS has them: each URL once.

    Raises:
        ExtensionError: a column has no name, or one that is taken
    """
    counts = Counter(_checked(name_of(_url(each))).lower() for each in found)
    for each in found:
        name = name_of(_url(each))
        if name in row or counts[name.lower()] > 1:
            name = full_name_of(_url(each))
            counts[name.lower()] += 1
            if name in row or counts[name.lower()] > 1:
                raise ExtensionError(f"the extension column {name} is there twice")
        value = convert(each)
        if value:
            row[name] = {"value": value}
        else:
            nested: Row = {}
            single(nested, _children(each), convert)
            row[name] = nested


def repeated(row: Row, found: Sequence[Mapping[str, Any]], convert: Convert) -> None:
    """Add extensions to a row as ANALYTICS_V2 has them: each URL any number of times.

    Raises:
        ExtensionError: a column has no name, or one that is taken
    """
    short = Counter(_checked(name_of(_url(each))).lower() for each in found)
    full = Counter(full_name_of(_url(each)).lower() for each in found)
    own = set(row)
    for each in found:
        name, whole = name_of(_url(each)), full_name_of(_url(each))
        is_taken = name in own or name == "value"
        if is_taken or short[name.lower()] > full[whole.lower()]:
            name = whole
        value = convert(each)
        nested: Row = {"value": value} if value else {}
        repeated(nested, _children(each), convert)
        if name in own:
            raise ExtensionError(f"the extension column {name} is that of an element")
        row.setdefault(_spelling(row, name), []).append(nested)


def _spelling(row: Row, name: str) -> str:
    """Return a column as it is spelled in a row: the names of BigQuery do not depend on case."""
    return next((each for each in row if each.lower() == name.lower()), name)


def _children(extension: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [each for each in extension.get("extension", []) if isinstance(each, Mapping)]


def _url(extension: Mapping[str, Any]) -> str:
    return str(extension.get("url", ""))


def _checked(name: str) -> str:
    if not name:
        raise ExtensionError("an extension has no name for its column: its URL ends with a slash")
    return name
