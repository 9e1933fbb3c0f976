"""The query parameters of a search: QIDO-RS (PS3.18 10.6), with the limits of the Healthcare API.

Inferred (conformance: search-parameter-text, search-sop-class,
search-includefield-text, search-limit-text, search-date-text, search-fuzzy-text,
search-fuzzy-words, search-wildcards, search-uid-list): fuzzy matching by words, and the texts of
refusals.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial

from pydicom.datadict import keyword_for_tag, tag_for_keyword

from emulator.core.conditions import TRUE, Condition, fold, matches_wildcards, or_
from emulator.core.errors import invalid_argument
from emulator.services.healthcare.dicom.instances import other_values
from emulator.services.healthcare.dicom.instances.models import InstanceStore
from emulator.services.healthcare.dicom.parsing.attributes import MATCH_KEYS, Level
from emulator.services.healthcare.dicom.parsing.match_values import NAMES, UIDS, fold_value
from emulator.services.healthcare.dicom.resource_path import ResourcePath

LIMITS = {Level.STUDY: (100, 5_000), Level.SERIES: (100, 5_000), Level.INSTANCE: (1_000, 50_000)}
"""Default and maximum."""
MAX_OFFSET = 1_000_000
_TAG = re.compile(r"[0-9A-Fa-f]{8}")
_DATE_RANGE = re.compile(r"(\d{8})?-(\d{8})?")
SYSTEM_PARAMETERS = frozenset({"alt", "access_token", "key", "prettyPrint"})
"""Parameters that every method of a Google API takes."""
_LISTS = frozenset(tag for level in Level for _, tag, column in MATCH_KEYS[level] if column in UIDS)
"""Attributes of which a list of values can be asked for (PS3.4 C.2.2.2.2)."""
_NOT_RETURNED = frozenset({"00083002"})
"""AvailableTransferSyntaxUID, which the service refuses to include."""
MODALITIES_IN_STUDY = "00080061"


@dataclass
class Search:
    """A parsed search.

    Attributes:
        level: of the results
        resource_path: the store, study or series that is searched
        limit: maximum number of results
        offset: number of results to skip
        fields: tags of further attributes to return
        everything: whether all attributes are returned
        matches: all of which an instance must meet
    """

    level: Level
    resource_path: ResourcePath
    limit: int
    offset: int = 0
    fields: list[str] = field(default_factory=list)
    everything: bool = False
    matches: list["Match"] = field(default_factory=list)


@dataclass(frozen=True)
class Match:
    """Test of one element that a query parameter asks for.

    Attributes:
        key: of the element; empty if it has no other values than the column's
        column: that holds its first value
        test: returns the condition of a column
    """

    key: str
    column: str
    test: Callable[[str], Condition]

    def condition(self, contents: InstanceStore, store: str) -> Condition:
        """Return the condition that one of the element's values meets the test."""
        first = self.test(self.column)
        if not self.key:
            return first
        other = self.test("value")
        some = other_values.any_condition(store, self.key, other)
        # Few stores have any, and with OR no index of the column is used.
        if not contents.select(f"SELECT 1 WHERE {some.sql}", some.parameters):
            return first
        return or_(first, other_values.condition(store, self.key, other))


def parse(level: Level, resource_path: ResourcePath, query: Iterable[tuple[str, str]]) -> Search:
    """Return the search of a query.

    Raises:
        ApiError: 400, naming the unknown or invalid parameter
    """
    pairs = merge_repeated(query)
    default, maximum = LIMITS[level]
    search = Search(level, resource_path, default)
    fuzzy = any(_boolean(name, value) for name, value in pairs if name == "fuzzymatching")
    for name, value in pairs:
        if name == "limit":
            search.limit = _number(name, value, maximum)
        elif name == "offset":
            search.offset = _number(name, value, MAX_OFFSET)
        elif name == "includefield":
            _include(search, value)
        elif name != "fuzzymatching" and name not in SYSTEM_PARAMETERS:
            _match(search, name, value, fuzzy=fuzzy)
    return search


def merge_repeated(query: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the pairs of a query, each attribute once, its UIDs in one list.

    Raises:
        ApiError: 400, a parameter other than UIDs and `includefield` is repeated
    """
    merged: dict[str, tuple[str, str]] = {}
    includes = []
    for name, value in query:
        if name == "includefield":
            includes.append((name, value))
            continue
        key = _tag(name) or name
        if key not in merged or key in SYSTEM_PARAMETERS:
            merged[key] = (name, value)
        elif key in _LISTS:
            merged[key] = (name, f"{merged[key][1]},{value}")
        else:
            raise invalid_argument(f"The parameter {name!r} is repeated; it may be given once.")
    return [*merged.values(), *includes]


def _number(name: str, text: str, maximum: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10) or int(text) > maximum:
        raise invalid_argument(f"invalid {name} {text!r}: a number from 0 to {maximum} is expected")
    return int(text)


def _boolean(name: str, text: str) -> bool:
    if text not in ("true", "false"):
        raise invalid_argument(f"invalid {name} {text!r}: true or false is expected")
    return text == "true"


def _tag(name: str) -> str | None:
    if _TAG.fullmatch(name):
        return name.upper()
    tag = tag_for_keyword(name)
    return None if tag is None else f"{tag:08X}"


def _include(search: Search, value: str) -> None:
    for name in filter(None, value.split(",")):
        tag = _tag(name)
        if name == "all":
            search.everything = True
        elif tag is None or tag in _NOT_RETURNED:
            keyword = name if tag is None else keyword_for_tag(tag)
            # Observed in what wsidicom recognizes: https://github.com/imi-bigpicture/wsidicom/pull/149
            raise invalid_argument(f"unknown/unsupported QIDO attribute: {keyword}")
        else:
            search.fields.append(tag)


def _match(search: Search, name: str, value: str, *, fuzzy: bool) -> None:
    tag = _tag(name)
    if tag == MODALITIES_IN_STUDY:
        in_study = Condition(
            "study IN (SELECT study FROM dicom_instances WHERE store = ? AND modality = ?)",
            (search.resource_path.store, value),
        )
        search.matches.append(Match("", "", lambda _: in_study))
        return
    known = {
        key_tag: (keyword, column)
        for level in Level
        if level <= search.level
        for keyword, key_tag, column in MATCH_KEYS[level]
    }
    if tag is None or tag not in known:
        supported = ", ".join(keyword for keyword, _ in known.values())
        keyword = keyword_for_tag(tag) if tag else name
        # Its beginning is observed, as that of `includefield`.
        raise invalid_argument(
            f"{keyword or name} is not a supported {search.level.name.lower()} level parameter of"
            f" a search; supported: {supported}"
        )
    column = known[tag][1]
    if value in ("", "*"):
        return  # universal matching, PS3.4 C.2.2.2.3
    search.matches.append(
        Match(
            "" if column in UIDS else column,
            f"{column}_folded" if column in NAMES else column,
            partial(_condition, column, value, fuzzy=fuzzy),
        )
    )


def _condition(key: str, value: str, column: str, *, fuzzy: bool) -> Condition:
    if key in UIDS:
        uids = [uid for uid in re.split(r"[,\\]", value) if uid]
        return Condition(f"{column} IN ({', '.join('?' * len(uids))})", tuple(uids))
    if key == "study_date" and "-" in value:
        match = _DATE_RANGE.fullmatch(value)
        if match is None:
            raise invalid_argument(f"invalid StudyDate {value!r}: YYYYMMDD or YYYYMMDD-YYYYMMDD")
        return Condition(
            f"{column} BETWEEN ? AND ?", (match[1] or "00000000", match[2] or "99999999")
        )
    if key == "patient_name" and fuzzy:
        # Any of the words must begin some word of the name.
        words = [word for word in re.split(r"[\s^=*]+", fold(value)) if word]
        if not words:
            return TRUE
        name = f"' ' || replace(replace({column}, '^', ' '), '=', ' ')"
        return or_(*(Condition(f"instr({name}, ?) > 0", (f" {word}",)) for word in words))
    return matches_wildcards(column, fold_value(key, value))
