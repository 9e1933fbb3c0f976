"""The Native DICOM Model (PS3.19 A.1): data sets as XML, converted from the DICOM JSON model.

Written as text, not as a tree: a study's metadata can be long, and a tree's writer would neither
keep carriage returns nor refuse the control characters that XML has no form for.
"""

import re
from collections.abc import Iterator
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from pydicom.datadict import keyword_for_tag

from emulator.services.healthcare.dicom.parsing.attributes import DicomJson
from emulator.services.healthcare.dicom.parsing.value_representations import NAME_GROUPS, NAME_PARTS

MEDIA_TYPE = "application/dicom+xml"
NAMESPACE = "http://dicom.nema.org/PS3.19/models/NativeDICOM"
_HEAD = f'<?xml version="1.0" encoding="UTF-8"?><NativeDicomModel xmlns="{NAMESPACE}"'
# Characters that no XML 1.0 document can hold, not even by reference (XML 1.0, 2.2).
_UNWRITABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def document(model: DicomJson) -> bytes:
    """Return a data set as an XML document.

    Args:
        model: its DICOM JSON model, whose private elements may also bring a `keyword` and their
            `privateCreator`
    """
    content = "".join(_attributes(model))
    return f'{_HEAD} xml:space="preserve">{content}</NativeDicomModel>'.encode()


def _attributes(model: DicomJson) -> Iterator[str]:
    for tag, element in model.items():
        yield f"<DicomAttribute{_names(model, tag, element)}>"
        if uri := element.get("BulkDataURI"):
            yield f"<BulkData uri={quoteattr(uri)}/>"
        if binary := element.get("InlineBinary"):
            yield f"<InlineBinary>{binary}</InlineBinary>"
        for number, value in enumerate(element.get("Value", []), start=1):
            yield from _value(element["vr"], number, value)
        yield "</DicomAttribute>"


def _names(model: DicomJson, tag: str, element: dict[str, Any]) -> str:
    names = {"tag": tag, "vr": element["vr"]}
    if keyword := element.get("keyword") or keyword_for_tag(int(tag, 16)):
        names["keyword"] = keyword
    if creator := element.get("privateCreator") or _private_creator(model, tag):
        names["privateCreator"] = creator
    return "".join(f" {name}={quoteattr(_writable(value))}" for name, value in names.items())


def _private_creator(model: DicomJson, tag: str) -> str:
    """Return the creator that reserves a private element's block (PS3.5 7.8.1)."""
    block = tag[4:6]
    if int(tag[:4], 16) % 2 == 0 or int(block, 16) < 0x10:
        return ""
    values = model.get(f"{tag[:4]}00{block}", {}).get("Value") or [""]
    return str(values[0] or "")


def _value(vr: str, number: int, value: Any) -> Iterator[str]:
    if value is None:
        return  # an empty value among others: its number is left out
    if vr == "SQ":
        yield f'<Item number="{number}">'
        yield from _attributes(value)
        yield "</Item>"
    elif vr == "PN":
        yield f'<PersonName number="{number}">'
        yield from _person(value)
        yield "</PersonName>"
    else:
        yield f'<Value number="{number}">{_text(value)}</Value>'


def _person(groups: dict[str, str]) -> Iterator[str]:
    for group in NAME_GROUPS:
        if not groups.get(group):
            continue
        yield f"<{group}>"
        for part, text in zip(NAME_PARTS, groups[group].split("^"), strict=False):
            if text:
                yield f"<{part}>{_text(text)}</{part}>"
        yield f"</{group}>"


def _text(value: Any) -> str:
    return escape(_writable(str(value)), {"\r": "&#13;"})


def _writable(text: str) -> str:
    return _UNWRITABLE.sub("\ufffd", text)
