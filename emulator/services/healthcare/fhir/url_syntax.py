"""URLs as Go's `net/url` parses them, which refuses what google/fhir reports as an invalid URI.

Observed in the source of Go's standard library.
"""

import re

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SCHEME = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.\-]*):")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_PORT = re.compile(r"(:\d*)?", re.ASCII)
_BAD_IN_HOST = re.compile(r"[^A-Za-z0-9\-_.~!$&'()*+,;=:\[\]<>\"%\x80-\U0010ffff]")
_ESCAPED_ASCII = re.compile(r"%(?!25)[0-7]")
_USER = re.compile(r"(?:[A-Za-z0-9\-._:~!$&'()*+,;=@]|%[0-9A-Fa-f]{2})*")


def is_valid(text: str) -> bool:
    """Whether Go parses a text as a URL: absolute, relative or opaque."""
    if _CONTROL.search(text):
        return False
    rest, _, fragment = text.partition("#")
    if _BAD_ESCAPE.search(fragment) or rest.startswith(":"):
        return False
    scheme = _SCHEME.match(rest)
    rest = rest[scheme.end() :] if scheme else rest
    rest = rest.partition("?")[0]
    if not rest.startswith("/"):
        if scheme:
            return True  # opaque, such as `urn:oid:1.2`
        if ":" in rest.partition("/")[0]:
            return False
    elif rest.startswith("//") and (scheme or not rest.startswith("///")):
        authority, _, rest = rest[2:].partition("/")
        if not _is_authority(authority):
            return False
    return not _BAD_ESCAPE.search(rest)


def _is_authority(text: str) -> bool:
    user, _, host = text.rpartition("@")
    if host.startswith("["):
        address, bracket, port = host.rpartition("]")
        if not bracket or not _PORT.fullmatch(port):
            return False
        host = address
    elif ":" in host and not _PORT.fullmatch(":" + host.rpartition(":")[2]):
        return False
    return bool(
        _USER.fullmatch(user)
        and not _BAD_IN_HOST.search(host)
        and not _BAD_ESCAPE.search(host)
        and not _ESCAPED_ASCII.search(host)
    )
