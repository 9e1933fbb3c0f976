"""Files that are small and claim to be very large."""

import zlib
from pathlib import Path

import pytest
from pydicom.uid import DeflatedExplicitVRLittleEndian

from emulator.healthcare.dicom.parsing import MOST_INFLATED_BYTES, ParseError, parse
from tests.unit.emulator.healthcare.dicom.conftest import make_dicom


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
    path.write_bytes(deflated(MOST_INFLATED_BYTES))

    with pytest.raises(ParseError, match=f"inflates to over {MOST_INFLATED_BYTES} bytes"):
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
