"""Frames as JPEG and PNG pictures (PS3.18 10.4.1.1.4, rendered resources).

Inferred (conformance: rendered-colour, rendered-given-window, rendered-viewport,
rendered-window-text, rendered-quality-text, rendered-no-pixels-text): how a picture is scaled, and
the texts of refusals.
"""

import io
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from PIL import Image
from pydicom.pixels.processing import apply_color_lut
from pydicom.pixels.utils import pixel_array

from emulator.core.errors import invalid_argument, not_acceptable, not_found
from emulator.services.healthcare.dicom.parsing.parser import DEFERRED_BYTES
from emulator.services.healthcare.dicom.parsing.pydicom_errors import (
    DECODE_ERRORS,
    translate_errors,
)
from emulator.services.healthcare.dicom.pixels import decoding, grayscale, stored_frames
from emulator.services.healthcare.dicom.pixels.grayscale import Window

JPEG = "image/jpeg"
PNG = "image/png"
QUALITY = 90
MAX_PIXELS = 10_000
WINDOW_FUNCTIONS = frozenset({"LINEAR", "LINEAR-EXACT", "SIGMOID"})


@dataclass(frozen=True)
class View:
    """The requested window, size and quality of a picture.

    Attributes:
        window: the values of interest
        viewport: columns and rows that the picture must fit into
        region: left, top, width and height of the part that is shown
        quality: of a JPEG, 1 to 100
    """

    window: Window | None = None
    viewport: tuple[int, int] | None = None
    region: tuple[int, int, int, int] | None = None
    quality: int = QUALITY


def view(query: dict[str, str]) -> View:
    """Return the view that `window`, `viewport` and `quality` ask for.

    Raises:
        ApiError: 400, naming the parameter
    """
    try:
        window = _window(query["window"]) if query.get("window") else None
        viewport, region = _viewport(query["viewport"]) if query.get("viewport") else (None, None)
        quality = int(query.get("quality") or QUALITY)
    except (ValueError, OverflowError) as error:
        raise invalid_argument(f"invalid window, viewport or quality: {error}") from None
    if not 1 <= quality <= 100:
        raise invalid_argument(f"invalid quality {quality}: 1 to 100")
    return View(window, viewport, region, quality)


def _window(text: str) -> Window:
    refusal = f"window {text!r} is not center,width[,function]"
    parts = text.split(",")
    if len(parts) not in (2, 3):
        raise ValueError(refusal)
    center, width, function = [*parts, "LINEAR"][:3]
    numbers = (float(center), float(width))
    if (
        not all(map(math.isfinite, numbers))
        or numbers[1] < 1
        or function.upper() not in WINDOW_FUNCTIONS
    ):
        raise ValueError(refusal)
    return Window(*numbers, function.upper())


def _viewport(text: str) -> tuple[tuple[int, int], tuple[int, int, int, int] | None]:
    numbers = [int(float(part or 0)) for part in text.split(",")]
    if len(numbers) not in (2, 6) or not all(1 <= side <= MAX_PIXELS for side in numbers[:2]):
        raise ValueError(f"viewport {text!r} is not width,height[,x,y,width,height]")
    region = (numbers[2], numbers[3], numbers[4], numbers[5]) if len(numbers) == 6 else None
    if region and (min(region) < 0 or 0 in region[2:]):
        raise ValueError(f"viewport {text!r} has an empty region")
    return (numbers[0], numbers[1]), region


def render(path: Path, frame: int, media_type: str, view: View | None = None) -> bytes:
    """Return a picture of a frame.

    Args:
        path: the DICOM file
        frame: from 1
        media_type: image/jpeg or image/png
        view: window and size; those of the file by default

    Raises:
        ApiError: 400 without pixel data, 404 without the frame, 406 if it can't be decoded
    """
    view = view or View()
    picture = Image.fromarray(_values(path, frame, view))
    if view.region:
        left, top, width, height = view.region
        picture = picture.crop((left, top, left + width, top + height))
    if view.viewport:
        scale = min(view.viewport[0] / picture.width, view.viewport[1] / picture.height)
        size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
        picture = picture.resize(size, Image.Resampling.BICUBIC)
    buffer = io.BytesIO()
    if media_type == JPEG:
        picture.save(buffer, "JPEG", quality=view.quality)
    else:
        picture.save(buffer, "PNG")
    return buffer.getvalue()


def _values(path: Path, frame: int, view: View) -> Any:
    dataset = decoding.read(path, defer_size=DEFERRED_BYTES)
    if not any(keyword in dataset for keyword in stored_frames.PIXELS):
        raise invalid_argument("The instance has no pixel data to render.")
    try:
        with translate_errors():
            if not 1 <= frame <= decoding.set_frame_count(dataset):
                raise not_found(f"The instance has no frame {frame}.")
            pixels = pixel_array(dataset, index=frame - 1)
    except DECODE_ERRORS as error:
        raise decoding.undecodable(dataset, error) from error
    try:
        with translate_errors():
            return displayed(dataset, pixels, frame, view)
    except DECODE_ERRORS as error:
        raise not_acceptable(
            f"Frame {frame} can't be displayed: its palette or another attribute is not valid "
            f"({type(error).__name__})."
        ) from error


def displayed(
    dataset: pydicom.Dataset, pixels: Any, frame: int = 1, view: View | None = None
) -> Any:
    """Return 8-bit grey or RGB values of a frame: rescaled, windowed, MONOCHROME1 inverted."""
    photometric = dataset.PhotometricInterpretation
    if photometric == "PALETTE COLOR":
        colours = apply_color_lut(pixels, dataset)
        return (colours >> 8 if colours.dtype.itemsize > 1 else colours).astype(np.uint8)
    if pixels.ndim == 3:
        return pixels if pixels.dtype == np.uint8 else grayscale.stretch(pixels)
    with np.errstate(all="ignore"):  # values may be anything
        values = grayscale.modality_values(dataset, frame, pixels)
        grey = grayscale.window_values(dataset, frame, values, view.window if view else None)
    return 255 - grey if photometric == "MONOCHROME1" else grey
