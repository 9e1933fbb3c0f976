"""Which of the things on offer an Accept header asks for (RFC 9110 12.5.1, PS3.18 8.3.3)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from emulator.errors import ApiError, not_acceptable

_PARAMETER = re.compile(r";\s*([\w-]+)\s*=\s*(\"[^\"]*\"|[^;,\s]+)")
MULTIPART = "multipart/related"
ANY = "*/*"


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


@dataclass(frozen=True)
class Offer:
    """Something that can be served.

    Attributes:
        kind: its media type.
        parts: whether it comes in parts; None if it can be either.
    """

    kind: str
    parts: bool | None = None


def parse(header: str | None) -> list[Range]:
    """Read a header, the ranges preferred most first; anything, if there is none."""
    ranges = [_range(part) for part in _split(header or "") if part.strip()]
    return sorted(ranges, key=lambda one: -one.quality) or [Range(ANY)]


def _split(header: str) -> list[str]:
    return re.findall(r"(?:\"[^\"]*\"|[^,\"])+", header)


def _range(text: str) -> Range:
    kind = text.partition(";")[0].strip().lower()
    parameters = {name.lower(): value.strip('"') for name, value in _PARAMETER.findall(text)}
    try:
        quality = float(parameters.get("q", "1"))
    except ValueError:
        quality = 1.0
    multipart = kind in (MULTIPART, "multipart/*")
    if multipart:
        kind = parameters.get("type", ANY).lower()
    return Range(kind, multipart, parameters.get("transfer-syntax", ""), quality)


def _specificity(wanted: Range, offer: Offer) -> int:
    """Tell how closely a range names an offer: 0 where it does not take it at all."""
    free = wanted.kind == ANY and not wanted.multipart
    if offer.parts is not None and wanted.multipart != offer.parts and not free:
        return 0
    if wanted.kind == ANY:
        return 1
    if wanted.kind.endswith("/*"):
        return 2 if offer.kind.startswith(wanted.kind[:-1]) else 0
    return 3 if wanted.kind == offer.kind else 0


def choices(header: str | None, offers: Sequence[Offer]) -> list[Range]:
    """Give all that is on offer and acceptable, what the client prefers first.

    Args:
        header: the Accept header.
        offers: the default first.

    Returns:
        Ranges, each with the media type of an offer in place of any wildcard. An offer that
        several ranges take has the quality of those that name it most closely.

    Raises:
        ApiError: 406, naming what is on offer.
    """
    ranges = parse(header)
    closest = {
        offer: max(_specificity(one, offer) for one in ranges) for offer in dict.fromkeys(offers)
    }
    found = []
    for one in ranges:
        for offer, specificity in closest.items():
            if one.quality > 0 and 0 < specificity == _specificity(one, offer):
                multipart = offer.parts if offer.parts is not None else one.multipart
                found.append(Range(offer.kind, multipart, one.syntax, one.quality))
    if not found:
        served = ", ".join(_describe(offer) for offer in closest)
        raise not_acceptable(f"Not acceptable: {header!r}. Served here: {served}.")
    return found


def _describe(offer: Offer) -> str:
    return f'{MULTIPART}; type="{offer.kind}"' if offer.parts else offer.kind


def choose(header: str | None, offers: Sequence[Offer]) -> Range:
    """Give what the client prefers of what is on offer; see `choices`."""
    return choices(header, offers)[0]


def unsuitable(errors: Sequence[ApiError]) -> ApiError:
    """Give the error of a request none of whose choices can be made of what is stored."""
    return errors[0] if len(errors) == 1 else not_acceptable(" ".join(map(str, errors)))
