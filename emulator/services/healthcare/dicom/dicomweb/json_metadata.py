"""Instances that are stored as JSON metadata and bulk data, put together into DICOM files.

https://cloud.google.com/healthcare-api/docs/dicom#json_metadata_and_bulk_data_requests
"""

import io
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from email.message import Message
from typing import Any

import pydicom
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian

from emulator.errors import ApiError, invalid_argument
from emulator.healthcare.dicom import syntaxes
from emulator.healthcare.dicom.attributes import (
    CHARACTER_SET,
    SERIES_UID,
    SOP_CLASS,
    SOP_UID,
    STUDY_UID,
)
from emulator.healthcare.dicom.malformed import UNREADABLE, reading
from emulator.healthcare.dicom.multipart import PartReader, boundary_of
from emulator.healthcare.dicom.parts import NewPart, Part
from emulator.http import MOST_JSON_BYTES

KIND = "application/dicom+json"
UTF_8 = "ISO_IR 192"
_TYPE = re.compile(r"type\s*=\s*\"?application/dicom\+json\"?\s*(;|$)", re.IGNORECASE)
_TRANSFER_SYNTAX, _PIXEL_DATA = "00020010", "7FE00010"
_REQUIRED = {
    CHARACTER_SET: "SpecificCharacterSet",
    _TRANSFER_SYNTAX: "TransferSyntaxUID",
    SOP_CLASS: "SOPClassUID",
    STUDY_UID: "StudyInstanceUID",
    SERIES_UID: "SeriesInstanceUID",
    SOP_UID: "SOPInstanceUID",
}
_UNSUPPORTED = frozenset({str(ExplicitVRBigEndian), str(DeflatedExplicitVRLittleEndian)})
_BULK_VRS = frozenset({"OB", "OW", "UN"})
_PICTURES = frozenset({*syntaxes.ENCODED, "image/jpx"})

Model = Mapping[str, Any]


def is_json(content_type: str) -> bool:
    """Whether a multipart body's Content-Type announces metadata as JSON."""
    return _TYPE.search(content_type) is not None


@dataclass(frozen=True)
class _Content:
    """A part of a body, with what its headers say.

    Attributes:
        part: holds its bytes.
        kind: its media type.
        syntax: the transfer syntax that it names; empty if it names none.
        location: its Content-Location.
    """

    part: Part
    kind: str
    syntax: str
    location: str


class JsonReader(PartReader):
    """Takes a multipart body of JSON metadata and bulk data, and makes a file of each instance.

    Args:
        content_type: of the request.
        new_part: makes parts.
    """

    def __init__(self, content_type: str, new_part: NewPart) -> None:
        super().__init__(boundary_of(content_type), new_part)
        self._heads: list[bytes] = []
        self._in_file = new_part.in_file
        self._made: list[Part] = []

    def close(self) -> list[Part]:
        """Give a file for each instance of the metadata.

        Raises:
            ApiError: 400, naming the instance and what is wrong with it.
        """
        parts = [_content(*one) for one in zip(super().close(), self._heads, strict=True)]
        if not parts or parts[0].kind != KIND:
            raise invalid_argument(f"The first part must be of the media type {KIND}.")
        bulk = _by_location(parts[1:])
        for number, model in enumerate(_models(parts[0])):
            content = _file(number, _Builder(model, bulk, parts[0].syntax))
            made = self._in_file()
            self._made.append(made)
            made.write(content)
            made.close()
        if bulk:
            raise invalid_argument(f"No instance refers to the part {next(iter(bulk))!r}.")
        return self._made

    def abandon(self) -> None:
        """Remove all files."""
        with ExitStack() as stack:  # the trouble of one keeps no other
            stack.callback(super().abandon)
            for part in self._made:
                stack.callback(part.abandon)

    def _headers(self) -> bool:
        head = bytes(self._held).partition(b"\r\n\r\n")[0]
        if not super()._headers():
            return False
        self._heads.append(head)
        return True


def _content(part: Part, head: bytes) -> _Content:
    lines = (line.partition(":") for line in head.decode("latin-1").splitlines() if ":" in line)
    headers = {name.strip().lower(): value.strip() for name, _, value in lines}
    message = Message()
    message["Content-Type"] = headers.get("content-type", "")
    syntax = str(message.get_param("transfer-syntax") or "")
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    return _Content(part, kind, syntax, headers.get("content-location", ""))


def _by_location(parts: list[_Content]) -> dict[str, _Content]:
    found: dict[str, _Content] = {}
    for part in parts:
        if part.kind != syntaxes.OCTETS and part.kind not in _PICTURES:
            raise invalid_argument(f"Bulk data of the media type {part.kind!r} is not supported.")
        if not part.location or part.location in found:
            raise invalid_argument(
                f"Each part of bulk data needs a Content-Location of its own: {part.location!r}"
            )
        found[part.location] = part
    return found


def _models(part: _Content) -> list[Model]:
    if part.part.size() > MOST_JSON_BYTES:
        raise invalid_argument(f"The JSON metadata is longer than {MOST_JSON_BYTES} bytes.")
    try:
        models = json.loads(part.part.content())
    except (ValueError, RecursionError):
        raise invalid_argument("The JSON metadata is no JSON in UTF-8.") from None
    if not isinstance(models, list) or not all(isinstance(one, dict) for one in models):
        raise invalid_argument("The JSON metadata must be an array of DICOM instances.")
    if not models:
        raise invalid_argument("The JSON metadata has no instance.")
    return models


class _Builder:
    """Makes a data set of an instance's JSON; the parts that it refers to are used up."""

    def __init__(self, model: Model, bulk: dict[str, _Content], inline_syntax: str) -> None:
        self._model = model
        self._bulk = bulk
        self._inline_syntax = inline_syntax
        self._referred = 0

    def build(self) -> pydicom.Dataset:
        """Give the data set with its file's head.

        Raises:
            ApiError: 400, saying what is wrong.
            Exception: one of `malformed.UNREADABLE`.
        """
        for tag, keyword in _REQUIRED.items():
            if not self._first(tag):
                raise invalid_argument(f"{keyword} ({tag}) is required.")
        if self._first(CHARACTER_SET) != UTF_8:
            raise invalid_argument(f"SpecificCharacterSet must be {UTF_8}.")
        syntax = UID(self._first(_TRANSFER_SYNTAX))
        if syntax in _UNSUPPORTED or not syntax.is_valid or syntax.is_private:
            raise invalid_argument(f"TransferSyntaxUID {str(syntax)[:64]} is not supported.")
        for element in _elements(self._model):
            self._check(element)
        body = {tag: value for tag, value in self._model.items() if not tag.startswith("0002")}
        dataset = pydicom.Dataset.from_json(body, self._value)
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = syntax
        if "PixelData" in dataset and _is_encapsulated(syntax):
            dataset["PixelData"].VR = "OB"
            dataset["PixelData"].is_undefined_length = True
        return dataset

    def _first(self, tag: str) -> str:
        element = self._model.get(tag)
        values = element.get("Value") if isinstance(element, dict) else None
        return str(values[0] or "") if isinstance(values, list) and values else ""

    def _check(self, element: tuple[str, Model]) -> None:
        tag, content = element
        if "InlineBinary" in content:
            if tag == _PIXEL_DATA:
                raise invalid_argument("PixelData must be sent as a bulk data part.")
            if not self._inline_syntax or self._inline_syntax in _UNSUPPORTED:
                raise invalid_argument(
                    f"{tag} is InlineBinary: the Content-Type of the JSON metadata must name its "
                    "transfer-syntax, one of little-endian order."
                )
        if "BulkDataURI" in content:
            self._referred += 1
            if self._referred > 1:
                raise invalid_argument("It may refer to one part of bulk data only.")
            if content.get("vr") not in _BULK_VRS:
                raise invalid_argument(f"{tag}: only OB, OW and UN can be sent as bulk data.")

    def _value(self, tag: str, _vr: str, uri: str) -> bytes:
        """Give the content of the part that a BulkDataURI refers to."""
        part = self._bulk.pop(str(uri), None)
        if part is None:
            raise invalid_argument(
                f"{tag}: no part has the Content-Location {uri!r}, or another instance has used it."
            )
        content = part.part.content()
        if part.kind == syntaxes.OCTETS and not _is_encapsulated(UID(self._syntax)):
            return content + b"\0" * (len(content) % 2)
        return self._picture(tag, part, content)

    def _picture(self, tag: str, part: _Content, content: bytes) -> bytes:
        if tag != _PIXEL_DATA:
            if part.kind == syntaxes.OCTETS:
                return content + b"\0" * (len(content) % 2)
            raise invalid_argument(f"{tag}: compressed bulk data can be PixelData only.")
        if part.syntax != self._syntax or part.kind == syntaxes.OCTETS:
            raise invalid_argument(
                f"The part {part.location!r} is {part.kind}; transfer-syntax={part.syntax}, and "
                f"TransferSyntaxUID is {self._syntax}: both must be of one compression."
            )
        if int(self._first("00280008") or 1) != 1:
            raise invalid_argument("Compressed bulk data is of one frame.")
        return encapsulate([content])

    @property
    def _syntax(self) -> str:
        return self._first(_TRANSFER_SYNTAX)


def _file(number: int, builder: _Builder) -> bytes:
    """Give an instance as a file.

    Raises:
        ApiError: 400, naming the instance by its number.
    """
    what = f"Instance {number} of the JSON metadata:"
    # In memory, as pydicom makes the disk's errors look like the content's.
    buffer = io.BytesIO()
    try:
        with reading():
            builder.build().save_as(buffer, enforce_file_format=True)
    except ApiError as error:
        raise invalid_argument(f"{what} {error}") from None
    except UNREADABLE as error:
        raise invalid_argument(f"{what} It is no DICOM JSON ({type(error).__name__}).") from None
    return buffer.getvalue()


def _is_encapsulated(syntax: UID) -> bool:
    return not syntax.is_transfer_syntax or bool(syntax.is_encapsulated)


def _elements(model: Model) -> Iterator[tuple[str, Model]]:
    """Give every element of a data set, those of sequences too, with its tag."""
    for tag, element in model.items():
        if not isinstance(element, dict):
            raise invalid_argument(f"{tag[:20]} is no element of DICOM JSON.")
        yield tag, element
        if element.get("vr") == "SQ":
            for item in element.get("Value") or []:
                if not isinstance(item, dict):
                    raise invalid_argument(f"{tag[:20]} has an item that is none.")
                yield from _elements(item)
