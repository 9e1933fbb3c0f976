"""Which objects a `gs://` URI with wildcards names.

The rules are those of `GoogleCloudHealthcareV1DicomGcsSource.uri` in the API's discovery document:
`*` for characters of one path part, `?` for one character, `**` for any characters, only at the
end or before an extension and with no other wildcard.

Inferred (conformance: import-uri-text): the text of a refusal.
"""

import re
from dataclasses import dataclass

from emulator.core.errors import ApiError, invalid_argument

_BUCKET = re.compile(r"[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]")
_ANY_DEPTH = re.compile(r"\*\*(\.[^*?/]+)?")


@dataclass(frozen=True)
class GcsUriPattern:
    """A bucket and the objects in it that are meant.

    Attributes:
        uri: as it was given.
        bucket: name of the bucket.
        prefix: what all objects' names begin with.
        pattern: what the whole of their names matches.
    """

    uri: str
    bucket: str
    prefix: str
    pattern: re.Pattern[str]

    def matches(self, name: str) -> bool:
        """Return whether an object matches; folder markers, which end in a slash, never do."""
        return bool(self.pattern.fullmatch(name)) and not name.endswith("/")


def parse(uri: str) -> GcsUriPattern:
    """Read a URI.

    Raises:
        ApiError: 400, saying what is wrong with it and what would be right.
    """
    if not uri.startswith("gs://"):
        raise _refused(uri, "it must begin with gs://")
    bucket, _, name = uri.removeprefix("gs://").partition("/")
    if "*" in bucket or "?" in bucket:
        raise _refused(uri, "wildcards are not allowed in the bucket's name")
    if not _BUCKET.fullmatch(bucket):
        raise _refused(uri, f"{bucket!r} is not the name of a bucket")
    if not name:
        raise _refused(uri, "it names no object; all of a bucket are gs://BUCKET/**")
    if "**" in name:
        _check_any_depth(uri, name)
    prefix = re.split(r"[*?]", name, maxsplit=1)[0]
    return GcsUriPattern(uri, bucket, prefix, _compiled(name))


def _check_any_depth(uri: str, name: str) -> None:
    before, _, rest = name.partition("**")
    if not _ANY_DEPTH.fullmatch("**" + rest):
        raise _refused(uri, "** is allowed only at the end or before an extension (**.dcm)")
    if "*" in before or "?" in before:
        raise _refused(uri, "** is not allowed together with other wildcards")


def _compiled(name: str) -> re.Pattern[str]:
    meaning = {"**": ".*", "*": "[^/]*", "?": "[^/]"}
    parts = re.split(r"(\*\*|\*|\?)", name)
    return re.compile("".join(meaning.get(part, re.escape(part)) for part in parts), re.DOTALL)


def _refused(uri: str, reason: str) -> ApiError:
    return invalid_argument(f"invalid Cloud Storage URI {uri!r}: {reason}")
