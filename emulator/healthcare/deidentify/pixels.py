"""Black out the text that is burned into pictures.

Text is found by RapidOCR's models, which come with the package: nothing leaves the machine. What
they do not read (very small or faint writing, single letters) stays.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Any

import numpy as np
import pydicom
from pydicom.pixels.utils import pixel_array

from emulator.healthcare.deidentify.sensitive import Detector
from emulator.healthcare.dicom.malformed import UNDECODABLE
from emulator.healthcare.dicom.rendering import displayed

MARGIN = 2
"""Pixels around a text that are blacked out with it."""
OVERLAYS = range(0x6000, 0x6020, 2)


class Redaction(Enum):
    """Which text is blacked out."""

    NONE = "REDACT_NO_TEXT"
    SENSITIVE = "REDACT_SENSITIVE_TEXT"
    ALL = "REDACT_ALL_TEXT"


@dataclass(frozen=True)
class CustomRegex:
    """A pattern of text that is sensitive, with the groups that are (none: the whole)."""

    pattern: re.Pattern[str]
    groups: tuple[int, ...]


@dataclass(frozen=True)
class PixelRules:
    """What is blacked out.

    Attributes:
        redaction: which text.
        without: kinds of information that stay.
        regexes: further text that goes, whatever the mode.
    """

    redaction: Redaction = Redaction.NONE
    without: frozenset[str] = frozenset()
    regexes: tuple[CustomRegex, ...] = ()

    @property
    def looks(self) -> bool:
        """Whether pictures are read at all."""
        return self.redaction is not Redaction.NONE or bool(self.regexes)


class UnreadablePixelsError(Exception):
    """The picture can't be decoded, so nobody knows what is written in it."""


def redact(dataset: pydicom.Dataset, rules: PixelRules, detector: Detector) -> int:
    """Black out text in every frame; the pixels become uncompressed where there was any.

    Overlays and the icon may repeat the text, so they go.

    Returns:
        The number of texts that were blacked out.

    Raises:
        UnreadablePixelsError: the picture can't be decoded.
    """
    if not rules.looks:
        return 0
    for group in OVERLAYS:
        for tag in [element.tag for element in dataset.group_dataset(group)]:
            del dataset[tag]
    if "IconImageSequence" in dataset:
        del dataset.IconImageSequence
    if "PixelData" not in dataset:
        return 0
    try:
        return _redact_frames(dataset, rules, detector)
    except UNDECODABLE as error:
        raise UnreadablePixelsError(
            f"The pixel data can't be decoded ({type(error).__name__}), so its text can't be found."
        ) from error


def _redact_frames(dataset: pydicom.Dataset, rules: PixelRules, detector: Detector) -> int:
    pixels = pixel_array(dataset)
    several = int(dataset.get("NumberOfFrames") or 1) > 1
    frames = pixels if several else pixels[None]
    frames = frames.copy()
    blacked = 0
    for frame in frames:
        # A picture of what a person sees; its text lies in the same places.
        shown = np.asarray(displayed(dataset, frame))
        for left, top, right, bottom in _boxes(shown, rules, detector):
            blacked += 1
            frame[max(0, top) : bottom, max(0, left) : right] = _black(dataset, frames)
    if blacked:
        photometric = str(dataset.PhotometricInterpretation)
        if photometric.startswith("YBR"):
            photometric = "RGB"  # which is what the decoder gives
        dataset.set_pixel_data(
            frames if several else frames[0],
            photometric,
            int(dataset.BitsStored),
            generate_instance_uid=False,
        )
    if rules.redaction is Redaction.ALL:
        dataset.BurnedInAnnotation = "NO"
    return blacked


def _black(dataset: pydicom.Dataset, frames: Any) -> Any:
    """Give the stored value that is shown darkest."""
    return frames.max() if dataset.PhotometricInterpretation == "MONOCHROME1" else frames.min()


def _boxes(
    picture: Any, rules: PixelRules, detector: Detector
) -> Iterator[tuple[int, int, int, int]]:
    """Give left, top, right and bottom of the texts that are to go."""
    colours = picture if picture.ndim == 3 else np.stack([picture] * 3, axis=-1)
    read = _reader()(np.ascontiguousarray(colours))
    if read.boxes is None:
        return
    for box, text in zip(read.boxes, read.txts, strict=True):
        if not _goes(text, rules, detector):
            continue
        (left, top), (right, bottom) = box.min(axis=0), box.max(axis=0)
        yield (
            int(left) - MARGIN,
            int(top) - MARGIN,
            int(np.ceil(right)) + MARGIN,
            int(np.ceil(bottom)) + MARGIN,
        )


def _goes(text: str, rules: PixelRules, detector: Detector) -> bool:
    if rules.redaction is Redaction.ALL:
        return True
    if any(one.pattern.search(text) for one in rules.regexes):
        return True
    return rules.redaction is Redaction.SENSITIVE and bool(detector.find(text))


@cache
def _reader() -> Any:
    """Load the models, once a process."""
    from rapidocr import RapidOCR

    return RapidOCR(
        params={
            "Global.log_level": "critical",
            # Several processes read at once.
            "EngineConfig.onnxruntime.intra_op_num_threads": 1,
        }
    )
