"""Files of a result: a fixed number of shards, each written whole under a name of its own.

A shard that is written again, by a worker that runs again, takes the place of the first: no row is
twice in the files, whatever crashes.
"""

from collections.abc import Callable, Iterable
from typing import Any

import apache_beam as beam

from pipelines.common.objects import Objects
from pipelines.common.rows import NDJSON, Row, in_order, shard_of, to_ndjson

Encode = Callable[[list[Row]], bytes]


class WriteShards(beam.PTransform):  # type: ignore[misc]
    """Writes rows, keyed by text that is unique, and yields the URI of each shard that has rows.

    Args:
        prefix: `gs://BUCKET/FOLDER/NAME`, to which `-00003-of-00016` and the suffix are added
        suffix: such as `.ndjson`
        shards: their number
        media_type: of the objects
        encode: makes the content
    """

    def __init__(
        self,
        prefix: str,
        suffix: str,
        shards: int,
        media_type: str = NDJSON,
        encode: Encode = to_ndjson,
    ) -> None:
        super().__init__()
        self._prefix, self._suffix, self._shards = prefix, suffix, shards
        self._media_type, self._encode = media_type, encode

    def expand(self, rows: Any) -> Any:
        """Return the URIs."""
        shards = self._shards
        return (
            rows
            | "to shards" >> beam.Map(lambda pair: (shard_of(pair[0], shards), pair))
            | "rows of shards" >> beam.GroupByKey()
            | "write shards" >> beam.Map(self._write)
        )

    def _write(self, shard: tuple[int, Iterable[tuple[str, Row]]]) -> str:
        number, pairs = shard
        uri = f"{self._prefix}-{number:05}-of-{self._shards:05}{self._suffix}"
        Objects().write(uri, self._encode(in_order(pairs)), self._media_type)
        return uri
