"""Checks of rendered pictures: their values, and refused parameters."""

import io
from functools import partial

from PIL import Image

from conformance import samples
from conformance.check import Check, Lab, shape
from conformance.cloud_project import Json
from conformance.compare import PIXELS

PNG, JPEG = "image/png", "image/jpeg"


def _picture(number: int, params: dict[str, str], accept: str, lab: Lab) -> Json:
    """Return the values of a picture, which are compared with a tolerance."""
    path = f"{samples.path(samples.STUDY, number)}/rendered"
    reply = lab.dicom_web(path, accept, params=params)
    if not reply.is_ok:
        return shape(reply)
    with Image.open(io.BytesIO(reply.content)) as picture:
        grey = picture.convert("RGB")
        return {
            "content_type": reply.content_type,
            "mode": picture.mode,
            "size": list(picture.size),
            PIXELS: list(grey.tobytes()),
        }


def _check(check_id: str, title: str, number: int, accept: str = PNG, /, **params: str) -> Check:
    return Check(check_id, title, partial(_picture, number, params, accept))


CHECKS = (
    _check("rendered-window", "a picture by the window of the instance", 1),
    _check("rendered-no-window", "a picture without a window shows the range of its values", 2),
    _check("rendered-colour", "a picture in colours by plane", 3),
    _check(
        "rendered-given-window",
        "a picture by the window of the request",
        2,
        window="100,200,linear",
    ),
    _check("rendered-viewport", "a picture that is scaled to a viewport", 2, viewport="4,4"),
    _check("rendered-window-text", "an invalid window: text", 2, window="many"),
    _check("rendered-quality-text", "an invalid quality: text", 2, JPEG, quality="0"),
    _check("rendered-no-pixels-text", "a picture of an instance without pixels: text", 5),
    _check("rendered-accept-text", "a picture as a media type that is not served", 1, "image/bmp"),
    _check(
        "rendered-accept-query",
        "a picture by the query parameter `accept`",
        1,
        "application/octet-stream",
        accept="image/png",
    ),
)
