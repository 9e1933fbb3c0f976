"""Comparison of the answers of two clouds to one check."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

TOLERANCE = 2
"""Of a value of a rendered picture, 0 to 255: renderers round differently."""
PIXELS = "pixels"
"""The key of a list of such values."""
ABSENT = "(absent)"


@dataclass(frozen=True)
class Difference:
    """A value that differs.

    Attributes:
        path: of the value in the answer, such as `body.error.message`
        real: on Google Cloud
        local: on the local Google Cloud
    """

    path: str
    real: Any
    local: Any

    def to_json(self) -> dict[str, Any]:
        """Return the shape of the report."""
        return {"path": self.path, "real": self.real, "local": self.local}


def differences(real: Any, local: Any, path: str = "") -> Iterator[Difference]:
    """Yield what differs in two answers."""
    if isinstance(real, dict) and isinstance(local, dict):
        for key in sorted({*real, *local}):
            below = f"{path}.{key}" if path else key
            if key == PIXELS and _are_close(real.get(key), local.get(key)):
                continue
            yield from differences(real.get(key, ABSENT), local.get(key, ABSENT), below)
    elif isinstance(real, list) and isinstance(local, list) and len(real) == len(local):
        for index, pair in enumerate(zip(real, local, strict=True)):
            yield from differences(*pair, f"{path}[{index}]")
    elif isinstance(real, bool) is not isinstance(local, bool) or real != local:
        yield Difference(path, real, local)


def _are_close(real: Any, local: Any) -> bool:
    return (
        isinstance(real, list)
        and isinstance(local, list)
        and len(real) == len(local)
        and all(abs(a - b) <= TOLERANCE for a, b in zip(real, local, strict=True))
    )
