"""The fast reader returns what pydicom returns, and leaves other files to it."""

import io
import random
from pathlib import Path
from struct import pack

import pydicom
import pydicom.data
import pytest
from pydicom.data import get_testdata_file
from pydicom.dataelem import RawDataElement
from pydicom.filebase import DicomBytesIO
from pydicom.uid import ExplicitVRBigEndian, ImplicitVRLittleEndian, JPEGBaseline8Bit

from emulator.services.healthcare.dicom.parsing import explicit_vr_reader
from emulator.services.healthcare.dicom.parsing.pydicom_errors import PARSE_ERRORS, translate_errors
from tests.support.dicom_files import make_dicom

SEED = 405
MUTATIONS = 400


def _same(content: bytes) -> bool:
    """Compare with what pydicom reads, if the file is plain; gives whether it is."""
    found = explicit_vr_reader.read_explicit_vr_le(content)
    if found is None:
        return False
    known = pydicom.dcmread(io.BytesIO(content))
    read = dict(found.items())
    assert {*read} == {*known.keys()}
    for tag, element in known.items():  # of which pydicom has converted some
        mine = read[tag] if isinstance(element, RawDataElement) else found[tag]
        assert mine == element
    assert found.original_character_set == known.original_character_set
    assert found.original_encoding == known.original_encoding
    assert list(found.file_meta) == list(known.file_meta)
    return True


def _files() -> list[Path]:
    root = Path(pydicom.data.__file__).parent
    return [path for path in sorted(root.rglob("*.dcm")) if path.stat().st_size < 1 << 17]


def test_every_file_that_comes_with_pydicom() -> None:
    plain = sum(_same(path.read_bytes()) for path in _files())
    assert plain >= 20


@pytest.mark.filterwarnings("ignore:Unknown encoding")
def test_damaged_files() -> None:
    draw, plain = random.Random(SEED), 0
    files = [content for path in _files() if _same(content := path.read_bytes())]
    for _ in range(MUTATIONS):
        damaged = bytearray(draw.choice(files))
        for _ in range(draw.choice([1, 1, 3, 10])):
            damaged[draw.randrange(132, len(damaged))] = draw.randrange(256)
        try:
            with translate_errors():
                explicit_vr_reader.read_explicit_vr_le(bytes(damaged))
        except PARSE_ERRORS:
            continue  # so says pydicom of the character set
        plain += _same(bytes(damaged))
    assert plain > MUTATIONS / 4


@pytest.mark.parametrize("cut", range(1, 200, 7))
def test_what_is_cut_off_is_not_plain(cut: int) -> None:
    content = make_dicom()
    assert explicit_vr_reader.read_explicit_vr_le(content) is not None
    assert explicit_vr_reader.read_explicit_vr_le(content[:-cut]) is None or content[
        :-cut
    ].endswith(b"1.2.3.4")


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian])
def test_other_encodings_are_left_to_pydicom(syntax: str) -> None:
    assert explicit_vr_reader.read_explicit_vr_le(make_dicom(syntax=syntax)) is None


def test_an_encoding_that_is_not_what_it_says_is_left_to_pydicom() -> None:
    content = make_dicom()
    for syntax in (ImplicitVRLittleEndian, ExplicitVRBigEndian):
        other = f"{syntax}\0".encode()[:20].ljust(20, b"\0")
        assert (
            explicit_vr_reader.read_explicit_vr_le(content.replace(b"1.2.840.10008.1.2.1\0", other))
            is None
        )


@pytest.mark.parametrize(
    "element",
    [
        pack("<HH2sHL", 0x0008, 0x1140, b"SQ", 0, 0xFFFFFFFF) + pack("<HHL", 0xFFFE, 0xE0DD, 0),
        pack("<HH2sH", 0x0009, 0x0001, b"??", 0),
        pack("<HHL", 0xFFFE, 0xE00D, 0),
        pack("<HH2sH", 0x0000, 0x0100, b"US", 2) + b"\1\0",
        pack("<HH2sH", 0x0002, 0x0016, b"AE", 2) + b"AB",
        pack("<HH2sHL", 0x0009, 0x0001, b"UN", 0, 1000),
        pack("<HH2sH", 0x0009, 0x0001, b"OB", 0),
        b"\0",
    ],
    ids=["undefined", "no-vr", "item", "command", "late-meta", "too-long", "no-length", "rest"],
)
def test_what_is_odd_is_left_to_pydicom(element: bytes) -> None:
    assert explicit_vr_reader.read_explicit_vr_le(make_dicom() + element) is None


def test_compressed_pixels_have_no_defined_length() -> None:
    assert (
        explicit_vr_reader.read_explicit_vr_le(
            Path(str(get_testdata_file("JPGExtended.dcm"))).read_bytes()
        )
        is None
    )


def test_without_a_syntax_or_a_data_set() -> None:
    meta = DicomBytesIO()
    assert explicit_vr_reader.read_explicit_vr_le(b"\0" * 128 + b"DICM" + meta.getvalue()) is None
    content = make_dicom()
    assert (
        explicit_vr_reader.read_explicit_vr_le(
            content[:132] + content[content.index(b"\x08\0\x16\0UI") :]
        )
        is None
    )
    assert (
        explicit_vr_reader.read_explicit_vr_le(content[: content.index(b"\x08\0\x16\0UI")]) is None
    )


@pytest.mark.parametrize(
    ("sound", "odd"),
    [
        (b"\2\0\0\0UL\4\0", b"\2\0\0\0LO\4\0"),
        (b"\2\0\0\0UL\4\0", b"\2\0\5\0UL\4\0"),
        (b"\2\0\x10\0UI", b"\2\0\x10\0LO"),
    ],
    ids=["length-of-another-vr", "no-length", "syntax-of-another-vr"],
)
def test_odd_meta_information_is_left_to_pydicom(sound: bytes, odd: bytes) -> None:
    content = make_dicom()
    assert content.count(sound) == 1
    assert explicit_vr_reader.read_explicit_vr_le(content.replace(sound, odd)) is None


def test_a_private_syntax_is_left_to_pydicom() -> None:
    content = make_dicom().replace(b"1.2.840.10008.1.2.1\0", b"1.2.999.10008.1.2.1\0")
    assert explicit_vr_reader.read_explicit_vr_le(content) is None
    assert explicit_vr_reader.read_explicit_vr_le(make_dicom(syntax=JPEGBaseline8Bit)) is not None
