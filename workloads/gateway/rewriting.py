"""The addresses in the API's answers, which lead back to the gateway: links of pages, locations."""

from collections.abc import AsyncIterator

MEDIA_TYPES = frozenset(
    f"application/{name}" for name in ("json", "dicom+json", "dicom+xml", "fhir+json")
)
"""The media types of answers with addresses in them."""


class Replacer:
    """Replaces a text in a stream, also where it lies in two chunks.

    Args:
        old: what is replaced
        new: what replaces it
    """

    def __init__(self, old: bytes, new: bytes) -> None:
        self._old = old
        self._new = new
        self._kept = b""

    def feed(self, chunk: bytes) -> bytes:
        """Return what is certain after a further chunk."""
        parts = (self._kept + chunk).split(self._old)
        last = parts[-1]
        kept = self._overlap(last)
        self._kept = last[len(last) - kept :]
        return self._new.join([*parts[:-1], last[: len(last) - kept]])

    def end(self) -> bytes:
        """Return the rest of the stream."""
        rest, self._kept = self._kept, b""
        return rest

    def _overlap(self, data: bytes) -> int:
        """Return how many bytes at the end of data begin the text."""
        longest = min(len(data), len(self._old) - 1)
        return next((size for size in range(longest, 0, -1) if data.endswith(self._old[:size])), 0)


async def replaced(chunks: AsyncIterator[bytes], replacer: Replacer) -> AsyncIterator[bytes]:
    """Yield a stream with a text replaced."""
    async for chunk in chunks:
        if out := replacer.feed(chunk):
            yield out
    if rest := replacer.end():
        yield rest
