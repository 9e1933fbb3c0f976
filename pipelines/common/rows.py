"""Rows of results, and the files that hold them."""

import json
import zlib
from collections.abc import Iterable
from typing import Any

Row = dict[str, Any]
NDJSON = "application/x-ndjson"


def shard_of(key: str, shards: int) -> int:
    """Return the shard of a row, which depends on its key alone."""
    return zlib.crc32(key.encode()) % shards


def in_order(pairs: Iterable[tuple[str, Row]]) -> list[Row]:
    """Return the rows of keys, by key, each key once."""
    return [row for _, row in sorted(dict(pairs).items())]


def to_ndjson(rows: list[Row]) -> bytes:
    """Return rows as lines of JSON."""
    return b"".join(json.dumps(row, sort_keys=True).encode() + b"\n" for row in rows)
