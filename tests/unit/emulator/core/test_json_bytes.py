"""Bytes in JSON."""

import pytest

from emulator.core.json_bytes import decode_bytes, encode_bytes


@pytest.mark.parametrize("text", ["-_8=", "+/8=", "-_8", "+/8"])
def test_both_alphabets_are_read_with_padding_or_without(text: str) -> None:
    assert decode_bytes(text) == b"\xfb\xff"


def test_bytes_are_written_in_the_standard_alphabet() -> None:
    assert encode_bytes(b"\xfb\xff") == "+/8="
    assert decode_bytes(encode_bytes(b"")) == b""


@pytest.mark.parametrize("text", ["a", "a b=", "é", "$$$$"])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        decode_bytes(text)
