"""Checks of metadata: JSON of odd values, and errors of retrieval."""

from functools import partial

from conformance import samples
from conformance.check import Check, Lab, shape
from conformance.cloud_project import Json


def _element(name: str, tags: tuple[str, ...], lab: Lab) -> Json:
    """Return some elements of an instance with an odd value."""
    found = lab.metadata(samples.ODD_STUDY, samples.odd_number(name))
    if "status" in found:
        return found
    return {tag: found.get(tag, "(absent)") for tag in tags}


def _odd(check_id: str, title: str, name: str, *tags: str) -> Check:
    return Check(check_id, title, partial(_element, name, tags))


def _bulk_data(lab: Lab) -> Json:
    """Return the elements of an image that are bulk data."""
    found = lab.metadata(samples.STUDY, 1)
    if "status" in found:
        return found
    return {tag: one for tag, one in found.items() if "BulkDataURI" in one}


def _pixels_as_bulk_data(lab: Lab) -> Json:
    path = f"{samples.path(samples.STUDY, 5)}/bulkdata/7FE00010"
    return shape(lab.dicom_web(path, "application/octet-stream"))


CHECKS = (
    _odd("json-decimal-text", "a DS that is not a number", "decimal-text", "00180050"),
    _odd("json-decimal-nan", "a DS that is NaN", "decimal-nan", "00180050"),
    _odd("json-integer-text", "an IS that is not a number", "integer-text", "00200012"),
    _odd("json-empty-component", "an empty number among others", "empty-component", "00280030"),
    _odd("json-empty-text", "an empty text among others", "empty-text", "00080008"),
    _odd("json-float-nan", "an FD that is NaN", "float-nan", "00189073"),
    _odd(
        "json-private",
        "private elements, as text and of unknown VR",
        "private",
        "00290010",
        "00291001",
        "00291002",
    ),
    _odd("json-nested-private", "binary values in an item", "nested-private", "00400275"),
    _odd("json-name-groups", "a name of three groups", "name-groups", "00100010"),
    _odd(
        "json-empty",
        "an empty sequence and an empty text",
        "empty-sequence",
        "00400275",
        "00200010",
    ),
    _odd("json-date-time", "a DT with a time zone", "date-time", "0008002A"),
    Check("json-bulk-data", "which elements of an image are bulk data, and their URIs", _bulk_data),
    Check(
        "metadata-missing-text",
        "metadata of a study that does not exist: text",
        lambda lab: shape(lab.dicom_web("studies/2.25.1/metadata")),
    ),
    Check(
        "bulk-data-missing-text",
        "bulk data that does not exist: text",
        _pixels_as_bulk_data,
    ),
    Check(
        "accept-text",
        "a media type that is not served: text",
        lambda lab: shape(lab.dicom_web(f"studies/{samples.STUDY}/metadata", "text/html")),
    ),
)
