"""Pixels in every compressed form that there is a free encoder for."""

import io

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.pixels.utils import pixel_array
from pydicom.uid import (
    JPEG2000,
    UID,
    JPEGBaseline8Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSNearLossless,
    RLELossless,
)

from emulator.services.healthcare.dicom.pixels import decoding, encoding
from emulator.services.healthcare.dicom.pixels.encoding import NotEncodableError

MAY_LOSE = (JPEGLSNearLossless, JPEG2000)
LOSSLESS = sorted(encoding.SYNTAXES - {JPEGBaseline8Bit})
ODD = "of an odd number of bytes"


def plain(name: str) -> pydicom.FileDataset:
    if name == ODD:
        dataset = pydicom.dcmread(str(get_testdata_file("SC_rgb_small_odd.dcm")))
        colours = np.arange(31 * 33 * 3).astype(np.uint8).reshape(31, 33, 3)
        dataset.set_pixel_data(colours, "RGB", 8, generate_instance_uid=False)
        return dataset
    dataset = pydicom.dcmread(str(get_testdata_file(name)))
    if dataset.file_meta.TransferSyntaxUID.is_compressed:
        decoding.decompress(dataset)
    return dataset


def encoded(dataset: pydicom.FileDataset, syntax: UID) -> pydicom.FileDataset:
    """Encode it, write it and read it again."""
    encoding.compress(dataset, syntax)
    buffer = io.BytesIO()
    dataset.save_as(buffer)
    buffer.seek(0)
    read = pydicom.dcmread(buffer)
    assert read.file_meta.TransferSyntaxUID == syntax
    return read


@pytest.mark.parametrize("syntax", LOSSLESS, ids=lambda syntax: syntax.rpartition(".1.2.")[2])
@pytest.mark.parametrize(
    "name",
    [
        "CT_small.dcm",  # 16 bits with signs
        "MR_small.dcm",
        "SC_rgb_rle_2frame.dcm",
        ODD,
        "examples_palette.dcm",
    ],
)
def test_lossless_syntaxes_keep_every_value(name: str, syntax: UID) -> None:
    dataset = plain(name)
    if dataset.PhotometricInterpretation == "PALETTE COLOR" and syntax in MAY_LOSE:
        with pytest.raises(NotEncodableError, match="indexes of a palette"):
            encoding.compress(dataset, syntax)
        return
    if name == ODD and syntax in (JPEGLossless, JPEGLosslessSV1):
        with pytest.raises(NotEncodableError, match="odd number of bytes"):
            encoding.compress(dataset, syntax)
        return
    count = int(dataset.get("NumberOfFrames") or 1)
    before = [pixel_array(dataset, index=index, raw=True) for index in range(count)]
    one = encoding.frame(dataset, count, syntax)
    after = encoded(dataset, syntax)
    for index in range(count):
        assert np.array_equal(pixel_array(after, index=index, raw=True), before[index])
    assert one in after.PixelData  # a frame by itself is encoded alike
    assert "LossyImageCompression" not in after or name == "examples_palette.dcm"


@pytest.mark.parametrize("name", ["examples_rgb_color.dcm", "examples_ybr_color.dcm"])
def test_jpeg_loses_little_and_says_so(name: str) -> None:
    dataset = plain(name)
    count = int(dataset.get("NumberOfFrames") or 1)
    before = dataset.pixel_array.astype(int)
    losses = len(dataset.get("LossyImageCompressionMethod") or [])
    after = encoded(dataset, JPEGBaseline8Bit)
    assert int(after.get("NumberOfFrames") or 1) == count
    assert np.abs(after.pixel_array.astype(int) - before).mean() < 4
    assert (after.LossyImageCompression, after.PhotometricInterpretation) == ("01", "YBR_FULL_422")
    methods = after.LossyImageCompressionMethod
    assert (methods if isinstance(methods, str) else methods[-1]) == "ISO_10918_1"
    assert losses or isinstance(methods, str)


@pytest.mark.parametrize("name", ["SC_rgb_dcmtk_+eb+cy+s2.dcm", "examples_jpeg2k.dcm"])
@pytest.mark.parametrize("syntax", [RLELossless, JPEG2000, JPEGBaseline8Bit])
def test_a_frame_of_an_encoded_instance_has_the_colours_of_its_whole_file(
    name: str, syntax: UID
) -> None:
    stored = pydicom.dcmread(str(get_testdata_file(name)))
    if syntax == stored.file_meta.TransferSyntaxUID:
        return
    assert encoding.frame(stored, 1, syntax) in encoded(plain(name), syntax).PixelData


@pytest.mark.parametrize(
    ("name", "syntax", "reason"),
    [
        ("CT_small.dcm", JPEGBaseline8Bit, "unsigned values of 8 bits"),
        ("examples_palette.dcm", JPEGBaseline8Bit, "indexes of a palette"),
        ("liver_1frame.dcm", RLELossless, "single bits"),
        ("rtdose.dcm", JPEGLSNearLossless, "values of 32 bits are too large"),
        ("rtplan.dcm", RLELossless, "no integer pixel data"),
        ("CT_small.dcm", UID("1.2.840.10008.1.2.4.202"), "no free encoder"),
    ],
)
def test_what_has_no_such_form(name: str, syntax: UID, reason: str) -> None:
    with pytest.raises(NotEncodableError, match=reason):
        encoding.compress(plain(name), syntax)
