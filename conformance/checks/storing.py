"""Checks of storing and deleting instances by DICOMweb."""

from conformance import samples
from conformance.check import Check, Lab
from conformance.cloud_project import Json

_STUDY = "2.25.74010"


def _stored(lab: Lab) -> Json:
    return lab.store_instance("scratch", samples.make(_STUDY, 1))


def _conflict(lab: Lab) -> Json:
    lab.store_instance("scratch", samples.make(_STUDY, 2))
    return lab.store_instance("scratch", samples.make(_STUDY, 2, StudyDescription="Other"))


def _same_again(lab: Lab) -> Json:
    lab.store_instance("scratch", samples.make(_STUDY, 3))
    return lab.store_instance("scratch", samples.make(_STUDY, 3))


def _delete(lab: Lab) -> Json:
    lab.store_instance("scratch", samples.make(_STUDY, 4))
    path = f"{lab.names.store('scratch')}/dicomWeb/{samples.path(_STUDY, 4)}"
    return [lab.healthcare("DELETE", path) for _ in range(2)]


def _other_content_type(lab: Lab) -> Json:
    path = f"{lab.names.store('scratch')}/dicomWeb/studies"
    return lab.healthcare("POST", path, data=b"x", headers={"Content-Type": "text/plain"})


def _without_study(lab: Lab) -> Json:
    content = samples.make(_STUDY, 5).replace(b"UI\x0a\x002.25.74010", b"UI\x0a\x00" + bytes(10))
    return lab.store_instance("scratch", content)


CHECKS = (
    Check("stow-response", "the data set of a successful response, as JSON", _stored),
    Check("stow-conflict-text", "an instance that exists with other content: reason", _conflict),
    Check("stow-same-again", "the same instance again", _same_again),
    Check(
        "stow-study-text",
        "an instance of another study than the path's: reason",
        lambda lab: lab.store_instance("scratch", samples.make(_STUDY, 6), "2.25.1"),
    ),
    Check(
        "stow-not-dicom-text",
        "a text instead of a DICOM file: reason",
        lambda lab: lab.store_instance("scratch", b"This is a text."),
    ),
    Check("stow-no-study-text", "a file without a Study Instance UID: reason", _without_study),
    Check(
        "stow-xml",
        "the response as XML",
        lambda lab: lab.store_instance(
            "scratch", samples.make(_STUDY, 7), accept="application/dicom+xml"
        ),
    ),
    Check("stow-content-type-text", "a body of another media type: text", _other_content_type),
    Check("delete-instance", "deleting an instance, and again when it is gone", _delete),
)
