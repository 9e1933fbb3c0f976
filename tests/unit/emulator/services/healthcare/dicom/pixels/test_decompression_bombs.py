"""Files that are small and claim to be very large, and others that pydicom fails on."""

import struct
import zlib
from pathlib import Path

import pytest
from pydicom.uid import DeflatedExplicitVRLittleEndian

from emulator.services.healthcare.dicom.parsing.parser import MAX_INFLATED_BYTES, ParseError, parse
from tests.support.dicom_files import make_dicom


def deflated(zeros: int) -> bytes:
    """A deflated file whose data set ends in so many bytes."""
    good = make_dicom(syntax=DeflatedExplicitVRLittleEndian)
    begin = 144 + int.from_bytes(good[140:144], "little")
    plain = zlib.decompress(good[begin:], -zlib.MAX_WBITS)
    deflater = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    plain += b"\xe0\x7f\x10\0OB\0\0" + zeros.to_bytes(4, "little") + bytes(zeros)
    return good[:begin] + deflater.compress(plain) + deflater.flush()


def test_what_inflates_to_very_much_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.dcm"
    path.write_bytes(deflated(MAX_INFLATED_BYTES))

    with pytest.raises(ParseError, match=f"inflates to over {MAX_INFLATED_BYTES} bytes"):
        parse(path)


def test_what_inflates_to_something_is_read(tmp_path: Path) -> None:
    path = tmp_path / "deflated.dcm"
    path.write_bytes(deflated(1 << 20))

    assert parse(path).sop_uid == "1.2.3.4.5"


def test_a_damaged_stream_is_named_as_such(tmp_path: Path) -> None:
    path = tmp_path / "damaged.dcm"
    good = deflated(1 << 10)
    path.write_bytes(good[:-20] + b"\xff" * 20)

    with pytest.raises(ParseError):
        parse(path)


def test_a_transfer_syntax_that_is_half_a_number_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "half.dcm"
    path.write_bytes(make_dicom().replace(b"\2\0\x10\0UI", b"\2\0\x10\0FD"))

    with pytest.raises(ParseError, match="BytesLengthException"):
        parse(path)


def test_a_sequence_that_ends_within_an_item_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "item.dcm"
    opened = struct.pack("<HH2sHI", 0x0040, 0x0275, b"SQ", 0, 0xFFFFFFFF)
    path.write_bytes(make_dicom() + opened + b"\xfe\xff")

    with pytest.raises(ParseError, match="can't be decoded"):
        parse(path)


def test_an_error_of_the_disk_is_no_error_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        parse(tmp_path / "none.dcm")
