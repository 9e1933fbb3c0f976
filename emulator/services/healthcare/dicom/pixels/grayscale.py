"""The grey values of a frame: modality and VOI transformations (PS3.3 C.11.1 and C.11.2).

What an instance says of them may be empty or unreadable; it is then passed over. In an enhanced
multi-frame instance they are in the functional groups, of the frame or shared (PS3.3 C.7.6.16).

Inferred (conformance: rendered-window, rendered-no-window): without a window, the range of the
values is shown.
"""

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pydicom
from pydicom.multival import MultiValue
from pydicom.pixels.processing import apply_modality_lut, apply_voi

from emulator.services.healthcare.dicom.parsing.pydicom_errors import DECODE_ERRORS

LINEAR = "LINEAR"
_GROUPS = ("PerFrameFunctionalGroupsSequence", "SharedFunctionalGroupsSequence")


class Window(NamedTuple):
    """Values of interest, in the modality's unit, and the function that maps them."""

    center: float
    width: float
    function: str = LINEAR


def modality_values(dataset: pydicom.Dataset, frame: int, pixels: Any) -> Any:
    """Return a frame's values in the unit of the modality; frames count from 1."""
    for source in _sources(dataset, frame, "PixelValueTransformationSequence"):
        if source.get("ModalityLUTSequence"):
            try:
                return apply_modality_lut(pixels, _tables(dataset, source, "ModalityLUTSequence"))
            except DECODE_ERRORS:
                continue
        slope, intercept = _first(source, "RescaleSlope"), _first(source, "RescaleIntercept")
        if slope is not None or intercept is not None:
            rescaled = pixels.astype(np.float64) * (1.0 if slope is None else slope)
            return rescaled + (intercept or 0.0)
    return pixels


def window_values(
    dataset: pydicom.Dataset, frame: int, values: Any, wanted: Window | None = None
) -> Any:
    """Return 0 to 255 for a frame's values in the unit of the modality.

    Args:
        dataset: the instance
        frame: from 1
        values: from `modality_values`
        wanted: the window; by default the instance's first, or else the whole range of values
    """
    if wanted:
        return _windowed(values, wanted)
    for source in _sources(dataset, frame, "FrameVOILUTSequence"):
        if source.get("VOILUTSequence"):
            try:
                return stretch(apply_voi(values, _tables(dataset, source, "VOILUTSequence")))
            except DECODE_ERRORS:
                pass
        if window := _stored_window(source):
            return _windowed(values, window)
    return stretch(values)


def stretch(values: Any) -> Any:
    """Return 0 to 255 for the whole range of values."""
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    stretched = (values - low) * (255.0 / (high - low if high > low else 1.0))
    return np.nan_to_num(stretched).clip(0, 255).astype(np.uint8)


def _sources(dataset: pydicom.Dataset, frame: int, group: str) -> Iterator[pydicom.Dataset]:
    """Yield where a frame's attributes of a functional group may be, the first to be used first."""
    for keyword, index in zip(_GROUPS, (frame - 1, 0), strict=True):
        items = dataset.get(keyword) or []
        if index < len(items):
            yield from (items[index].get(group) or [])[:1]
    yield dataset


def _tables(dataset: pydicom.Dataset, source: pydicom.Dataset, keyword: str) -> pydicom.Dataset:
    """Return a data set of lookup tables alone, which says its byte order as the file does."""
    tables = pydicom.Dataset()
    tables[keyword] = source[keyword]
    tables.file_meta = dataset.file_meta
    tables.BitsStored, tables.PixelRepresentation = dataset.BitsStored, dataset.PixelRepresentation
    return tables


def _stored_window(source: pydicom.Dataset) -> Window | None:
    centers, widths = _numbers(source, "WindowCenter"), _numbers(source, "WindowWidth")
    function = str(source.get("VOILUTFunction") or LINEAR).replace("_", "-")
    for center, width in zip(centers, widths, strict=False):
        if center is not None and width is not None and width > 0:
            return Window(center, width, function)
    return None


def _first(source: pydicom.Dataset, keyword: str) -> float | None:
    return next(iter(_numbers(source, keyword)), None)


def _numbers(source: pydicom.Dataset, keyword: str) -> list[float | None]:
    """Return the values of an element, None for each that is empty or not a finite number."""
    value = source.get(keyword)
    return [_number(one) for one in (value if isinstance(value, MultiValue) else [value])]


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _windowed(values: Any, window: Window) -> Any:
    """Return windowed values (PS3.3 C.11.2.1.2 and C.11.2.1.3), scaled to 0 to 255."""
    center, width, function = window
    if function == "SIGMOID":
        shown = 255.0 / (1.0 + np.exp(-4.0 * (values - center) / width))
    elif function == "LINEAR-EXACT":
        shown = ((values - center) / width + 0.5) * 255.0
    else:
        shown = ((values - (center - 0.5)) / max(width - 1.0, 1e-9) + 0.5) * 255.0
    return np.nan_to_num(shown).clip(0, 255).astype(np.uint8)
