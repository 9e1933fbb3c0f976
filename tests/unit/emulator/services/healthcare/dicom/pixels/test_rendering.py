"""Pictures of frames: windows, sizes, colours, and what can't be shown."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset

from emulator.core.errors import ApiError
from emulator.services.healthcare.dicom.pixels import rendering
from emulator.services.healthcare.dicom.pixels.grayscale import Window
from emulator.services.healthcare.dicom.pixels.rendering import PNG, View


def shown(path: Path, frame: int = 1, how: View | None = None) -> Any:
    return np.asarray(Image.open(io.BytesIO(rendering.render(path, frame, PNG, how))))


@pytest.fixture
def save(make: Any, tmp_path: Path) -> Any:
    def save(**elements: Any) -> Path:
        path = tmp_path / "file.dcm"
        path.write_bytes(make(**elements))
        return path

    return save


def test_frames_are_stretched_where_no_window_is_given(save: Any, pixels: Any) -> None:
    second = shown(save(pixels=pixels), 2)
    assert second.shape == (4, 6)
    assert (second.min(), second.max()) == (0, 255)


def test_windows_and_inversion(save: Any, pixels: Any) -> None:
    window = {"WindowCenter": "12", "WindowWidth": "2"}
    bright = shown(save(pixels=pixels, **window))
    assert (bright.ravel()[:11] == 0).all()
    assert (bright.ravel()[13:] == 255).all()
    dark = shown(save(pixels=pixels, PhotometricInterpretation="MONOCHROME1", **window))
    assert (dark == 255 - bright).all()
    asked = shown(save(pixels=pixels, **window), how=View(window=Window(6, 2)))
    assert (asked.ravel()[7:] == 255).all()
    soft = shown(save(pixels=pixels), how=View(window=Window(12, 10, "SIGMOID")))
    assert soft.ravel()[12] == 127


def test_rescaled_sixteen_bit_values(save: Any) -> None:
    values = np.array([[0, 1000], [2000, 4000]], dtype=np.uint16)
    path = save(pixels=values, RescaleIntercept="-1000", RescaleSlope="1", WindowCenter="500.5",
                WindowWidth="1001")  # fmt: skip
    assert shown(path).tolist() == [[0, 0], [255, 255]]


def test_regions_and_sizes(save: Any, pixels: Any) -> None:
    how = rendering.view({"viewport": "30,30,0,0,3,2"})
    assert shown(save(pixels=pixels), how=how).shape == (20, 30)


@pytest.mark.parametrize(
    "query",
    [
        {"window": "1"},
        {"window": "1,0"},
        {"window": "1,2,cubic"},
        {"viewport": "5"},
        {"viewport": "99999,5"},
        {"viewport": "5,5,0,0,0,1"},
        {"quality": "0"},
        {"quality": "x"},
    ],
)
def test_parameters_that_are_refused(query: dict[str, str]) -> None:
    with pytest.raises(ApiError) as caught:
        rendering.view(query)
    assert caught.value.code == 400


def test_what_has_no_picture(save: Any, pixels: Any) -> None:
    with pytest.raises(ApiError) as caught:
        rendering.render(save(), 1, PNG)
    assert caught.value.code == 400
    with pytest.raises(ApiError) as caught:
        rendering.render(save(pixels=pixels), 3, PNG)
    assert caught.value.code == 404
    with pytest.raises(ApiError) as caught:
        rendering.render(save(pixels=pixels, BitsAllocated=16, BitsStored=16), 1, PNG)
    assert caught.value.code == 406


@pytest.mark.parametrize("sequence", ["ModalityLUTSequence", "VOILUTSequence"])
def test_a_lookup_table_without_values_is_passed_over(
    save: Any, pixels: Any, sequence: str
) -> None:
    plain = shown(save(pixels=pixels))
    table = Dataset()
    table.LUTDescriptor = [256, 0, 8]
    for tables in ([table], [Dataset()], []):
        assert np.array_equal(shown(save(pixels=pixels, **{sequence: tables})), plain)


def test_a_lookup_table_is_applied(save: Any) -> None:
    values = np.array([[0, 1], [2, 3]], dtype=np.uint8)
    table = Dataset()
    table.LUTDescriptor = [4, 0, 8]
    table.add_new("LUTData", "OW", b"\3\0\2\0\1\0\0\0")
    for sequence in ("ModalityLUTSequence", "VOILUTSequence"):
        assert shown(save(pixels=values, **{sequence: [table]})).tolist() == [[255, 170], [85, 0]]


def test_a_palette_that_is_absent_is_named(save: Any, pixels: Any) -> None:
    with pytest.raises(ApiError, match="palette") as caught:
        rendering.render(save(pixels=pixels, PhotometricInterpretation="PALETTE COLOR"), 1, PNG)
    assert caught.value.code == 406


@pytest.mark.parametrize(
    "elements",
    [
        {"WindowCenter": "", "WindowWidth": ""},
        {"WindowWidth": "400"},
        {"WindowCenter": "", "WindowWidth": "400"},
        {"WindowCenter": "40", "WindowWidth": "0"},
        {"WindowCenter": "40", "WindowWidth": "3,5"},
        {"WindowCenter": "40", "WindowWidth": "NaN"},
        {"WindowCenter": "1e400", "WindowWidth": "400"},
        {"RescaleSlope": "", "RescaleIntercept": ""},
        {"RescaleSlope": "1e400", "RescaleIntercept": "x"},
        {"NumberOfFrames": "0"},
        {"NumberOfFrames": "1a"},
        {"PerFrameFunctionalGroupsSequence": [], "SharedFunctionalGroupsSequence": [Dataset()]},
    ],
)
def test_attributes_that_are_empty_or_unreadable_are_passed_over(
    save: Any, elements: dict[str, Any]
) -> None:
    values = np.arange(24, dtype=np.uint8).reshape(4, 6)
    plain = shown(save(pixels=values))
    raw = {key: as_raw(key, value) for key, value in elements.items() if isinstance(value, str)}
    path = save(pixels=values, **{key: value for key, value in elements.items() if key not in raw})
    dataset = pydicom.dcmread(path)
    dataset.update({element.tag: element for element in raw.values()})
    dataset.save_as(path)
    assert np.array_equal(shown(path), plain)


def as_raw(keyword: str, value: str) -> RawDataElement:
    """Return an element of any text, which pydicom writes as it is."""
    tag, content = pydicom.tag.Tag(keyword), f"{value} "[: len(value) + len(value) % 2].encode()
    vr = pydicom.datadict.dictionary_VR(tag)
    return RawDataElement(tag, vr, len(content), content, 0, False, True)


def test_the_first_window_that_can_be_read_is_used(save: Any, pixels: Any) -> None:
    expected = shown(save(pixels=pixels, WindowCenter="12", WindowWidth="4"))
    several = save(pixels=pixels, WindowCenter=["", "12", "1"], WindowWidth=["", "4", "2"])
    assert np.array_equal(shown(several), expected)


def test_a_slope_alone_rescales(save: Any, pixels: Any) -> None:
    window = {"WindowCenter": "12.5", "WindowWidth": "5"}
    expected = shown(save(pixels=pixels, RescaleSlope="2", RescaleIntercept="0", **window))
    alone = save(pixels=pixels, RescaleSlope="2", RescaleIntercept="", **window)
    assert np.array_equal(shown(alone), expected)


def in_group(keyword: str, **elements: Any) -> Dataset:
    """Return an item of a functional group."""
    inner, outer = Dataset(), Dataset()
    for name, value in elements.items():
        setattr(inner, name, value)
    setattr(outer, keyword, [inner])
    return outer


def test_functional_groups_say_how_each_frame_is_shown(save: Any) -> None:
    one = np.arange(256, dtype=np.uint16).reshape(16, 16) * 16
    windows = [(40, 400), (1000, 4000)]
    path = save(
        pixels=np.stack([one, one]),
        SharedFunctionalGroupsSequence=[
            in_group("PixelValueTransformationSequence", RescaleSlope="1", RescaleIntercept="-1024")
        ],
        PerFrameFunctionalGroupsSequence=[
            in_group("FrameVOILUTSequence", WindowCenter=str(center), WindowWidth=str(width))
            for center, width in windows
        ],
    )

    def expected(center: float, width: float) -> Any:
        shade = ((one - 1024.0 - (center - 0.5)) / (width - 1) + 0.5) * 255
        return np.clip(shade, 0, 255).astype(int)

    for frame, window in enumerate(windows, start=1):
        assert abs(shown(path, frame).astype(int) - expected(*window)).max() <= 1
    asked = shown(path, 2, View(window=Window(0, 200))).astype(int)
    assert abs(asked - expected(0, 200)).max() <= 1


def test_values_that_are_not_numbers_are_black(save: Any) -> None:
    path = save(pixels=np.zeros((2, 2), np.uint8))
    dataset = pydicom.dcmread(path)
    del dataset.PixelData
    values = np.array([[np.nan, -np.inf], [1, 3]], "<f4")
    dataset.FloatPixelData = values.tobytes()
    dataset.BitsAllocated = 32
    dataset.save_as(path)
    assert shown(path).tolist() == [[0, 0], [0, 255]]


@pytest.mark.parametrize(
    "query",
    [{"window": "nan,1"}, {"window": "1,inf"}, {"window": "1,nan"}, {"viewport": "inf,1"}],
)
def test_numbers_that_are_none_are_refused(query: dict[str, str]) -> None:
    with pytest.raises(ApiError, match="invalid window, viewport or quality"):
        rendering.view(query)


@pytest.mark.parametrize("window", ["many", "1,2,LINEAR,3", "0,0"])
def test_a_window_of_another_form_is_refused_by_its_form(window: str) -> None:
    with pytest.raises(ApiError, match=r"is not center,width\[,function\]"):
        rendering.view({"window": window})
