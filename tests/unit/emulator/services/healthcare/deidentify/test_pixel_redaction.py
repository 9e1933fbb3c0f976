"""Text that is burned into pictures, found by a real reader."""

import copy
import io
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset, FileDataset
from pydicom.filereader import dcmread
from pydicom.filewriter import dcmwrite
from pydicom.uid import UID, ExplicitVRLittleEndian, RLELossless

pytest.importorskip("rapidocr", reason="the extra `redaction` is not installed")

Deidentify = Callable[[FileDataset, dict[str, Any]], FileDataset]
NAME, PLAIN = (slice(15, 60), slice(15, 260)), (slice(75, 120), slice(15, 260))
"""Where the first and the second line are written."""


@pytest.fixture(scope="module", autouse=True)
def read_once() -> Iterator[None]:
    """Read the same picture once: many tests have it, and reading takes most of their time."""
    from emulator.services.healthcare.deidentify import pixel_redaction

    reader, found = pixel_redaction._reader(), dict[tuple[Any, bytes], Any]()

    def read(picture: Any) -> Any:
        key = picture.shape, picture.tobytes()
        if key not in found:
            found[key] = reader(picture)
        return found[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pixel_redaction, "_reader", lambda: read)
        yield


@pytest.fixture
def picture(source: FileDataset, add_picture: Callable[..., None]) -> FileDataset:
    add_picture(source, "RAMIREZ OFELIA", "PORTABLE ERECT")
    return source


def test_all_text_goes(picture: FileDataset, deidentify: Deidentify) -> None:
    before = picture.pixel_array.copy()
    after = deidentify(picture, {"image": {"textRedactionMode": "REDACT_ALL_TEXT"}}).pixel_array
    for resource_path in (NAME, PLAIN):
        assert before[resource_path].max() == 255
        assert after[resource_path].max() < 255
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


def test_a_custom_pattern_is_redacted(picture: FileDataset, deidentify: Deidentify) -> None:
    before = picture.pixel_array.copy()
    after = deidentify(picture, {"image": {"customRegexes": [{"pattern": "PORTABLE"}]}}).pixel_array
    assert np.array_equal(after[NAME], before[NAME])
    assert after[PLAIN].max() < 255


def test_additional_info_types_go_alone_or_with_those_of_a_mode(
    source: FileDataset, deidentify: Deidentify, add_picture: Callable[..., None]
) -> None:
    add_picture(source, "RAMIREZ OFELIA", "call 555-123-4567")
    before = source.pixel_array.copy()
    phones = {"additionalInfoTypes": ["PHONE_NUMBER"]}
    alone = deidentify(copy.deepcopy(source), {"image": phones}).pixel_array
    assert np.array_equal(alone[NAME], before[NAME])
    assert alone[PLAIN].max() < 255
    mode = {"textRedactionMode": "REDACT_SENSITIVE_TEXT", "excludeInfoTypes": ["PHONE_NUMBER"]}
    kept = deidentify(copy.deepcopy(source), {"image": mode}).pixel_array
    assert kept[PLAIN].max() == 255
    both = deidentify(source, {"image": {**mode, **phones}}).pixel_array
    assert both[NAME].max() < 255
    assert both[PLAIN].max() < 255


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
    from emulator.services.healthcare.deidentify.pixel_redaction import UnreadablePixelsError

    picture.PixelData = picture.PixelData[:100]
    with pytest.raises(UnreadablePixelsError, match="can't be decoded"):
        deidentify(picture, {"image": {"textRedactionMode": "REDACT_ALL_TEXT"}})


ALL = {"image": {"textRedactionMode": "REDACT_ALL_TEXT"}}
TEXT_VALUE, HIDDEN_BIT = 4000, 0x1000
BIG_ENDIAN = "1.2.840.10008.1.2.2"


def _word() -> Any:
    """Return where the letters of a name are, on 256 by 256 pixels."""
    picture = Image.new("L", (85, 85))
    ImageDraw.Draw(picture).text((4, 30), "JANE DOE", fill=255)
    return np.array(picture.resize((256, 256), Image.Resampling.NEAREST)) > 0


def _noise() -> Any:
    return np.random.default_rng(0).integers(900, 1100, (256, 256)).astype("<u2")


def _set_pixels(dataset: FileDataset, values: Any, stored: int = 12) -> None:
    dataset.set_pixel_data(_noise(), "MONOCHROME2", stored, generate_instance_uid=False)
    dataset.PixelData = values.tobytes()


def _reread(dataset: FileDataset, replace: tuple[bytes, bytes] = (b"", b"")) -> FileDataset:
    """Return a data set as it is read from its file, of which bytes may be replaced."""
    content = io.BytesIO()
    dcmwrite(content, dataset, enforce_file_format=True)
    return dcmread(io.BytesIO(content.getvalue().replace(*replace)))


def _values(dataset: FileDataset) -> Any:
    return np.frombuffer(dataset.PixelData, "<u2").reshape(256, 256)


@pytest.mark.parametrize(
    "window",
    [
        {"WindowCenter": "40", "WindowWidth": "400"},
        {"WindowCenter": "9000", "WindowWidth": "100"},
        {"WindowCenter": None, "WindowWidth": None},
        {"WindowWidth": "100"},
        {"WindowCenter": "40", "WindowWidth": "4007"},
        {"RescaleSlope": "7.7777", "RescaleIntercept": "0"},
        {"RescaleSlope": None, "RescaleIntercept": None},
    ],
)
def test_text_goes_whatever_the_window_shows(
    source: FileDataset, deidentify: Deidentify, window: dict[str, Any]
) -> None:
    word, values = _word(), _noise()
    values[word] = TEXT_VALUE
    _set_pixels(source, values)
    for keyword, value in window.items():
        setattr(source, keyword, value)
    replace = (b"7.7777", b"1e400 ") if "RescaleSlope" in window else (b"\x004007", b"\x00NaN ")

    result = deidentify(_reread(source, replace), ALL)

    assert _values(result)[word].max() < TEXT_VALUE
    assert np.array_equal(_values(result)[200:], values[200:])
    assert result.BurnedInAnnotation == "NO"


def test_text_of_little_contrast_beside_a_far_value_goes(
    source: FileDataset, deidentify: Deidentify
) -> None:
    word, values = _word(), _noise()
    values[word] += 1500
    values[240:250, 240:250] = 65_000
    _set_pixels(source, values, stored=16)

    result = deidentify(_reread(source), ALL)

    assert _values(result)[word].max() < 1500


@pytest.mark.parametrize("is_overlay", [True, False])
def test_text_in_the_bits_above_a_value_goes(
    source: FileDataset, deidentify: Deidentify, *, is_overlay: bool
) -> None:
    word, values = _word(), _noise()
    values[word] |= HIDDEN_BIT
    _set_pixels(source, values)
    if is_overlay:
        for element, vr, value in (
            (0x10, "US", 256),
            (0x11, "US", 256),
            (0x40, "CS", "G"),
            (0x50, "SS", [1, 1]),
            (0x100, "US", 16),
            (0x102, "US", 12),
        ):
            source.add_new((0x6000, element), vr, value)

    result = deidentify(_reread(source), ALL)

    assert not (_values(result)[word] & HIDDEN_BIT).any()
    assert (0x6000, 0x10) not in result


def test_a_big_endian_picture_is_redacted_like_any_other(
    source: FileDataset, deidentify: Deidentify
) -> None:
    word, values = _word(), _noise()
    values[word] = TEXT_VALUE
    _set_pixels(source, values.astype(">u2"))
    source.file_meta.TransferSyntaxUID = UID(BIG_ENDIAN)
    source.add_new("RedPaletteColorLookupTableDescriptor", "US", [2, 0, 16])
    source.RedPaletteColorLookupTableData = np.array([1, 2], ">u2").tobytes()
    content = io.BytesIO()
    dcmwrite(content, source, little_endian=False, implicit_vr=False, enforce_file_format=True)

    keep = {"dicom": {"filterProfile": "KEEP_ALL_PROFILE"}}
    result = deidentify(dcmread(io.BytesIO(content.getvalue())), {**ALL, **keep})
    again = _reread(result)

    assert again.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    assert again.Rows == 256
    assert again.RedPaletteColorLookupTableData == np.array([1, 2], "<u2").tobytes()
    assert again.RedPaletteColorLookupTableDescriptor == [2, 0, 16]
    assert _values(again)[word].max() < TEXT_VALUE
    assert np.array_equal(_values(again)[200:], values[200:])


def test_a_frame_that_is_not_counted_is_removed(
    source: FileDataset, deidentify: Deidentify
) -> None:
    word, values = _word(), _noise()
    values[word] = TEXT_VALUE
    _set_pixels(source, np.stack([_noise(), values]))

    result = deidentify(_reread(source), ALL)

    assert np.array_equal(_values(result), _noise())


def test_pixels_that_are_not_integers_are_left_out(
    source: FileDataset, deidentify: Deidentify
) -> None:
    from emulator.services.healthcare.deidentify.pixel_redaction import UnreadablePixelsError

    source.FloatPixelData = np.zeros((4, 4), "<f4").tobytes()
    with pytest.raises(UnreadablePixelsError, match="FloatPixelData"):
        deidentify(source, ALL)


def test_an_icon_of_a_nested_data_set_goes(picture: FileDataset, deidentify: Deidentify) -> None:
    item = Dataset()
    item.IconImageSequence = [Dataset()]
    picture.SourceImageSequence = [item]

    keep = {"dicom": {"filterProfile": "KEEP_ALL_PROFILE"}}
    result = deidentify(picture, {**ALL, **keep})

    assert "IconImageSequence" not in result.SourceImageSequence[0]
