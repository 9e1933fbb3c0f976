"""Resources of a DICOM store that a query selects, by their paths."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

LEVELS = (
    ("studies", "StudyInstanceUID"),
    ("series", "SeriesInstanceUID"),
    ("instances", "SOPInstanceUID"),
)
_TAGS = ("0020000D", "0020000E", "00080018")
"""Of the UIDs of the levels."""
_NO_SEARCH = (
    "The search is not valid: write KEYWORD=VALUE, joined by &, for studies, or series? or"
    " instances? before it."
)
NOT_IN_STORE = "the store has no such study, series or instance"
_UID = re.compile(r"[0-9.]{1,64}")


class SelectionError(Exception):
    """A query that selects no resources, in a sentence for people."""


@dataclass(frozen=True)
class Resolved:
    """Resources of a selection that a store has of a study.

    Attributes:
        instances: paths of instances, each once
        missing: the selected paths that the store does not have
    """

    instances: list[str]
    missing: list[str]


def check_columns(names: Sequence[str]) -> None:
    """Refuse a query without the columns of a path.

    Args:
        names: of the selected columns; BigQuery ignores their case

    Raises:
        SelectionError: it selects no study, or an instance without its series
    """
    given = {name.lower() for name in names}
    study, series, instance = (name for _, name in LEVELS)
    listed = ", ".join(names) or "none"
    if study.lower() not in given:
        raise SelectionError(
            f"The query does not select the column {study}, but {listed}. Name it as it is called"
            f" in an export, or write AS {study}."
        )
    if instance.lower() in given and series.lower() not in given:
        raise SelectionError(f"The query selects {instance} without {series}: select both.")


def path_of(row: Mapping[str, Any]) -> str:
    """Return `/studies/UID`, with the series and the instance if the row names them.

    Raises:
        SelectionError: it names no study, an instance without its series, or something else
    """
    lower = {name.lower(): value for name, value in row.items()}
    given = [(level, lower.get(name.lower())) for level, name in LEVELS]
    uids = [(level, str(uid)) for level, uid in given if uid]
    if not uids or given[: len(uids)] != uids:
        raise SelectionError("the row names no study, or an instance without its series")
    if not all(_UID.fullmatch(uid) for _, uid in uids):
        raise SelectionError("the row has a value that is not a UID")
    return "".join(f"/{level}/{uid}" for level, uid in uids)


def study_of(path: str) -> str:
    """Return the UID of the study in a path."""
    return path.split("/")[2]


def path_of_result(result: Mapping[str, Any], level: str) -> str:
    """Return the path of a study, a series or an instance that a search found.

    Args:
        result: in the DICOM JSON model
        level: studies, series or instances
    """
    names = dict(LEVELS)
    depth = [*names].index(level) + 1
    uids = zip(names, _TAGS, strict=True)
    return "".join(f"/{each}/{result[tag]['Value'][0]}" for each, tag in [*uids][:depth])


def resolve(wanted: Iterable[str], present: Iterable[str]) -> Resolved:
    """Return the instances below the selected paths of a study, and the paths without any.

    Args:
        wanted: selected paths
        present: paths of the instances that the store has
    """
    left = {*wanted}
    seen: set[str] = set()
    instances = set()
    for path in present:
        parts = path.split("/")
        above = {"/".join(parts[:length]) for length in (3, 5, 7)} & left
        if above:
            instances.add(path)
            seen |= above
    return Resolved(sorted(instances), sorted(left - seen))


def parse_search(query: str) -> tuple[str, list[tuple[str, str]]]:
    """Return the level and the parameters of a search.

    Args:
        query: such as `StudyDate=20240101-`, of studies, or `series?Modality=CT`

    Raises:
        SelectionError: it is not of this form
    """
    level, question, keys = query.partition("?")
    if not question or "=" in level:  # the mark is a wildcard
        level, keys = LEVELS[0][0], query
    try:
        parameters = parse_qsl(keys, strict_parsing=True)
    except ValueError as error:
        raise SelectionError(_NO_SEARCH) from error
    if level not in dict(LEVELS) or not parameters:
        raise SelectionError(_NO_SEARCH)
    return level, parameters


def lines(paths: Iterable[str]) -> bytes:
    """Return a file that `filterConfig.resourcePathsGcsUri` names: a path a line."""
    return b"".join(f"{path}\n".encode() for path in sorted({*paths}))
