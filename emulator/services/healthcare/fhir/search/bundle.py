"""Bundles of search results.

Inferred (conformance: fhir-search-links): the links are `search`, `first`, `self` and, before
further pages, `next`. Inferred (conformance: fhir-search-subset): the tag `SUBSETTED`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from emulator.services.healthcare.fhir.definitions import type_definition
from emulator.services.healthcare.fhir.search.including import Key
from emulator.services.healthcare.fhir.search.query import PAGE_TOKEN, Query
from emulator.services.healthcare.fhir.search.searching import Page

Read = Callable[[str, str], Mapping[str, Any] | None]

_ALWAYS = ("resourceType", "id", "meta")
_SUBSETTED = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
    "code": "SUBSETTED",
}
"""The tag of a resource that lacks elements (http://hl7.org/fhir/R4/search.html#elements)."""


def searchset(page: Page, query: Query, base: str, path_type: str, read: Read) -> dict[str, Any]:
    """Return a page of a search as a Bundle.

    Args:
        page: of the search
        query: that it answers
        base: URL of the store's FHIR endpoint, without a slash at the end
        path_type: the resource type in the path of the request; empty for a search over types
        read: returns a resource by type and id; nothing for one that was deleted meanwhile
    """
    url = f"{base}/{path_type}/" if path_type else f"{base}/"
    links = [{"relation": name, "url": _url(url, query.applied)} for name in ("search", "first")]
    own = [(PAGE_TOKEN, query.page_token)] if query.page_token else []
    links.append({"relation": "self", "url": _url(url, [*query.applied, *own])})
    if page.next_token:
        later = [*query.applied, (PAGE_TOKEN, page.next_token)]
        links.append({"relation": "next", "url": _url(url, later)})
    bundle: dict[str, Any] = {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": page.total,
        "link": links,
    }
    entries = [
        *_entries(page.matches, "match", query, base, read),
        *_entries(page.included, "include", query, base, read),
    ]
    if entries:
        bundle["entry"] = entries
    return bundle


def _entries(
    keys: Sequence[Key], mode: str, query: Query, base: str, read: Read
) -> list[dict[str, Any]]:
    found = ((key, read(key.type, key.id)) for key in keys)
    return [
        {
            "fullUrl": f"{base}/{key.type}/{key.id}",
            "resource": subset(resource, query),
            "search": {"mode": mode},
        }
        for key, resource in found
        if resource is not None
    ]


def subset(resource: Mapping[str, Any], query: Query) -> Mapping[str, Any]:
    """Return the elements of a resource that `_elements` and `_summary` ask for.

    Elements that the type requires are there in any case, and a tag says that others are not.
    """
    if query.summary == "data":
        kept = {name: value for name, value in resource.items() if name != "text"}
    elif query.summary == "text":
        kept = _only(resource, ["text"])
    elif query.elements:
        kept = _only(resource, query.elements)
    else:
        return resource
    meta = resource.get("meta", {})
    tags = [tag for tag in meta.get("tag", ()) if tag.get("code") != "SUBSETTED"]
    return {**kept, "meta": {**meta, "tag": [*tags, _SUBSETTED]}}


def _only(resource: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    resource_type = str(resource["resourceType"])
    plain = {name.removeprefix(f"{resource_type}.") for name in names}
    definition = type_definition(resource_type)
    wanted = {*_ALWAYS, *definition.required}
    wanted |= {element.key for element in definition.elements.values() if element.name in plain}
    wanted |= {key for keys in definition.required.values() for key in keys}
    return {name: value for name, value in resource.items() if name.lstrip("_") in wanted}


def _url(url: str, pairs: Sequence[tuple[str, str]]) -> str:
    return f"{url}?{urlencode(pairs, quote_via=quote, safe=':/|,$*')}" if pairs else url
