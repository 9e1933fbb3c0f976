"""Accept headers: wildcards, parts, transfer syntaxes, and what is preferred to what."""

import pytest

from emulator.errors import ApiError
from emulator.healthcare.dicom import accept
from emulator.healthcare.dicom.accept import Offer

FILE = [Offer("application/dicom")]
PICTURES = [Offer("image/jpeg"), Offer("image/png")]
MODELS = [Offer("application/dicom+json", parts=False), Offer("application/dicom+xml")]


@pytest.mark.parametrize(
    ("header", "kind", "parts", "syntax"),
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
def test_files(header: str | None, kind: str, parts: bool, syntax: str) -> None:
    chosen = accept.choose(header, FILE)
    assert (chosen.kind, chosen.multipart, chosen.syntax) == (kind, parts, syntax)


@pytest.mark.parametrize(
    ("header", "kind", "parts"),
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
def test_models(header: str, kind: str, parts: bool) -> None:
    chosen = accept.choose(header, MODELS)
    assert (chosen.kind, chosen.multipart) == (kind, parts)


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        ("image/png;q=0.5, image/jpeg", "image/jpeg"),
        ("image/jpeg;q=0.5, image/png", "image/png"),
        ("image/jpeg;q=0, image/*", "image/png"),
        ("image/png;q=half", "image/png"),
    ],
)
def test_pictures(header: str, kind: str) -> None:
    assert accept.choose(header, PICTURES).kind == kind


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
    assert [one.syntax for one in found] == ["1.2.4", "1.2.3", "*"]
