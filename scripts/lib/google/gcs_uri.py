"""Validation of the Cloud Storage URIs that an import accepts, before any call.

The rules are those of `GoogleCloudHealthcareV1DicomGcsSource.uri` in the discovery document of
the Healthcare API.
"""

import re
from dataclasses import dataclass

from scripts.lib.errors import UsageError

LAB_SOURCE = "gs://gcs-public-data--healthcare-nih-chest-xray/dicom/000000*.dcm"
LAB_PATIENTS = "gs://synthetic-chest-xray-patients/*.ndjson"
"""FHIR resources about the lab's files; the bucket is local."""

WILDCARDS = (
    "Wildcards of the Healthcare API: * within a folder, ? for one character, and ** for any depth"
    " at the end or before an extension (gs://bucket/folder/**.dcm) with no other wildcard."
)
# https://cloud.google.com/storage/docs/buckets#naming: 3 to 63 characters, more with dots.
_BUCKET = re.compile(r"[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]")
_DOUBLE_STAR_END = re.compile(r"\*\*(\.[A-Za-z0-9]+)?$")


@dataclass(frozen=True)
class SourceUri:
    """A valid source of an import: bucket and object pattern."""

    bucket: str
    pattern: str

    def __str__(self) -> str:
        return f"gs://{self.bucket}/{self.pattern}"


def parse(uri: str) -> SourceUri:
    """Check a `gs://` URI with wildcards.

    Raises:
        UsageError: the Healthcare API would refuse this form; the message names the rule
    """
    if not uri.startswith("gs://"):
        raise UsageError(
            f"{uri!r} is not a valid Cloud Storage URI.",
            "The form is gs://BUCKET/OBJECT." + _EXAMPLE,
        )
    bucket, _, pattern = uri.removeprefix("gs://").partition("/")
    if "*" in bucket or "?" in bucket:
        raise UsageError(f"The bucket {bucket!r} of {uri!r} holds a wildcard.", WILDCARDS)
    if not _BUCKET.fullmatch(bucket):
        raise UsageError(
            f"{bucket!r} in {uri!r} is not a valid bucket name.",
            "Bucket names are 3 or more of a-z, 0-9, dot, dash, underscore.",
        )
    if not pattern:
        raise UsageError(f"{uri!r} names a bucket but no object.", f"Try gs://{bucket}/**.")
    _check_double_star(uri, pattern)
    return SourceUri(bucket, pattern)


_EXAMPLE = f" Example: {LAB_SOURCE}"


def _check_double_star(uri: str, pattern: str) -> None:
    if "**" not in pattern:
        return
    end = _DOUBLE_STAR_END.search(pattern)
    if end is None or "***" in pattern:
        raise UsageError(
            f"{uri!r} has a ** that is neither at the end nor before an extension.", WILDCARDS
        )
    if "*" in pattern[: end.start()] or "?" in pattern:
        raise UsageError(f"{uri!r} mixes ** with another wildcard.", WILDCARDS)
