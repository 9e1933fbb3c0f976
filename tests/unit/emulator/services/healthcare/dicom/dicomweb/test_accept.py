"""Accept headers: wildcards, parts, transfer syntaxes, and what is preferred to what."""

import pytest

from emulator.core.errors import ApiError
from emulator.services.healthcare.dicom.dicomweb import accept
from emulator.services.healthcare.dicom.dicomweb.accept import Representation

FILE = [Representation("application/dicom")]
PICTURES = [Representation("image/jpeg"), Representation("image/png")]
MODELS = [
    Representation("application/dicom+json", parts=False),
    Representation("application/dicom+xml"),
]


@pytest.mark.parametrize(
    ("header", "media_type", "parts", "syntax"),
    [
        (None, "application/dicom", False, ""),
        ("*/*", "application/dicom", False, ""),
        ("application/dicom; transfer-syntax=*", "application/dicom", False, "*"),
        ('multipart/related; type="application/dicom"', "application/dicom", True, ""),
        (
            "multipart/related; type=application/dicom; transfer-syntax=1.2.840.10008.1.2.1, */*",
            "application/dicom",
            True,
            "1.2.840.10008.1.2.1",
        ),
    ],
)
def test_files(header: str | None, media_type: str, parts: bool, syntax: str) -> None:
    chosen = accept.choose(header, FILE)
    assert (chosen.media_type, chosen.multipart, chosen.transfer_syntax) == (
        media_type,
        parts,
        syntax,
    )


@pytest.mark.parametrize(
    ("header", "media_type", "parts"),
    [
        ("*/*", "application/dicom+json", False),
        ("application/*", "application/dicom+json", False),
        ("application/dicom+xml", "application/dicom+xml", False),
        ('multipart/related; type="application/dicom+xml"', "application/dicom+xml", True),
        ("multipart/related", "application/dicom+xml", True),
        ("multipart/*", "application/dicom+xml", True),
        (
            "multipart/related; type=application/dicom+xml; q=0.9, application/dicom+json",
            "application/dicom+json",
            False,
        ),
        (
            "application/dicom+json;q=0.2, multipart/related;type=application/dicom+xml;q=0.5",
            "application/dicom+xml",
            True,
        ),
        # A range that names an offer more closely decides on it, whatever a wildcard says.
        ("application/dicom+json;q=0.2, */*;q=0.8", "application/dicom+xml", False),
        ("application/dicom+json;q=0, */*", "application/dicom+xml", False),
        ("APPLICATION/DICOM+JSON; Q=0.4", "application/dicom+json", False),
    ],
)
def test_models(header: str, media_type: str, parts: bool) -> None:
    chosen = accept.choose(header, MODELS)
    assert (chosen.media_type, chosen.multipart) == (media_type, parts)


@pytest.mark.parametrize(
    ("header", "media_type"),
    [
        ("image/png;q=0.5, image/jpeg", "image/jpeg"),
        ("image/jpeg;q=0.5, image/png", "image/png"),
        ("image/jpeg;q=0, image/*", "image/png"),
        ("image/png;q=half", "image/png"),
    ],
)
def test_pictures(header: str, media_type: str) -> None:
    assert accept.choose(header, PICTURES).media_type == media_type


@pytest.mark.parametrize(
    "header",
    [
        "text/html",
        "application/dicom+json;q=0",
        "*/*;q=0",
        'multipart/related; type="application/dicom+json"',
    ],
)
def test_what_is_not_served_is_refused(header: str) -> None:
    with pytest.raises(ApiError, match=r"Served here: application/dicom\+json") as caught:
        accept.choose(header, MODELS)
    assert caught.value.code == 406


def test_all_choices_come_in_the_order_of_preference() -> None:
    header = (
        "multipart/related; type=application/dicom; transfer-syntax=1.2.3; q=0.5,"
        " application/dicom; transfer-syntax=*; q=0.4, application/dicom; transfer-syntax=1.2.4"
    )
    found = accept.choices(header, FILE)
    assert [one.transfer_syntax for one in found] == ["1.2.4", "1.2.3", "*"]


@pytest.mark.parametrize(
    ("header", "parts"),
    [
        (None, True),
        ("*/*", True),
        ("text/html, */*;q=0.1", True),
        ("application/dicom, */*;q=0.1", False),
        ("application/dicom;q=0.1, */*", False),
        ("application/*", False),
        ('multipart/related; type="application/dicom", */*;q=0.1', True),
        ("multipart/related", True),
    ],
)
def test_only_a_wildcard_asks_for_the_default_form(header: str | None, parts: bool) -> None:
    offer = Representation("application/dicom", default_parts=True)
    assert accept.choose(header, [offer]).multipart is parts


@pytest.mark.parametrize(
    ("header", "lossy", "order"),
    [
        ("image/jpeg, image/png", {"image/jpeg"}, ["image/png", "image/jpeg"]),
        ("image/jpeg, image/png;q=0.9", {"image/jpeg"}, ["image/jpeg", "image/png"]),
        ("image/png, image/jpeg", set(), ["image/png", "image/jpeg"]),
        # What only a wildcard accepts keeps the order of the offers.
        ("image/*", {"image/jpeg"}, ["image/jpeg", "image/png"]),
        ("*/*", {"image/jpeg"}, ["image/jpeg", "image/png"]),
        ("*/*, image/png", set(), ["image/png", "image/jpeg"]),
    ],
)
def test_of_equal_ranges_those_come_first_that_lose_nothing(
    header: str, lossy: set[str], order: list[str]
) -> None:
    forms = accept.choices(header, PICTURES)
    found = accept.prefer_lossless(forms, lambda form: form.media_type in lossy)
    assert [form.media_type for form in found] == order
