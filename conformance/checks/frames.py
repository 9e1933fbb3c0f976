"""Checks of frames as they are stored."""

from functools import partial

from conformance import samples
from conformance.check import Check, Lab, parts, shape
from conformance.cloud_project import Json, Reply

_AS_STORED = 'multipart/related; type="application/octet-stream"; transfer-syntax=*'


def _get(lab: Lab, number: int, frames: str, accept: str) -> Reply:
    return lab.dicom_web(f"{samples.path(samples.STUDY, number)}/frames/{frames}", accept)


def _frames(number: int, frames: str, accept: str, lab: Lab) -> Json:
    """Return the bytes of frames, with the media type of the response."""
    reply = _get(lab, number, frames, accept)
    if not reply.is_ok:
        return shape(reply)
    is_multipart = reply.content_type.startswith("multipart/")
    found = parts(reply.content) if is_multipart else [reply.content]
    return {"content_type": reply.content_type, "frames": [one.hex() for one in found]}


def _check(check_id: str, title: str, number: int, frames: str, accept: str = _AS_STORED) -> Check:
    return Check(check_id, title, partial(_frames, number, frames, accept))


CHECKS = (
    _check("frame-words", "a frame of 16-bit values", 1, "1"),
    _check("frame-planar", "a frame of colours by plane is as stored", 3, "1"),
    _check("frame-one-bit", "a frame of single bits that begins within a byte", 4, "2"),
    _check("frame-default", "a frame where the client accepts anything", 1, "1", "*/*"),
    _check("frame-missing-text", "a frame that does not exist: text", 1, "2"),
    _check("frame-list-text", "a list of frames that is not one: text", 1, "one"),
    _check("frame-no-pixels-text", "a frame of an instance without pixels: text", 5, "1"),
    _check(
        "frame-syntax-text",
        "a frame in a transfer syntax that is not served: text",
        1,
        "1",
        'multipart/related; type="image/jp2"; transfer-syntax=1.2.840.10008.1.2.4.99',
    ),
)
