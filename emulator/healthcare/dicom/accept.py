"""Which of the things on offer an Accept header asks for (RFC 9110 12.5.1, PS3.18 8.3.3)."""

import re
from dataclasses import dataclass

from emulator.errors import not_acceptable

_PARAMETER = re.compile(r";\s*([\w-]+)\s*=\s*(\"[^\"]*\"|[^;,\s]+)")
MULTIPART = "multipart/related"


@dataclass(frozen=True)
class Range:
    """One media range of an Accept header.

    Attributes:
        kind: media type of the content; of the parts, if there are several.
        multipart: whether the content comes in parts.
        syntax: the transfer syntax asked for; empty if none is.
        quality: the client's preference, 0 to 1.
    """

    kind: str
    multipart: bool = False
    syntax: str = ""
    quality: float = 1.0


def parse(header: str | None) -> list[Range]:
    """Read a header, the ranges preferred most first; anything, if there is none."""
    ranges = [_range(part) for part in _split(header or "") if part.strip()]
    wanted = [one for one in ranges if one.quality > 0]
    return sorted(wanted, key=lambda one: -one.quality) or [Range("*/*")]


def _split(header: str) -> list[str]:
    return re.findall(r"(?:\"[^\"]*\"|[^,\"])+", header)


def _range(text: str) -> Range:
    kind = text.partition(";")[0].strip().lower()
    parameters = {name.lower(): value.strip('"') for name, value in _PARAMETER.findall(text)}
    try:
        quality = float(parameters.get("q", "1"))
    except ValueError:
        quality = 1.0
    multipart = kind == MULTIPART
    if multipart:
        kind = parameters.get("type", "*/*").lower()
    return Range(kind, multipart, parameters.get("transfer-syntax", ""), quality)


def matches(wanted: str, offered: str) -> bool:
    """Tell whether a media range takes a media type."""
    if wanted == "*/*":
        return True
    if wanted.endswith("/*"):
        return offered.startswith(wanted[:-1])
    return wanted == offered


def choose(header: str | None, offers: list[str], *, parts: bool | None = None) -> Range:
    """Find the first range that one of the offers satisfies.

    Args:
        header: the Accept header.
        offers: media types, the default first.
        parts: whether the answer is in parts; None if it can be either.

    Returns:
        The range, with the media type that was chosen in place of any wildcard.

    Raises:
        ApiError: 406, naming what is on offer.
    """
    for one in parse(header):
        free = one.kind == "*/*" and not one.multipart
        if parts is not None and one.multipart != parts and not free:
            continue
        for offer in offers:
            if matches(one.kind, offer):
                multipart = parts if parts is not None else one.multipart
                return Range(offer, multipart, one.syntax, one.quality)
    raise not_acceptable(f"Not acceptable: {header!r}. Served here: {', '.join(offers)}.")
