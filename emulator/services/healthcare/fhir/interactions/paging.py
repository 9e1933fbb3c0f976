"""Pages of bundles: `_count`, `_page_token` and the links to other pages.

Documented (the reference of `history` and its like): 100 entries by default and 1,000 at most.
Inferred (conformance: fhir-page-links): a larger `_count` is refused; the order of the links.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from emulator.services.healthcare.fhir.interactions.request import FhirRequest
from emulator.services.healthcare.fhir.refusals import invalid_query

DEFAULT_COUNT, MAX_COUNT = 100, 1000
COUNT, TOKEN = "_count", "_page_token"


def count(request: FhirRequest) -> int:
    """Return the number of entries of a page; raises 400."""
    text = request.parameter(COUNT)
    if not text:
        return DEFAULT_COUNT
    if not (text.isascii() and text.isdigit() and 0 < int(text[:5]) <= MAX_COUNT):
        raise invalid_query(f'invalid _count "{text[:20]}": from 1 to {MAX_COUNT}')
    return int(text)


def last_key(request: FhirRequest, first: int) -> int:
    """Return the key of the last entry of the page before; `first` for the first page.

    Raises:
        OutcomeError: 400, the token is not of this list
    """
    text = request.parameter(TOKEN)
    if not text:
        return first
    try:
        scope, key = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (binascii.Error, ValueError, TypeError):
        raise invalid_query("invalid _page_token") from None
    if scope != _scope(request) or not isinstance(key, int):
        raise invalid_query("invalid _page_token: it belongs to another list")
    return key


def bundle(
    request: FhirRequest,
    type_: str,
    entries: Sequence[dict[str, Any]],
    following: int | None,
    total: int | None = None,
) -> dict[str, Any]:
    """Return a page.

    Args:
        request: of the page
        type_: of the bundle
        entries: of the page
        following: the key of the last entry, if another page follows
        total: entries of all pages, if it is known
    """
    links = [{"relation": "self", "url": request.url}]
    if following is not None:
        pairs = [pair for pair in request.query if pair[0] != TOKEN]
        query = urlencode([*pairs, (TOKEN, _token(request, following))])
        url = request.url.partition("?")[0]
        links.append({"relation": "next", "url": f"{url}?{query}"})
    page: dict[str, Any] = {"resourceType": "Bundle", "type": type_, "link": links}
    if total is not None:
        page["total"] = total
    if entries:
        page["entry"] = list(entries)
    return page


def _token(request: FhirRequest, key: int) -> str:
    content = json.dumps([_scope(request), key], separators=(",", ":"))
    return base64.urlsafe_b64encode(content.encode()).decode().rstrip("=")


def _scope(request: FhirRequest) -> str:
    """Return what a token is bound to: the path, and the parameters but for the page."""
    pairs = sorted(pair for pair in request.query if pair[0] not in (COUNT, TOKEN))
    content = json.dumps([request.url.partition("?")[0], pairs])
    return hashlib.sha256(content.encode()).hexdigest()[:16]
