"""Pages of a list of an API built by google-api-python-client."""

from collections.abc import Iterator
from typing import Any

from googleapiclient.errors import HttpError

from scripts.lib.google import retry
from scripts.lib.google.errors import translate_errors

_NOT_FOUND = 404


def items(collection: Any, key: str, doing: str, **parent: str) -> Iterator[dict[str, Any]]:
    """Yield the items of a list; none if the parent does not exist.

    Args:
        collection: the API's collection, with `list` and `list_next`
        key: of the items in a page
        doing: what is done, for errors: "listing the stores of ..."
        parent: the parameter that names the parent

    Raises:
        ScriptError: the service does not answer
    """
    request = collection.list(**parent)
    while request is not None:
        with translate_errors(doing):
            try:
                page = retry.call(request.execute)
            except HttpError as error:
                if error.status_code == _NOT_FOUND:
                    return
                raise
        yield from page.get(key, [])
        request = collection.list_next(request, page)
