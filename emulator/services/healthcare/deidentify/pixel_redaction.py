"""Redaction of the text that is burned into pictures.

Text is found by RapidOCR's models, which come with the package: nothing leaves the machine. What
they do not read (very small or faint writing, single letters) stays.
"""

import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Any

import numpy as np
import pydicom

from emulator.services.healthcare.deidentify.info_types import INFO_TYPES, InfoTypeDetector
from emulator.services.healthcare.deidentify.pixel_frames import (
    OVERLAY_GROUPS,
    embedded_overlay_bits,
    has_excess,
    read_frame,
    stored_values,
    write_frames,
)
from emulator.services.healthcare.deidentify.pixel_views import search_views
from emulator.services.healthcare.dicom.parsing.pydicom_errors import DECODE_ERRORS
from emulator.services.healthcare.dicom.pixels.decoding import set_frame_count
from emulator.services.healthcare.dicom.pixels.rendering import displayed

MARGIN = 2
"""Pixels around a text that are blacked out with it."""
MAX_ROUNDS = 4
"""Searches of a frame, each after what the one before found was blacked out."""
MAX_COVERED = 0.5
"""A text that is black to more than this part is not found again."""

MIN_LETTERS = 2
"""Characters of a text outside the default window: noise looks like single letters."""
_LETTER = re.compile(r"[^\W_]")

Box = tuple[slice, slice]
"""Rows and columns of a picture."""


class Redaction(Enum):
    """The text that is blacked out."""

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
    """The rules for text in pictures.

    Attributes:
        redaction: the mode
        without: info types that are kept
        regexes: further text, in every mode
        additional: further info types; the only ones without a mode
    """

    redaction: Redaction = Redaction.NONE
    without: frozenset[str] = frozenset()
    regexes: tuple[CustomRegex, ...] = ()
    additional: frozenset[str] = frozenset()

    @property
    def looks(self) -> bool:
        """Whether pictures are searched."""
        return self.redaction is not Redaction.NONE or bool(self.regexes or self.additional)

    @property
    def kept(self) -> frozenset[str]:
        """Info types that are not detected."""
        kept = INFO_TYPES if self.redaction is Redaction.NONE else self.without
        return kept - self.additional


class UnreadablePixelsError(Exception):
    """Not all of the picture can be searched for text."""


def redact(dataset: pydicom.Dataset, rules: PixelRules, detector: InfoTypeDetector) -> int:
    """Black out text in every frame; the pixels become uncompressed where there was any.

    Overlays and icons may repeat the text, so they are removed.

    Returns:
        The number of texts that were blacked out

    Raises:
        UnreadablePixelsError: not all of the picture can be searched
    """
    if not rules.looks:
        return 0
    try:
        blacked = _redact_pixels(dataset, rules, detector)
    except DECODE_ERRORS as error:
        raise UnreadablePixelsError(
            f"The pixel data can't be decoded ({type(error).__name__}), so its text can't be found."
        ) from error
    _remove_overlays_and_icons(dataset)
    return blacked


def _remove_overlays_and_icons(dataset: pydicom.Dataset) -> None:
    """Remove overlays and icons, those of nested data sets too."""
    for group in OVERLAY_GROUPS:
        for tag in [element.tag for element in dataset.group_dataset(group)]:
            del dataset[tag]
    if "IconImageSequence" in dataset:
        del dataset.IconImageSequence
    for element in dataset:
        if element.VR == "SQ":
            for item in element.value:
                _remove_overlays_and_icons(item)


def _redact_pixels(dataset: pydicom.Dataset, rules: PixelRules, detector: InfoTypeDetector) -> int:
    for keyword in ("FloatPixelData", "DoubleFloatPixelData"):
        if keyword in dataset:
            raise UnreadablePixelsError(f"The text in {keyword} can't be found.")
    if "PixelData" not in dataset:
        return 0
    picture = _Picture(dataset)
    blacked = sum(picture.redact(index, rules, detector) for index in range(len(picture.frames)))
    if blacked or picture.is_changed:
        write_frames(dataset, picture.frames, picture.photometric)
    if rules.redaction is Redaction.ALL:
        dataset.BurnedInAnnotation = "NO"
    return blacked


class _Picture:
    """The frames of an instance.

    Args:
        dataset: the instance, with PixelData

    Attributes:
        frames: the integers of all frames, with all their bits
        photometric: what they stand for
        is_changed: whether they are others than those of the file
    """

    def __init__(self, dataset: pydicom.Dataset) -> None:
        self._dataset = dataset
        indexes = range(set_frame_count(dataset))
        self.frames = np.stack([read_frame(dataset, index, raw=False) for index in indexes])
        self.photometric = str(dataset.PhotometricInterpretation)
        self._is_ybr = self.photometric.startswith("YBR")
        if self._is_ybr:
            self.photometric = "RGB"  # which is what the decoder returns
        self._bits_stored = int(dataset.BitsStored)
        overlays = embedded_overlay_bits(dataset, OVERLAY_GROUPS)
        self.is_changed = has_excess(dataset)
        if overlays:
            bits = self.frames.view(f"u{self.frames.dtype.itemsize}")
            bits &= np.array(~overlays & np.iinfo(bits.dtype).max, bits.dtype)
            self.is_changed = True
        stored = stored_values(self.frames, self._bits_stored)
        self._black = stored.max() if self.photometric == "MONOCHROME1" else stored.min()

    def redact(self, index: int, rules: PixelRules, detector: InfoTypeDetector) -> int:
        """Black out the text of a frame, until no more is found.

        Raises:
            UnreadablePixelsError: text is still found after several rounds
        """
        frame, blacked = self.frames[index], 0
        stored = read_frame(self._dataset, index, raw=True) if self._is_ybr else frame
        covered = np.zeros(frame.shape[:2], bool)
        for _ in range(MAX_ROUNDS):
            displayed = self._displayed(frame, index + 1)
            boxes = [
                box
                for view in search_views(displayed, stored, self._bits_stored)
                for box, text in _texts(view, rules, detector)
                # The edges of what is black already look like letters now and then.
                if covered[box].mean() < MAX_COVERED
                and (
                    (view is displayed and not blacked) or len(_LETTER.findall(text)) >= MIN_LETTERS
                )
            ]
            if not boxes:
                return blacked
            for box in boxes:
                frame[box] = self._black
                covered[box] = True
            blacked += len(boxes)
            stored = frame  # which is what is written from now on
        raise UnreadablePixelsError("Text is still found after it was blacked out several times.")

    def _displayed(self, frame: Any, number: int) -> Any | None:
        """Return a frame as a viewer shows it; None if the instance does not say how."""
        try:
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                values = stored_values(frame, self._bits_stored)
                return np.asarray(displayed(self._dataset, values, number))
        except DECODE_ERRORS:
            return None


def _texts(
    picture: Any, rules: PixelRules, detector: InfoTypeDetector
) -> Iterator[tuple[Box, str]]:
    """Yield each text to black out, with its rows and columns."""
    colours = picture if picture.ndim == 3 else np.stack([picture] * 3, axis=-1)
    read = _reader()(np.ascontiguousarray(colours))
    if read.boxes is None:
        return
    for box, text in zip(read.boxes, read.txts, strict=True):
        if not _is_redacted(text, rules, detector):
            continue
        (left, top), (right, bottom) = box.min(axis=0), box.max(axis=0)
        rows = slice(max(0, int(top) - MARGIN), max(1, int(np.ceil(bottom)) + MARGIN))
        columns = slice(max(0, int(left) - MARGIN), max(1, int(np.ceil(right)) + MARGIN))
        yield (rows, columns), text


def _is_redacted(text: str, rules: PixelRules, detector: InfoTypeDetector) -> bool:
    if rules.redaction is Redaction.ALL:
        return True
    if any(one.pattern.search(text) for one in rules.regexes):
        return True
    detects = rules.redaction is Redaction.SENSITIVE or bool(rules.additional)
    return detects and bool(detector.find(text))


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
