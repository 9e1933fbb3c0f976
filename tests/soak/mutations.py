"""DICOM files damaged on purpose: each mutator takes a good file and gives a bad one."""

import random
import struct
import warnings
import zlib
from collections.abc import Callable
from functools import cache
from itertools import islice
from pathlib import Path

import numpy as np
import pydicom.data
from pydicom.uid import DeflatedExplicitVRLittleEndian, JPEGBaseline8Bit

from emulator.seed import dicom_file, records
from tests.support.dicom_files import make_dicom

Mutator = Callable[[random.Random, bytes], bytes]

_NAMES = (
    "CT_small.dcm",
    "ExplVR_BigEnd.dcm",
    "JPEG2000.dcm",
    "JPEG-lossy.dcm",
    "MR_small_RLE.dcm",
    "MR_small_implicit.dcm",
    "SC_rgb_jpeg_dcmtk.dcm",
    "SC_rgb_rle_2frame.dcm",
    "UN_sequence.dcm",
    "badVR.dcm",
    "image_dfl.dcm",
    "nested_priv_SQ.dcm",
    "reportsi.dcm",
    "rtdose_rle.dcm",
    "rtplan.dcm",
    "test-SR.dcm",
)
_EXPLICIT_VRS = (
    b"AE AS AT CS DA DS DT FD FL IS LO LT OB OD OF OL OV OW PN SH SL SQ SS ST SV TM UC UI UL UN UR "
    b"US UT UV ZZ \x00\x00 \xff\xff"
).split()
_LONG_VRS = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
_LENGTHS = (0, 1, 3, 0x7FFF, 0x8000, 0xFFFE, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)
_SYNTAXES = (
    b"1.2.840.10008.1.2",
    b"1.2.840.10008.1.2.1",
    b"1.2.840.10008.1.2.1.99",
    b"1.2.840.10008.1.2.2",
    b"1.2.840.10008.1.2.4.50",
    b"1.2.840.10008.1.2.4.70",
    b"1.2.840.10008.1.2.4.80",
    b"1.2.840.10008.1.2.4.90",
    b"1.2.840.10008.1.2.4.102",
    b"1.2.840.10008.1.2.5",
    b"1.2.3",
    b"../../../etc/passwd",
    b"",
    b"\xff" * 32,
    b"1.2.840.10008.1.2.1\\1.2.840.10008.1.2",
)
_CHARSETS = (
    b"ISO_IR 192",
    b"GB18030",
    b"\\ISO 2022 IR 87",
    b"ISO 2022 IR 87\\ISO 2022 IR 149",
    b"rot13",
    b"zlib",
    b"punycode",
    b"idna",
    b"unicode_escape",
    b"../../../x",
    b"\\\\\\",
    b"\x00\xff",
)
_VALUES = (
    b"../../../../tmp/escaped",
    b"1.2.3/../../..",
    b"1.2.3\x00.4",
    b"1.2\n3",
    b"1.2.3%2F..",
    b"9" * 10_000,
    b"1." * 5_000 + b"1",
    b"",
    b" ",
    b"\\" * 3_000,
    b"\xff\xfe\x00\x1b$B",
    b"NaN",
    b"1e999",
    b"99999999",
    b"'; DROP TABLE dicom_instances; --",
    b"$INSTANCE/bulkdata/7FE00010",
    b'"BulkDataURI":"$INSTANCE/',
)
_UID_TAGS = ((8, 0x16), (8, 0x18), (0x20, 0xD), (0x20, 0xE), (2, 2), (2, 3))
_TAGS = (
    *_UID_TAGS,
    (8, 5),
    (8, 0x20),
    (8, 0x60),
    (0x10, 0x10),
    (0x10, 0x20),
    (0x28, 2),
    (0x28, 4),
    (0x28, 8),
    (0x28, 0x10),
    (0x28, 0x11),
    (0x28, 0x100),
    (0x28, 0x101),
    (0x28, 0x103),
    (0x28, 0x1050),
    (0x28, 0x1051),
    (0x28, 0x1052),
    (0x28, 0x3000),
    (0x7FE0, 0x10),
    (2, 0),
    (2, 1),
    (2, 0x10),
)


@cache
def good_files() -> tuple[bytes, ...]:
    """Whole files of many kinds, all small."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom would fetch what is not installed
        paths = [pydicom.data.get_testdata_file(name, download=False) for name in _NAMES]
    found = [Path(str(path)).read_bytes() for path in paths if path]
    assert len(found) > len(_NAMES) / 2
    seeded = [dicom_file.build(one) for one in islice(records.load(), 1)]
    pixels = np.arange(2 * 8 * 8, dtype=np.uint16).reshape(2, 8, 8)
    return (*found, *seeded, make_dicom(pixels=pixels, PatientName="Good^File"))


def mutate(draw: random.Random) -> tuple[str, bytes]:
    """Return a damaged file, and a description of the damage."""
    content = draw.choice(good_files())
    done = []
    for _ in range(draw.choice((1, 1, 1, 2, 3))):
        mutator = draw.choice(MUTATORS)
        content = mutator(draw, content)
        done.append(mutator.__name__.strip("_"))
    return "+".join(done), content


def _elements(content: bytes) -> list[int]:
    """Where something lies that looks like an element with an explicit VR."""
    vrs = {*_EXPLICIT_VRS[:34]}
    return [at for at in range(132, len(content) - 8, 2) if content[at + 4 : at + 6] in vrs]


def _value(content: bytes, at: int) -> tuple[int, int, int]:
    """Where an element's length lies, how long that is, and where its value begins."""
    if content[at + 4 : at + 6] in _LONG_VRS:
        return at + 8, 4, at + 12
    return at + 6, 2, at + 8


def _bits(draw: random.Random, content: bytes) -> bytes:
    damaged = bytearray(content)
    for _ in range(draw.choice((1, 2, 8, 64))):
        damaged[draw.randrange(len(damaged))] ^= 1 << draw.randrange(8)
    return bytes(damaged)


def _header_bits(draw: random.Random, content: bytes) -> bytes:
    damaged = bytearray(content)
    end = min(len(damaged), 1500)
    for _ in range(draw.choice((1, 2, 8))):
        if end > 128:
            damaged[draw.randrange(128, end)] = draw.randrange(256)
    return bytes(damaged)


def _truncation(draw: random.Random, content: bytes) -> bytes:
    return content[: draw.randrange(len(content) + 1)] or b"\0"


def _length(draw: random.Random, content: bytes) -> bytes:
    found = _elements(content)
    if not found:
        return content
    at, size, _ = _value(content, draw.choice(found))
    length = draw.choice((*_LENGTHS, draw.randrange(1 << 32)))
    order = draw.choice(("little", "big"))
    given = (length & ((1 << 8 * size) - 1)).to_bytes(size, order)  # type: ignore[arg-type]
    return content[:at] + given + content[at + size :]


def _vr(draw: random.Random, content: bytes) -> bytes:
    found = _elements(content)
    if not found:
        return content
    at = draw.choice(found)
    return content[: at + 4] + draw.choice(_EXPLICIT_VRS)[:2].ljust(2, b"\0") + content[at + 6 :]


def _set(content: bytes, tag: tuple[int, int], value: bytes) -> bytes:
    """Replace the value of an element of a little-endian file, with its length."""
    value += b"\0" * (len(value) % 2)
    found = content.find(struct.pack("<HH", *tag), 128)
    if found < 0 or found + 12 > len(content):
        return content
    at, size, begin = _value(content, found)
    length = int.from_bytes(content[at : at + size], "little")
    if len(value) >= 1 << 8 * size:
        value = value[: (1 << 8 * size) - 2]
    return content[:at] + len(value).to_bytes(size, "little") + value + content[begin + length :]


def _uid(draw: random.Random, content: bytes) -> bytes:
    return _set(content, draw.choice(_UID_TAGS), draw.choice(_VALUES))


def _any_value(draw: random.Random, content: bytes) -> bytes:
    value = draw.choice((*_VALUES, draw.randbytes(draw.choice((1, 2, 4, 40)))))
    return _set(content, draw.choice(_TAGS), value)


def _numbers(draw: random.Random, content: bytes) -> bytes:
    """Make pixels be far more, or far fewer, than there are."""
    tag = draw.choice(((0x28, 2), (0x28, 0x10), (0x28, 0x11), (0x28, 0x100), (0x28, 0x101)))
    value: bytes = struct.pack("<H", draw.choice((0, 1, 3, 7, 64, 0x7FFF, 0xFFFF)))
    if draw.random() < 0.3:
        tag, value = (0x28, 8), draw.choice((b"0", b"-1", b"1e9", b"2147483647", b"1\\2", b"x"))
    return _set(content, tag, value)


def _charset(draw: random.Random, content: bytes) -> bytes:
    value = draw.choice(_CHARSETS)
    changed = _set(content, (8, 5), value)
    if changed is content:
        value += b" " * (len(value) % 2)
        changed = _inserted(content, struct.pack("<HH2sH", 8, 5, b"CS", len(value)) + value)
    return _set(changed, (0x10, 0x10), b"\x1b$B;3ED\x1b(B^\xff\xfe=\x1b$)C\xfb\xf3=\x80")


def _group_2_end(content: bytes) -> int:
    if len(content) < 144 or content[132:136] != b"\2\0\0\0":
        return min(132, len(content))
    return min(144 + int.from_bytes(content[140:144], "little"), len(content))


def _inserted(content: bytes, element: bytes) -> bytes:
    """Put an element in front of the data set."""
    end = _group_2_end(content)
    return content[:end] + element + content[end:]


def _nested(draw: random.Random, content: bytes) -> bytes:
    depth = draw.choice((10, 16, 40, 150, 400, 1_500, 5_000))
    undefined = draw.random() < 0.8
    opened, item = b"\x08\0\x40\x11SQ\0\0\xff\xff\xff\xff", b"\xfe\xff\0\xe0\xff\xff\xff\xff"
    closed = b"\xfe\xff\x0d\xe0\0\0\0\0\xfe\xff\xdd\xe0\0\0\0\0"
    end = closed * depth if undefined else b""
    return _inserted(content, (opened + item) * depth + end)


def _many(draw: random.Random, content: bytes) -> bytes:
    """Very many elements, or items."""
    count = draw.choice((500, 3_000))
    if draw.random() < 0.5:
        items = b"\xfe\xff\0\xe0\0\0\0\0" * count
        return _inserted(content, b"\x08\0\x40\x11SQ\0\0" + struct.pack("<I", len(items)) + items)
    return _inserted(
        content, b"".join(struct.pack("<HH2sH", 9, n, b"LO", 2) + b"x " for n in range(count))
    )


def _duplicate(draw: random.Random, content: bytes) -> bytes:
    found = _elements(content)
    if len(found) < 2:
        return content
    begin, target = draw.choice(found), draw.choice(found)
    end = next((at for at in found if at > begin), len(content))
    return content[:target] + content[begin:end] + content[target:]


def _removal(draw: random.Random, content: bytes) -> bytes:
    found = _elements(content)
    if len(found) < 2:
        return content
    begin = draw.choice(found)
    end = next((at for at in found if at > begin), len(content))
    return content[:begin] + content[end:]


def _syntax(draw: random.Random, content: bytes) -> bytes:
    return _set(content, (2, 0x10), draw.choice(_SYNTAXES))


def _group_2(draw: random.Random, content: bytes) -> bytes:
    end = _group_2_end(content)
    choice = draw.randrange(4)
    if choice == 0:
        return content[:128] + content[end:]
    if choice == 1:
        return content[:132] + content[end:]
    if choice == 2:
        return _set(content, (2, 0), struct.pack("<I", draw.choice(_LENGTHS)))
    return content[: draw.randrange(132, max(end, 133))] + content[end:]


def _bomb(draw: random.Random, content: bytes) -> bytes:
    """A few kilobytes that inflate to very many."""
    end = _group_2_end(content)
    deflater = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    size = draw.choice((1, 20, 200)) << 20
    body = deflater.compress(content[end:] + struct.pack("<HH2sHI", 0x7FE1, 16, b"OB", 0, size))
    for _ in range(size >> 20):
        body += deflater.compress(b"\0" * (1 << 20))
    body += deflater.flush()
    return _set(content[:end], (2, 0x10), DeflatedExplicitVRLittleEndian.encode()) + body


def _pixels(draw: random.Random, content: bytes) -> bytes:
    """Encoded pixels that are none, or whose header promises a huge picture."""
    start = b"\xff\xd8\xff\xc0\0\x0b\x08\xff\xff\xff\xff\x01\x01\x11\0\xff\xd9"
    fragment = draw.choice((start, b"\xff\x4f\xff\x51" + b"\xff" * 60, draw.randbytes(64), b""))
    fragment += b"\0" * (len(fragment) % 2)
    encoded = b"\xe0\x7f\x10\0OB\0\0\xff\xff\xff\xff\xfe\xff\0\xe0\0\0\0\0"
    encoded += b"\xfe\xff\0\xe0" + struct.pack("<I", len(fragment)) + fragment
    at = content.find(b"\xe0\x7f\x10\0", 132)
    before = content[:at] if at > 0 else content
    syntax = draw.choice((JPEGBaseline8Bit.encode(), *_SYNTAXES[4:10]))
    return _set(before, (2, 0x10), syntax) + encoded + b"\xfe\xff\xdd\xe0\0\0\0\0"


MUTATORS: tuple[Mutator, ...] = (
    _bits,
    _header_bits,
    _header_bits,
    _truncation,
    _length,
    _length,
    _vr,
    _vr,
    _uid,
    _any_value,
    _any_value,
    _numbers,
    _numbers,
    _charset,
    _nested,
    _many,
    _duplicate,
    _removal,
    _syntax,
    _group_2,
    _bomb,
    _pixels,
)
