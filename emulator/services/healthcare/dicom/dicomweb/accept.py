"""The representation that a request asks for (RFC 9110 12.5.1, PS3.18 8.3.3 and 8.7.8.1).

Inferred (conformance: accept-text, rendered-accept-text): the text of a refusal.
Inferred (conformance: rendered-accept-query, search-accept-query): the query parameter `accept`.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from emulator.core import media_type
from emulator.core.errors import ApiError, not_acceptable

MULTIPART = "multipart/related"
ANY = "*/*"
_BY_WILDCARD = 2


@dataclass(frozen=True)
class MediaRange:
    """A media range of an Accept header, or the form of a response that was chosen by one.

    Attributes:
        media_type: of the content; of the parts, if there are several
        multipart: whether the content comes in parts
        transfer_syntax: the transfer syntax asked for; empty if none is
        quality: the client's preference, 0 to 1
        is_named: whether the client named the media type, without a wildcard
    """

    media_type: str
    multipart: bool = False
    transfer_syntax: str = ""
    quality: float = 1.0
    is_named: bool = True


@dataclass(frozen=True)
class Representation:
    """A form in which a response can be written.

    Attributes:
        media_type: of the content, or of each part
        parts: whether it comes in parts; None if it can be either
        default_parts: whether a client gets parts that asks for no media type in particular
    """

    media_type: str
    parts: bool | None = None
    default_parts: bool = False


def parse(header: str | None) -> list[MediaRange]:
    """Return the ranges of a header, the most preferred first; `*/*` if it has none."""
    ranges = [_range(part) for part in _split(header or "") if part.strip()]
    return sorted(ranges, key=lambda one: -one.quality) or [MediaRange(ANY)]


def _split(header: str) -> list[str]:
    return re.findall(r"(?:\"[^\"]*\"|[^,\"])+", header)


def _range(text: str) -> MediaRange:
    name, parameters = media_type.parse(text)
    try:
        quality = float(parameters.get("q", "1"))
    except ValueError:
        quality = 1.0
    is_multipart = name in (MULTIPART, "multipart/*")
    if is_multipart:
        name = parameters.get("type", ANY).lower()
    return MediaRange(name, is_multipart, parameters.get("transfer-syntax", ""), quality)


def _is_wildcard(wanted: MediaRange) -> bool:
    return wanted.media_type == ANY and not wanted.multipart


def _specificity(wanted: MediaRange, offer: Representation) -> int:
    """Return how closely a range names an offer: 0 where it does not accept it."""
    if offer.parts not in (None, wanted.multipart) and not _is_wildcard(wanted):
        return 0
    if wanted.media_type == ANY:
        return 1
    if wanted.media_type.endswith("/*"):
        return 2 if offer.media_type.startswith(wanted.media_type[:-1]) else 0
    return 3 if wanted.media_type == offer.media_type else 0


def _form(wanted: MediaRange, offer: Representation) -> MediaRange:
    """Return the form of an offer that a range asks for."""
    if offer.parts is not None:
        multipart = offer.parts
    else:
        multipart = offer.default_parts if _is_wildcard(wanted) else wanted.multipart
    return MediaRange(
        offer.media_type,
        multipart,
        wanted.transfer_syntax,
        wanted.quality,
        is_named="*" not in wanted.media_type,
    )


def choices(
    header: str | None, offers: Sequence[Representation], query: str | None = None
) -> list[MediaRange]:
    """Return the acceptable forms, the one that the client prefers first.

    Args:
        header: the Accept header; None if there is none
        offers: the default first
        query: the query parameter `accept`, which decides if it names an offer

    Returns:
        The forms, without wildcards. An offer that several ranges accept has the quality of
        those that name it most closely

    Raises:
        ApiError: 406, naming the offers
    """
    offers = list(dict.fromkeys(offers))
    found = _acceptable(parse(query), offers) if query else []
    found = found or _acceptable(parse(header), offers)
    if not found:
        served = ", ".join(map(_describe, offers))
        raise not_acceptable(f"Not acceptable: {header!r}. Served here: {served}.")
    return found


def _acceptable(ranges: Sequence[MediaRange], offers: Sequence[Representation]) -> list[MediaRange]:
    """Return the forms of offers that the ranges accept."""
    closest = {offer: max(_specificity(one, offer) for one in ranges) for offer in offers}
    return [
        _form(one, offer)
        for one in ranges
        for offer, specificity in closest.items()
        if one.quality > 0 and 0 < specificity == _specificity(one, offer)
    ]


def prefer_lossless(
    forms: Sequence[MediaRange], is_lossy: Callable[[MediaRange], bool]
) -> list[MediaRange]:
    """Return forms in order, of equal ones those first that lose nothing.

    The order of equal ranges says nothing (RFC 9110 12.5.1). Those that only a wildcard accepts
    follow, in the order of the offers.
    """
    return sorted(
        forms, key=lambda one: (-one.quality, is_lossy(one) if one.is_named else _BY_WILDCARD)
    )


def _describe(offer: Representation) -> str:
    return f'{MULTIPART}; type="{offer.media_type}"' if offer.parts else offer.media_type


def choose(
    header: str | None, offers: Sequence[Representation], query: str | None = None
) -> MediaRange:
    """Return the form that the client prefers; see `choices`."""
    return choices(header, offers, query)[0]


def combine_not_acceptable(errors: Sequence[ApiError]) -> ApiError:
    """Return the error of a request for forms that the stored content can't be written in."""
    return errors[0] if len(errors) == 1 else not_acceptable(" ".join(map(str, errors)))
