"""Pages of lists by key: a page begins after the last key of the page before.

What is added or deleted between two pages neither repeats nor skips another item. A page token
holds the last key and a hash of the request, since Google answers 400 when the filter changes
between pages (https://google.aip.dev/158).

Inferred (conformance: page-token-text, page-size-text): the texts of refusals.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from emulator.core.errors import ApiError, invalid_argument

Json = dict[str, Any]
Fetch = Callable[[Any, int], Sequence[tuple[Any, Json]]]
"""Takes the last key (None at first) and a limit; returns the next items with their keys, in order.
A key is a string or an integer, or a list of these where several columns order the list."""

_MAX_DIGITS = 18


def paginate(
    fetch: Fetch,
    query: Mapping[str, str],
    field: str,
    *,
    scope: str,
    default: int,
    maximum: int,
    matches: Callable[[Json], bool] | None = None,
) -> Json:
    """Return one page of a list, as `pageSize` and `pageToken` ask.

    Args:
        fetch: reads the items after a key
        query: of the request
        field: of the response, which holds the items; left out if there are none
        scope: the collection and whatever else chooses its items, such as the filter
        default: items of a page if the request names no size
        maximum: items of a page whatever the request names
        matches: whether an item belongs to the list

    Raises:
        ApiError: 400 for a page size or a page token that is not valid
    """
    size = min(_page_size(query.get("pageSize") or "0") or default, maximum)
    after = last_key(query.get("pageToken") or "", scope)
    found = _take(fetch, after, size + 1, matches)
    answer: Json = {}
    if found:
        answer[field] = [item for _, item in found[:size]]
    if len(found) > size:
        answer["nextPageToken"] = page_token(found[size - 1][0], scope)
    return answer


def from_items(items: Iterable[Json], key: Callable[[Json], Any]) -> Fetch:
    """Return the `fetch` of a list in memory.

    Args:
        items: all of them, in any order
        key: returns what the list is ordered by
    """
    ordered = sorted(((key(item), item) for item in items), key=lambda pair: pair[0])

    def fetch(after: Any, limit: int) -> Sequence[tuple[Any, Json]]:
        return [pair for pair in ordered if after is None or pair[0] > after][:limit]

    return fetch


def _take(
    fetch: Fetch, after: Any, number: int, matches: Callable[[Json], bool] | None
) -> list[tuple[Any, Json]]:
    found: list[tuple[Any, Json]] = []
    while len(found) < number:
        items = fetch(after, number)
        found += [pair for pair in items if matches is None or matches(pair[1])]
        if len(items) < number:
            break
        after = items[-1][0]
    return found[:number]


def page_token(key: Any, scope: str) -> str:
    """Return the token of the page after a key.

    Args:
        key: the last one of a page, in JSON's types
        scope: the collection and whatever else chooses its items
    """
    content = json.dumps([_hash(scope, key), key], separators=(",", ":"))
    return base64.urlsafe_b64encode(content.encode()).decode().rstrip("=")


def last_key(token: str, scope: str) -> Any:
    """Return the key of a token; None for an empty one.

    Raises:
        ApiError: 400 for a token of another scope
    """
    if not token:
        return None
    try:
        padded = token + "=" * (-len(token) % 4)
        hashed, key = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, TypeError, RecursionError):
        raise _bad_token("it was not made by this list") from None
    if hashed != _hash(scope, key):
        raise _bad_token("it belongs to another list or filter")
    return key


def _bad_token(reason: str) -> ApiError:
    return invalid_argument(f"Invalid value for page_token: {reason}.")


def _hash(scope: str, key: Any) -> str:
    return hashlib.sha256(json.dumps([scope, key]).encode()).hexdigest()[:16]


def _page_size(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > _MAX_DIGITS:
        raise invalid_argument(
            f"Invalid value for page_size: {text[:100]!r} is not a non-negative 64-bit integer."
        )
    return int(text)
