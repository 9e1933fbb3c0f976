"""The attempts of files, put together: which files are left to do, and what became of all."""

from collections.abc import Iterable, Mapping
from typing import Any

from pipelines.ingest.ingestion import DEAD_LETTERS, RESULTS

Entry = dict[str, Any]
Grouped = Mapping[str, Iterable[Any]]
Listed = tuple[str, int]
"""The key and the size of a file."""
_IN_STORE = [result for result in RESULTS if result not in DEAD_LETTERS]


def todo(key: str, grouped: Grouped, again: frozenset[str]) -> list[Listed]:
    """Return the file of a key, unless an entry says that it is done.

    Args:
        key: of the file
        grouped: `files`, as their sizes, and `entries` of the key; the file is gone if it has none
        again: results of entries that are tried again
    """
    if any(entry["result"] not in again for entry in grouped["entries"]):
        return []
    return [(key, size) for size in [*grouped["files"]][:1]]


def newest(grouped: Grouped) -> Entry:
    """Return the entry that counts: one of this attempt, else the best of those `before`."""
    entries = [*grouped["now"]] or [*grouped["before"]]
    return min(entries, key=lambda entry: RESULTS.index(entry["result"]))


def summary(counts: Mapping[str, int]) -> dict[str, Any]:
    """Return the report of a run.

    Args:
        counts: files by result
    """
    return {
        "files": sum(counts.values()),
        "in_store": sum(counts.get(result, 0) for result in _IN_STORE),
        "dead_letters": sum(counts.get(result, 0) for result in DEAD_LETTERS),
        "results": {result: counts.get(result, 0) for result in RESULTS},
    }
