"""Frames as JPEG and PNG pictures (PS3.18 10.4.1.1.4, rendered resources)."""

import io
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from PIL import Image
from pydicom.pixels.processing import apply_color_lut, apply_modality_lut, apply_voi_lut
from pydicom.pixels.utils import pixel_array

from emulator.errors import invalid_argument, not_found
from emulator.healthcare.dicom import decoding
from emulator.healthcare.dicom.malformed import UNDECODABLE, reading
from emulator.healthcare.dicom.parsing import DEFERRED_BYTES

JPEG = "image/jpeg"
PNG = "image/png"
QUALITY = 90
MOST_PIXELS = 10_000
WINDOW_FUNCTIONS = frozenset({"LINEAR", "LINEAR-EXACT", "SIGMOID"})


@dataclass(frozen=True)
class View:
    """How a picture is to be made, as the query asks.

    Attributes:
        window: centre, width and function of the values of interest.
        viewport: columns and rows that the picture must fit into.
        region: left, top, width and height of the part that is shown.
        quality: of a JPEG, 1 to 100.
    """

    window: tuple[float, float, str] | None = None
    viewport: tuple[int, int] | None = None
    region: tuple[int, int, int, int] | None = None
    quality: int = QUALITY


def view(query: dict[str, str]) -> View:
    """Read the parameters `window`, `viewport` and `quality`.

    Raises:
        ApiError: 400, naming the parameter.
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


def _window(text: str) -> tuple[float, float, str]:
    center, width, function = [*text.split(","), "LINEAR"][:3]
    numbers = (float(center), float(width))
    if (
        not all(map(math.isfinite, numbers))
        or numbers[1] < 1
        or function.upper() not in WINDOW_FUNCTIONS
    ):
        raise ValueError(f"window {text!r} is not center,width[,function]")
    return float(center), float(width), function.upper()


def _viewport(text: str) -> tuple[tuple[int, int], tuple[int, int, int, int] | None]:
    numbers = [int(float(part or 0)) for part in text.split(",")]
    if len(numbers) not in (2, 6) or not all(1 <= side <= MOST_PIXELS for side in numbers[:2]):
        raise ValueError(f"viewport {text!r} is not width,height[,x,y,width,height]")
    region = (numbers[2], numbers[3], numbers[4], numbers[5]) if len(numbers) == 6 else None
    if region and (min(region) < 0 or 0 in region[2:]):
        raise ValueError(f"viewport {text!r} shows no part of the picture")
    return (numbers[0], numbers[1]), region


def render(path: Path, frame: int, kind: str, how: View | None = None) -> bytes:
    """Make a picture of a frame.

    Args:
        path: the DICOM file.
        frame: from 1.
        kind: image/jpeg or image/png.
        how: window and size; as the file says if not given.

    Raises:
        ApiError: 400 without pixels, 404 without the frame, 406 where they can't be decoded.
    """
    how = how or View()
    picture = Image.fromarray(_values(path, frame, how))
    if how.region:
        left, top, width, height = how.region
        picture = picture.crop((left, top, left + width, top + height))
    if how.viewport:
        scale = min(how.viewport[0] / picture.width, how.viewport[1] / picture.height)
        size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
        picture = picture.resize(size, Image.Resampling.BICUBIC)
    buffer = io.BytesIO()
    if kind == JPEG:
        picture.save(buffer, "JPEG", quality=how.quality)
    else:
        picture.save(buffer, "PNG")
    return buffer.getvalue()


def _values(path: Path, frame: int, how: View) -> Any:
    dataset = decoding.read(path, defer_size=DEFERRED_BYTES)
    if not any(keyword in dataset for keyword in decoding.PIXELS):
        raise invalid_argument("The instance has no pixel data to render.")
    try:
        with reading():
            if not 1 <= frame <= int(dataset.get("NumberOfFrames") or 1):
                raise not_found(f"The instance has no frame {frame}.")
            pixels = pixel_array(dataset, index=frame - 1)
            return displayed(dataset, pixels, how)
    except UNDECODABLE as error:
        raise decoding.undecodable(dataset, error) from error


def displayed(dataset: pydicom.Dataset, pixels: Any, how: View | None = None) -> Any:
    """Give 8-bit grey or RGB values of a frame: rescaled, windowed, the right way round."""
    how = how or View()
    photometric = dataset.PhotometricInterpretation
    if photometric == "PALETTE COLOR":
        colours = apply_color_lut(pixels, dataset)
        return (colours >> 8 if colours.dtype.itemsize > 1 else colours).astype(np.uint8)
    if pixels.ndim == 3:
        return pixels if pixels.dtype == np.uint8 else _stretched(pixels)
    values = apply_modality_lut(pixels, dataset).astype(np.float64)
    if how.window:
        values = _windowed(values, *how.window)
    elif "WindowWidth" in dataset or "VOILUTSequence" in dataset:
        values = _stored_window(dataset, pixels, values)
    else:
        values = _stretched(values)
    grey = np.clip(values, 0, 255).astype(np.uint8)
    return 255 - grey if photometric == "MONOCHROME1" else grey


def _stored_window(dataset: pydicom.Dataset, pixels: Any, values: Any) -> Any:
    if dataset.get("VOILUTSequence"):
        return _stretched(apply_voi_lut(apply_modality_lut(pixels, dataset), dataset))
    center, width = (
        float(value[0] if isinstance(value, pydicom.multival.MultiValue) else value)
        for value in (dataset.WindowCenter, dataset.WindowWidth)
    )
    function = str(dataset.get("VOILUTFunction") or "LINEAR").replace("_", "-")
    return _windowed(values, center, width, function)


def _windowed(values: Any, center: float, width: float, function: str) -> Any:
    """Apply a window (PS3.3 C.11.2.1.2 and C.11.2.1.3), to 0 to 255."""
    if function == "SIGMOID":
        return 255.0 / (1.0 + np.exp(-4.0 * (values - center) / width))
    if function == "LINEAR-EXACT":
        return ((values - center) / width + 0.5) * 255.0
    return ((values - (center - 0.5)) / max(width - 1.0, 1e-9) + 0.5) * 255.0


def _stretched(values: Any) -> Any:
    low, high = float(values.min()), float(values.max())
    stretched = (values - low) * (255.0 / (high - low if high > low else 1.0))
    return stretched.astype(np.uint8)
