"""Addresses of the API in a stream."""

from hypothesis import given
from hypothesis import strategies as st

from workloads.gateway.rewriting import Replacer

OLD, NEW = b"aab", b"<new>"


@given(st.lists(st.text("ab", max_size=5).map(str.encode), max_size=12))
def test_a_text_is_replaced_wherever_the_chunks_part_it(chunks: list[bytes]) -> None:
    replacer = Replacer(OLD, NEW)
    out = b"".join(replacer.feed(chunk) for chunk in chunks) + replacer.end()
    assert out == b"".join(chunks).replace(OLD, NEW)
