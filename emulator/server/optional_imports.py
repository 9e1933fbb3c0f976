"""Import packages quickly: without optional packages for unused features, and without pauses."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

UNUSED = (
    "httpx._main",  # httpx's own command line, with click, rich and pygments
    "requests",  # by pydicom, to download samples of files
)


@contextmanager
def without_unused() -> Iterator[None]:
    """Make the imports of `UNUSED` fail in this block, as if they were not installed.

    The packages handle that, and the server answers earlier. What is already imported stays.
    """
    absent = [name for name in UNUSED if name not in sys.modules]
    for name in absent:
        sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]


@contextmanager
def without_collecting() -> Iterator[None]:
    """Collect no garbage in this block, and never look at what is left of it again.

    Imports make objects that stay: looking for garbage among them takes a tenth of their time.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
