"""Text that is burned into pictures, found by a real reader."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from pydicom.data import get_testdata_file
from pydicom.dataset import FileDataset
from pydicom.filereader import dcmread
from pydicom.uid import RLELossless

pytest.importorskip("rapidocr", reason="the extra `redaction` is not installed")

Deidentify = Callable[[FileDataset, dict[str, Any]], FileDataset]
NAME, PLAIN = (slice(15, 60), slice(15, 260)), (slice(75, 120), slice(15, 260))
"""Where the first and the second line are written."""


@pytest.fixture
def picture(source: FileDataset, add_picture: Callable[..., None]) -> FileDataset:
    add_picture(source, "RAMIREZ OFELIA", "PORTABLE ERECT")
    return source


def test_all_text_goes(picture: FileDataset, deidentify: Deidentify) -> None:
    before = picture.pixel_array.copy()
    after = deidentify(picture, {"image": {"textRedactionMode": "REDACT_ALL_TEXT"}}).pixel_array
    for place in (NAME, PLAIN):
        assert before[place].max() == 255
        assert after[place].max() < 255
    assert np.array_equal(after[200:], before[200:])  # where nothing is written
    assert picture.BurnedInAnnotation == "NO"


def test_sensitive_text_goes_and_other_text_stays(
    picture: FileDataset, deidentify: Deidentify
) -> None:
    before = picture.pixel_array.copy()
    mode = {"textRedactionMode": "REDACT_SENSITIVE_TEXT"}
    after = deidentify(picture, {"image": mode}).pixel_array
    assert after[NAME].max() < 255
    assert np.array_equal(after[PLAIN], before[PLAIN])


def test_a_pattern_of_ones_own_goes(picture: FileDataset, deidentify: Deidentify) -> None:
    before = picture.pixel_array.copy()
    after = deidentify(picture, {"image": {"customRegexes": [{"pattern": "PORTABLE"}]}}).pixel_array
    assert np.array_equal(after[NAME], before[NAME])
    assert after[PLAIN].max() < 255


def test_no_text_goes_unless_asked(picture: FileDataset, deidentify: Deidentify) -> None:
    before = bytes(picture.PixelData)
    assert deidentify(picture, {"dicom": {}}).PixelData == before


def test_every_frame_is_read_compressed_or_not(
    source: FileDataset, deidentify: Deidentify, add_picture: Callable[..., None]
) -> None:
    add_picture(source, "RAMIREZ OFELIA", frames=2)
    source.compress(RLELossless, generate_instance_uid=False)
    result = deidentify(source, {"image": {"textRedactionMode": "REDACT_ALL_TEXT"}})
    assert not result.file_meta.TransferSyntaxUID.is_compressed
    assert result.pixel_array.shape == (2, 480, 640)
    assert all(frame[NAME].max() < 255 for frame in result.pixel_array)


def test_overlays_go_with_the_text(picture: FileDataset, deidentify: Deidentify) -> None:
    result = deidentify(picture, {"image": {"textRedactionMode": "REDACT_SENSITIVE_TEXT"}})
    assert (0x6000, 0x4000) not in result


def test_colours_survive(deidentify: Deidentify) -> None:
    source = dcmread(str(get_testdata_file("SC_rgb_rle.dcm")))
    before = source.pixel_array.copy()
    result = deidentify(source, {"image": {"textRedactionMode": "REDACT_ALL_TEXT"}})
    assert result.pixel_array.shape == before.shape
    assert np.array_equal(result.pixel_array, before)  # it has no text


def test_a_picture_that_cannot_be_read_is_not_passed_on(
    picture: FileDataset, deidentify: Deidentify
) -> None:
    from emulator.healthcare.deidentify.pixels import UnreadablePixelsError

    picture.PixelData = picture.PixelData[:100]
    with pytest.raises(UnreadablePixelsError, match="can't be decoded"):
        deidentify(picture, {"image": {"textRedactionMode": "REDACT_ALL_TEXT"}})
