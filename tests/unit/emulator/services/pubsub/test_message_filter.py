"""The language of filters, apart from subscriptions."""

import pytest

from emulator.core.errors import ApiError
from emulator.services.pubsub import message_filter

MESSAGE = {
    "action": "StoreInstances",
    "modality": "CT",
    "empty": "",
    "iana.org/language_tag": "en",
    "ce-type": 'a "b"\n\u00e9',
}


@pytest.mark.parametrize(
    ("text", "passes"),
    [
        ("", True),
        ("  ", True),
        ('attributes.modality = "CT"', True),
        ('attributes.modality="MR"', False),
        ('attributes.Modality = "CT"', False),
        ('attributes.modality = "ct"', False),
        ('attributes.modality != "CT"', False),
        ('attributes.modality != "MR"', True),
        ("attributes:empty", True),
        ("attributes:missing", False),
        ('attributes:"iana.org/language_tag"', True),
        ('attributes."iana.org/language_tag" = "en"', True),
        (r'attributes.ce-type = "a \"b\"\n\u00e9"', True),
        (r'attributes.ce-type = "a \x22b\042\012\xe9"', True),
        ('hasPrefix(attributes.action, "Store")', True),
        ('hasPrefix(attributes.action, "store")', False),
        ('hasPrefix(attributes.missing, "a")', False),
        ("NOT attributes:missing", True),
        ("-attributes:modality", False),
        ("attributes:action AND attributes:modality AND attributes:empty", True),
        ("attributes:action AND attributes:missing", False),
        ("attributes:missing OR attributes:action", True),
        ("attributes:missing OR (attributes:action AND NOT attributes:modality)", False),
        ("NOT (attributes:missing OR attributes:action)", False),
        ("NOT attributes:missing AND attributes:action", True),
    ],
)
def test_what_passes(text: str, passes: bool) -> None:
    assert message_filter.parse(text)(MESSAGE) is passes


@pytest.mark.parametrize(
    ("text", "token"),
    [
        ("attributes", "its end"),
        ("attributes:", "its end"),
        ("attributes.a", "its end"),
        ('attributes.a = b"', '"'),
        ("attributes.a = b", "b"),
        ('attributes.a == "b"', "="),
        ('attributes.a > "b"', '> "b"'),
        ('data = "x"', "data"),
        ('hasSuffix(attributes.a, "b")', "hasSuffix"),
        ("hasPrefix(attributes.a)", ")"),
        ("attributes:a AND attributes:b OR attributes:c", "OR"),
        ("attributes:a OR attributes:b AND attributes:c", "AND"),
        ("attributes:a and attributes:b", "and"),
        ("attributes:a attributes:b", "attributes"),
        ("(attributes:a", "its end"),
        ("attributes:a)", ")"),
        ("AND", "AND"),
        ("NOT", "its end"),
    ],
)
def test_what_is_no_filter(text: str, token: str) -> None:
    with pytest.raises(ApiError) as refused:
        message_filter.parse(text)

    assert refused.value.code == 400
    assert refused.value.message == f"invalid filter {text!r}: at {token!r}"


def test_a_filter_has_256_bytes_at_most() -> None:
    longest = f'attributes.a = "{"x" * 239}"'
    assert len(longest) == 256
    assert not message_filter.parse(longest)(MESSAGE)

    with pytest.raises(ApiError, match="256 bytes"):
        message_filter.parse(f"{longest} ")
