"""Pictures of a frame in which text is looked for, wherever in its values it is hidden.

A frame's own window may show nothing of a text that its values hold. So the whole range of values
is looked at, and each bit that is not part of a value.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

BANDS = 8
"""Parts of a wide range of values that are looked at one by one, for text of little contrast."""
_GREYS = 256
_MIN_PIXELS = 16
"""Values of fewer pixels than this write nothing that can be read."""


def search_views(displayed: Any | None, values: Any, bits_stored: int) -> Iterator[Any]:
    """Yield 8-bit pictures, each different from the others, none of one grey only.

    Args:
        displayed: the frame as a viewer shows it; None if its window can't be read
        values: the frame's integers with all their bits, `(rows, columns)` or with samples
        bits_stored: bits of a value
    """
    seen = set()
    views = iter([]) if displayed is None else iter([displayed])
    for view in _chain(views, values, bits_stored):
        content = view.tobytes()
        if content not in seen and (view != view.flat[0]).any():
            seen.add(content)
            yield view


def _chain(displayed: Iterator[Any], values: Any, bits_stored: int) -> Iterator[Any]:
    yield from displayed
    planes = [values] if values.ndim == 2 else list(np.moveaxis(values, -1, 0))
    for plane in planes:
        if len(planes) == 1:
            yield stretch(plane)
        yield equalize(plane)
        yield from _bands(plane)
        yield from _unused_bits(plane, bits_stored)


def stretch(values: Any) -> Any:
    """Map the whole range of values to 0 to 255."""
    return _between(values, float(values.min()), float(values.max()))


def equalize(values: Any) -> Any:
    """Map values to 0 to 255 by their rank, so that frequent ones are far apart."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - counts / 2) / values.size
    return (ranks * 255).astype(np.uint8)[inverse].reshape(values.shape)


def _bands(values: Any) -> Iterator[Any]:
    low, high = float(values.min()), float(values.max())
    if high - low < _GREYS * 4:
        return
    edges = np.linspace(low, high, BANDS + 1)
    counts, _ = np.histogram(values, edges)
    for count, lower, upper in zip(counts, edges[:-1], edges[1:], strict=True):
        if count >= _MIN_PIXELS:
            yield _between(values, float(lower), float(upper))


def _between(values: Any, low: float, high: float) -> Any:
    scale = 255.0 / (high - low if high > low else 1.0)
    return np.clip((values.astype(np.float64) - low) * scale, 0, 255).astype(np.uint8)


def _unused_bits(values: Any, bits_stored: int) -> Iterator[Any]:
    """Yield the bits above a value's own, but for those that repeat its sign."""
    allocated = values.dtype.itemsize * 8
    bits = values.view(f"u{values.dtype.itemsize}")
    sign = (bits >> (bits_stored - 1)) & 1 if 0 < bits_stored <= allocated else None
    for bit in range(max(0, bits_stored), allocated):
        plane = (bits >> bit) & 1
        is_extension = values.dtype.kind == "i" and sign is not None and np.array_equal(plane, sign)
        if not is_extension:
            yield (plane * 255).astype(np.uint8)
