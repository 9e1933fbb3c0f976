"""Media types with their parameters."""

import pytest

from emulator.core.media_type import MediaType, parse


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", MediaType("", {})),
        ("Application/DICOM", MediaType("application/dicom", {})),
        (
            'multipart/related; Type="application/dicom"; boundary=a/b',
            MediaType("multipart/related", {"type": "application/dicom", "boundary": "a/b"}),
        ),
        (
            r'text/plain;charset="a;b\"c" ; q=0.5',
            MediaType("text/plain", {"charset": 'a;b"c', "q": "0.5"}),
        ),
        ("a/b; x=1; X=2; y", MediaType("a/b", {"x": "1"})),
        ('a/b; x="open', MediaType("a/b", {"x": '"open'})),
        ("a/b; xtype=1; type=2", MediaType("a/b", {"xtype": "1", "type": "2"})),
    ],
)
def test_a_header_is_read(header: str, expected: MediaType) -> None:
    assert parse(header) == expected
