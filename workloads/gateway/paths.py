"""The paths that the gateway serves: the DICOMweb and FHIR interfaces of named stores, no more.

A path is taken apart, each part is matched by a pattern, and the path to the API is made of the
matched parts. What no pattern matches is refused, so no spelling of a path gets through that the
gateway and the API might read in two ways. The paths are the API's own:
https://cloud.google.com/healthcare-api/docs/dicom and
https://cloud.google.com/healthcare-api/docs/reference/rest/v1/projects.locations.datasets.fhirStores.fhir
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import parse_qsl, quote, unquote

from workloads.gateway.errors import RefusedError


class Right(StrEnum):
    """The right that a request needs on a store."""

    READ = "read"
    WRITE = "write"


@dataclass(frozen=True)
class Target:
    """A request that the gateway can pass on.

    Attributes:
        store: the full name of the store
        path: to the API, from the root, without query
        right: that the request needs
    """

    store: str
    path: str
    right: Right


_STORE = re.compile(
    r"/v1/(projects/[^/]+/locations/[^/]+/datasets/[^/]+/(?:dicomStores|fhirStores)/[^/]+)"
    r"/(dicomWeb|fhir)(?:/(.*))?",
    re.DOTALL,
)
_UID = r"(?=[0-9.]{1,64}/?(?![0-9.]))[0-9]+(?:\.[0-9]+)*"
_STUDY = rf"studies/{_UID}"
_SERIES = rf"{_STUDY}/series/{_UID}"
_INSTANCE = rf"{_SERIES}/instances/{_UID}"
_FRAMES = rf"{_INSTANCE}/frames/[0-9]+(?:,[0-9]+)*"
_BULK = rf"{_INSTANCE}/bulkdata/[0-9A-Fa-f]+(?:/[0-9A-Fa-f]+)*"
_ID = r"(?!\.{1,2}(?:/|$))[A-Za-z0-9.-]{1,64}"
_TYPE = r"[A-Z][A-Za-z]{1,63}"
_RULES: dict[str, tuple[tuple[str, str, Right], ...]] = {
    "dicomWeb": (
        (
            "GET",
            rf"studies|series|instances|{_STUDY}/(?:series|instances)|{_SERIES}/instances"
            rf"|(?:{_STUDY}|{_SERIES}|{_INSTANCE})(?:/metadata)?|{_INSTANCE}/(?:rendered|thumbnail)"
            rf"|{_FRAMES}(?:/rendered)?|{_BULK}",
            Right.READ,
        ),
        ("POST", rf"studies|{_STUDY}", Right.WRITE),
        ("DELETE", rf"{_STUDY}|{_SERIES}|{_INSTANCE}", Right.WRITE),
    ),
    "fhir": (
        (
            "GET",
            rf"|metadata|{_TYPE}/?|{_TYPE}/{_ID}(?:/_history(?:/{_ID})?)?"
            rf"|Patient/{_ID}/\$everything",
            Right.READ,
        ),
        ("POST", rf"_search|{_TYPE}/_search", Right.READ),
        ("POST", rf"|{_TYPE}|{_TYPE}/\$validate", Right.WRITE),
        ("PUT|PATCH|DELETE", rf"{_TYPE}|{_TYPE}/{_ID}", Right.WRITE),
    ),
}
_PATTERNS = {
    interface: tuple(
        (frozenset(methods.split("|")), re.compile(pattern, re.ASCII), right)
        for methods, pattern, right in rules
    )
    for interface, rules in _RULES.items()
}
_STORE_TYPES = {"dicomWeb": "dicomStores", "fhir": "fhirStores"}
_SAFE = "/$,"
"""Characters of matched paths that stay as they are, beside letters, digits and `_.-~`."""
_MAX_PATH_BYTES = 4_096

_SYSTEM_PARAMETERS = frozenset(
    {
        *("access_token", "oauth_token", "key", "callback", "quotaUser", "userIp"),
        *("uploadType", "upload_protocol", "$.xgafv", "alt", "$alt", "fields"),
    }
)
"""Documented: https://cloud.google.com/apis/docs/system-parameters. With them, a caller would
choose the credentials, the quota or the format of a call that the gateway makes."""


def target(method: str, raw_path: bytes, query: bytes, stores: Collection[str]) -> Target:
    """Return where a request goes.

    Args:
        method: of the request
        raw_path: as it was sent
        query: as it was sent
        stores: the full names of those that the gateway serves

    Raises:
        RefusedError: 400 for a path or query that is never passed on, 404 for one that is not
            served, 405 for a method that the path does not have
    """
    found = _STORE.fullmatch(_decoded(raw_path))
    if found is None or found[1] not in stores or _STORE_TYPES[found[2]] not in found[1]:
        raise RefusedError(404, "The gateway serves no such path.")
    store, interface, rest = found[1], found[2], found[3]
    _check_query(query)
    methods: set[str] = set()
    for allowed, right in _matching(interface, rest or ""):
        if method in allowed:
            below = "" if rest is None else f"/{rest}"
            path = quote(f"/v1/{store}/{interface}{below}", safe=_SAFE)
            return Target(store, path, right)
        methods |= allowed
    if methods:
        allow = ", ".join(sorted(methods))
        raise RefusedError(405, f"This path has the methods {allow}.", {"Allow": allow})
    raise RefusedError(404, "The gateway serves no such path.")


def _matching(interface: str, rest: str) -> Iterator[tuple[frozenset[str], Right]]:
    for methods, pattern, right in _PATTERNS[interface]:
        if pattern.fullmatch(rest):
            yield methods, right


def _decoded(raw_path: bytes) -> str:
    """Return a path whose escapes stand for none of the characters that part paths.

    Raises:
        RefusedError: 400
    """
    if len(raw_path) > _MAX_PATH_BYTES:
        raise RefusedError(400, f"The path is longer than {_MAX_PATH_BYTES} bytes.")
    try:
        path = raw_path.decode("ascii")
    except UnicodeDecodeError:
        raise RefusedError(400, "The path has bytes that are not ASCII.") from None
    segments = [unquote(segment, errors="replace") for segment in path.split("/")]
    if any(
        segment in {".", ".."} or re.search(r"[/\\%;\x00-\x20\x7f]", segment)
        for segment in segments
    ):
        raise RefusedError(400, "The path has a segment that the gateway never passes on.")
    return "/".join(segments)


def _check_query(query: bytes) -> None:
    try:
        text = query.decode("ascii")
    except UnicodeDecodeError:
        raise RefusedError(400, "The query has bytes that are not ASCII.") from None
    for name, _ in parse_qsl(text, keep_blank_values=True):
        if name in _SYSTEM_PARAMETERS:
            raise RefusedError(400, f"The gateway does not pass on the query parameter {name}.")
