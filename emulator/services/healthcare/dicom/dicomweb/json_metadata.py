"""DICOM files built from JSON metadata and bulk data in a Store request.

https://cloud.google.com/healthcare-api/docs/dicom#json_metadata_and_bulk_data_requests
"""

import io
import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pydicom
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian

from emulator.core import media_type
from emulator.core.errors import ApiError, invalid_argument
from emulator.core.rest import MAX_JSON_BYTES
from emulator.services.healthcare.dicom.dicomweb.accept import MULTIPART
from emulator.services.healthcare.dicom.dicomweb.body_parts import BodyPart, PartFactory
from emulator.services.healthcare.dicom.dicomweb.multipart import Headers, PartReader, boundary_of
from emulator.services.healthcare.dicom.parsing.attributes import (
    CHARACTER_SET,
    SERIES_UID,
    SOP_CLASS,
    SOP_UID,
    STUDY_UID,
)
from emulator.services.healthcare.dicom.parsing.pydicom_errors import PARSE_ERRORS, translate_errors
from emulator.services.healthcare.dicom.pixels import transfer_syntaxes

MEDIA_TYPE = "application/dicom+json"
UTF_8 = "ISO_IR 192"
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
_PICTURES = frozenset({*transfer_syntaxes.COMPRESSED_MEDIA_TYPES, "image/jpx"})

Model = Mapping[str, Any]


def is_json(content_type: str) -> bool:
    """Whether a Content-Type is that of JSON metadata in parts."""
    parsed = media_type.parse(content_type)
    return parsed.type == MULTIPART and parsed.parameters.get("type", "").lower() == MEDIA_TYPE


@dataclass(frozen=True)
class _Content:
    """A part of a body with its headers.

    Attributes:
        part: the content
        media_type: of the Content-Type
        transfer_syntax: of the Content-Type; empty if it names none
        location: its Content-Location
    """

    part: BodyPart
    media_type: str
    transfer_syntax: str
    location: str


class JsonReader(PartReader):
    """Reader of a multipart body of JSON metadata and bulk data, which writes a file an instance.

    Args:
        content_type: of the request
        new_part: makes parts
    """

    def __init__(self, content_type: str, new_part: PartFactory) -> None:
        super().__init__(boundary_of(content_type), self._new_part_with_headers)
        self._new_file_or_memory = new_part
        self._part_headers: list[Headers] = []
        self._in_file = new_part.in_file
        self._files: list[BodyPart] = []

    def close(self) -> list[BodyPart]:
        """Return a part with a DICOM file for each instance of the metadata.

        Raises:
            ApiError: 400, naming the instance and what is wrong with it
        """
        parts = [_content(*one) for one in zip(super().close(), self._part_headers, strict=True)]
        if not parts or parts[0].media_type != MEDIA_TYPE:
            raise invalid_argument(f"The first part must be of the media type {MEDIA_TYPE}.")
        bulk = _by_location(parts[1:])
        for number, model in enumerate(_models(parts[0])):
            content = _file(number, _Builder(model, bulk, parts[0].transfer_syntax))
            part = self._in_file()
            self._files.append(part)
            part.write(content)
            part.close()
        if bulk:
            raise invalid_argument(f"No instance refers to the part {next(iter(bulk))!r}.")
        return self._files

    def discard(self) -> None:
        """Delete the files that are not detached."""
        with ExitStack() as stack:  # an error of one does not keep the others
            stack.callback(super().discard)
            for part in self._files:
                stack.callback(part.discard)

    def _new_part_with_headers(self, headers: Headers) -> BodyPart:
        self._part_headers.append(headers)
        return self._new_file_or_memory(headers)


def _content(part: BodyPart, headers: Headers) -> _Content:
    parsed = media_type.parse(headers.get("content-type", ""))
    syntax = parsed.parameters.get("transfer-syntax", "")
    return _Content(part, parsed.type, syntax, headers.get("content-location", ""))


def _by_location(parts: list[_Content]) -> dict[str, _Content]:
    found: dict[str, _Content] = {}
    for part in parts:
        if part.media_type != transfer_syntaxes.OCTET_STREAM and part.media_type not in _PICTURES:
            raise invalid_argument(
                f"Bulk data of the media type {part.media_type!r} is not supported."
            )
        if not part.location or part.location in found:
            raise invalid_argument(
                f"Each part of bulk data needs a Content-Location of its own: {part.location!r}"
            )
        found[part.location] = part
    return found


def _models(part: _Content) -> list[Model]:
    if part.part.size() > MAX_JSON_BYTES:
        raise invalid_argument(f"The JSON metadata is longer than {MAX_JSON_BYTES} bytes.")
    try:
        models = json.loads(part.part.content())
    except (ValueError, RecursionError):
        raise invalid_argument("The JSON metadata is not valid JSON in UTF-8.") from None
    if not isinstance(models, list) or not all(isinstance(one, dict) for one in models):
        raise invalid_argument("The JSON metadata must be an array of DICOM instances.")
    if not models:
        raise invalid_argument("The JSON metadata has no instance.")
    return models


class _Builder:
    """Builder of a data set from JSON; removes the parts that it uses from `bulk`."""

    def __init__(self, model: Model, bulk: dict[str, _Content], inline_syntax: str) -> None:
        self._model = model
        self._bulk = bulk
        self._inline_syntax = inline_syntax
        self._referred = 0

    def build(self) -> pydicom.Dataset:
        """Return the data set with its file meta information.

        Raises:
            ApiError: 400, saying what is wrong
            Exception: one of `pydicom_errors.PARSE_ERRORS`
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
        """Return the content of the part that a BulkDataURI refers to."""
        part = self._bulk.pop(str(uri), None)
        if part is None:
            raise invalid_argument(
                f"{tag}: no part has the Content-Location {uri!r}, or another instance has used it."
            )
        content = part.part.content()
        if part.media_type == transfer_syntaxes.OCTET_STREAM and not _is_encapsulated(
            UID(self._syntax)
        ):
            return content + b"\0" * (len(content) % 2)
        return self._picture(tag, part, content)

    def _picture(self, tag: str, part: _Content, content: bytes) -> bytes:
        if tag != _PIXEL_DATA:
            if part.media_type == transfer_syntaxes.OCTET_STREAM:
                return content + b"\0" * (len(content) % 2)
            raise invalid_argument(f"{tag}: compressed bulk data can be PixelData only.")
        if (
            part.transfer_syntax != self._syntax
            or part.media_type == transfer_syntaxes.OCTET_STREAM
        ):
            raise invalid_argument(
                f"The part {part.location!r} is {part.media_type}; "
                f"transfer-syntax={part.transfer_syntax}, and TransferSyntaxUID is "
                f"{self._syntax}: both must be of one compression."
            )
        if int(self._first("00280008") or 1) != 1:
            raise invalid_argument("Compressed bulk data is of one frame.")
        return encapsulate([content])

    @property
    def _syntax(self) -> str:
        return self._first(_TRANSFER_SYNTAX)


def _file(number: int, builder: _Builder) -> bytes:
    """Return the DICOM file of an instance.

    Raises:
        ApiError: 400, naming the instance by its number
    """
    subject = f"Instance {number} of the JSON metadata:"
    # In memory, as pydicom makes the disk's errors look like the content's.
    buffer = io.BytesIO()
    try:
        with translate_errors():
            builder.build().save_as(buffer, enforce_file_format=True)
    except ApiError as error:
        raise invalid_argument(f"{subject} {error}") from None
    except PARSE_ERRORS as error:
        raise invalid_argument(
            f"{subject} It is not valid DICOM JSON ({type(error).__name__})."
        ) from None
    return buffer.getvalue()


def _is_encapsulated(syntax: UID) -> bool:
    return not syntax.is_transfer_syntax or bool(syntax.is_encapsulated)


def _elements(model: Model) -> Iterator[tuple[str, Model]]:
    """Yield each element of a data set and of its sequences, with its tag."""
    for tag, element in model.items():
        if not isinstance(element, dict):
            raise invalid_argument(f"{tag[:20]} is not an element of DICOM JSON.")
        yield tag, element
        if element.get("vr") == "SQ":
            for item in element.get("Value") or []:
                if not isinstance(item, dict):
                    raise invalid_argument(f"{tag[:20]} has an item that is not an object.")
                yield from _elements(item)
