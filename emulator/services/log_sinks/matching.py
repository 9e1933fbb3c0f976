"""Whether a sink routes an entry: by its filter, and none of its exclusions."""

from functools import lru_cache
from typing import Any

from emulator.core.list_filter.table import Filter
from emulator.services.logging.entries import Entry
from emulator.services.logging.entry_filter import ENTRIES

Sink = dict[str, Any]
_compiled = lru_cache(maxsize=256)(ENTRIES.compile)


def matches(sink: Sink, entry: Entry) -> bool:
    """Whether a sink routes an entry."""
    if sink.get("disabled") or not _filter(sink.get("filter", ""))(entry):
        return False
    return not any(
        _filter(exclusion["filter"])(entry)
        for exclusion in sink.get("exclusions", [])
        if not exclusion.get("disabled")
    )


def _filter(text: str) -> Filter:
    found: Filter = _compiled(text)
    return found
