"""Parts that the requests of all collections of a consent store share.

Inferred (conformance: consent-update-mask-text, consent-user-id-text): the texts of refusals, and
that mappings need the same form of user ids as consents.
"""

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from uuid import uuid4

from emulator.core.discovery import api, snake_case
from emulator.core.errors import invalid_argument
from emulator.core.list_filter.table import Filter
from emulator.core.resources.field_mask import FieldMask
from emulator.core.resources.paging import Fetch, paginate
from emulator.core.rest import Call
from emulator.services.healthcare.consents.models import Collection, Json
from emulator.services.healthcare.consents.service import Consents
from emulator.services.healthcare.store_service import store_of
from emulator.services.healthcare.stores import schema

DEFAULT_PAGE, MAX_PAGE = 100, 1000
_USER = re.compile(r"[\w-]{1,256}")
_USER_PATTERN = r"^[\p{L}\p{N}_\-]{1,256}$"


def body_of(call: Call[Consents], message: str, *without: str) -> Json:
    """Return the body of a call as a message, without its name and fields that only we write.

    Raises:
        ApiError: 400 for a body that is not of the schema
    """
    schema.check(call.version, message, call.body)
    body = schema.normal(call.version, message, call.body)
    return {key: value for key, value in body.items() if key not in ("name", *without)}


def mask_of(call: Call[Consents], message: str, mutable: frozenset[str]) -> FieldMask:
    """Return the mask of an update, which names only fields that can be changed.

    Raises:
        ApiError: 400
    """
    messages = api("healthcare", call.version)
    mask = FieldMask.parse(call.query.get("updateMask", ""), messages, message)
    if not mask.paths:
        raise invalid_argument("update_mask is required")
    if wrong := mask.outside(mutable):
        names, allowed = ", ".join(wrong), ", ".join(sorted(map(snake_case, mutable)))
        raise invalid_argument(f"update_mask: {names} can't be changed, only {allowed}")
    return mask


def listed(
    call: Call[Consents], collection: Collection, compile_filter: Callable[[str], Filter]
) -> Json:
    """Return a page of the resources of a collection, as the database has them."""
    store, records = store_of(call), call.service.records
    fetch = partial(records.page, collection, store)
    return pages(call, fetch, collection.name, store, compile_filter)


def pages(
    call: Call[Consents],
    fetch: Fetch,
    field: str,
    scope: str,
    compile_filter: Callable[[str], Filter],
) -> Json:
    """Return a page of what matches the filter of a call."""
    wanted = call.query.get("filter", "")
    return paginate(
        fetch,
        call.query,
        field,
        scope=f"{scope}/{field}?{wanted}",
        default=DEFAULT_PAGE,
        maximum=MAX_PAGE,
        matches=compile_filter(wanted),
    )


def new_name(collection: Collection, store: str) -> str:
    """Return the full name of a new resource, whose id the service chooses."""
    return collection.resource_name(store, str(uuid4()))


def check_user(body: Mapping[str, Any], whose: str) -> None:
    """Refuse a user id that is missing or not well formed.

    Observed (https://github.com/googleapis/google-api-go-client/issues/826): the text for consents.

    Args:
        body: has the field `userId`
        whose: the resources, in the plural

    Raises:
        ApiError: 400
    """
    if not _USER.fullmatch(body.get("userId", "")):
        raise invalid_argument(f'{whose} must specify user_id matching "{_USER_PATTERN}".')


def check_text(text: str, field: str) -> None:
    """Refuse a text that is missing, or no valid Unicode: half a surrogate pair.

    Raises:
        ApiError: 400
    """
    if not text:
        raise invalid_argument(f"{field} is required")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise invalid_argument(f"{field} is not valid Unicode") from None
