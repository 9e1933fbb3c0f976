"""Handlers of the DICOMweb paths below `/dicomWeb`, but for the storing of instances.

Inferred (conformance: frame-default, delete-instance): the form of frames where a client accepts
any, and the response of a deletion.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from http import HTTPStatus
from sqlite3 import Row
from typing import TypeVar

from starlette.responses import Response, StreamingResponse

from emulator.core.errors import ApiError, invalid_argument, not_acceptable
from emulator.core.rest import JsonResponse
from emulator.services.healthcare.dicom.dicomweb import (
    accept,
    multipart,
    native_xml,
    qido,
    search_parameters,
)
from emulator.services.healthcare.dicom.dicomweb.accept import MediaRange, Representation
from emulator.services.healthcare.dicom.dicomweb.request import (
    DICOM_JSON,
    MODELS,
    DicomWebRequest,
    json_bytes,
    plain,
)
from emulator.services.healthcare.dicom.dicomweb.request_body import DICOM
from emulator.services.healthcare.dicom.instances import bulk_data, retrieval
from emulator.services.healthcare.dicom.operations import deletion
from emulator.services.healthcare.dicom.parsing.attributes import Level
from emulator.services.healthcare.dicom.pixels import encoding, rendering, transfer_syntaxes

T = TypeVar("T")
OCTETS = transfer_syntaxes.OCTET_STREAM
PICTURES = (rendering.JPEG, rendering.PNG)
FRAMES = [
    Representation(media_type, default_parts=True)
    for media_type in (OCTETS, *transfer_syntaxes.COMPRESSED_MEDIA_TYPES, rendering.PNG)
]
"""Representations of frames, the default first."""


def _stream(pieces: Iterable[bytes], media_type: str) -> Response:
    return StreamingResponse(pieces, headers={"Content-Type": media_type})


def _multipart(parts: Iterable[tuple[str, Iterable[bytes]]], media_type: str) -> Response:
    boundary = multipart.new_boundary()
    return _stream(
        multipart.write(parts, boundary),
        f'{accept.MULTIPART}; type="{media_type}"; boundary={boundary}',
    )


def search(level: Level, web: DicomWebRequest) -> Response:
    """Search for studies, series or instances."""
    media_type = web.choose(MODELS).media_type
    found = qido.run(
        web.dicom.contents,
        search_parameters.parse(level, web.resource_path, web.query),
        web.root,
    )
    if not found:
        return Response(status_code=204)
    if media_type != native_xml.MEDIA_TYPE:
        return plain(json_bytes(found), DICOM_JSON)
    return _multipart(((media_type, [native_xml.document(one)]) for one in found), media_type)


def metadata(web: DicomWebRequest) -> Response:
    """Return the metadata of all instances of a resource."""
    chosen = web.choose(MODELS)
    models = retrieval.metadata(web.dicom.contents, web.resource_path, web.root)
    if chosen.media_type != native_xml.MEDIA_TYPE:
        return plain(f"[{','.join(models)}]".encode(), DICOM_JSON)
    documents = (native_xml.document(json.loads(model)) for model in models)
    if web.resource_path.instance and not chosen.multipart:
        return plain(next(documents), chosen.media_type)
    return _multipart(((chosen.media_type, [one]) for one in documents), chosen.media_type)


def retrieve(web: DicomWebRequest) -> Response:
    """Return the files of all instances of a resource."""
    forms = web.choices([Representation(DICOM, None if web.resource_path.instance else True, True)])
    contents = web.dicom.contents
    rows = retrieval.instances(contents, web.resource_path)
    retrieval.require_files(contents, web.resource_path.store, rows[1:])
    # The first is converted before the response begins: if it can't be, that is still a 406.
    chosen, first = _content(web, rows[0], forms)
    if not chosen.multipart:
        return _stream(first, _file_type(rows[0], chosen))
    in_parts = [form for form in forms if form.multipart]

    def parts() -> Iterable[tuple[str, Iterable[bytes]]]:
        yield _file_type(rows[0], chosen), first
        for row in rows[1:]:
            try:
                form, pieces = _content(web, row, in_parts)
            except FileNotFoundError as missing:
                error = retrieval.missing_file_error(contents, web.resource_path.store, missing)
                if error.code == HTTPStatus.NOT_FOUND:
                    continue  # deleted meanwhile
                raise error from missing
            yield _file_type(row, form), pieces

    return _multipart(parts(), DICOM)


def _file_type(row: Row, form: MediaRange) -> str:
    syntax = retrieval.served_transfer_syntax(row, form.transfer_syntax)
    return f"{DICOM}; transfer-syntax={syntax}"


def _content(
    web: DicomWebRequest, row: Row, forms: Sequence[MediaRange]
) -> tuple[MediaRange, Iterable[bytes]]:
    """Return an instance's file in the first acceptable form that exists."""
    return _first_possible(
        accept.prefer_lossless(forms, lambda form: _is_lossy(row, form)),
        lambda form: retrieval.content(web.dicom.contents, row, form.transfer_syntax),
    )


def _is_lossy(row: Row, form: MediaRange) -> bool:
    """Whether an instance loses something in a form that it is not stored in."""
    syntax = retrieval.served_transfer_syntax(row, form.transfer_syntax)
    return encoding.is_lossy(syntax) and syntax != row["transfer_syntax"]


def _first_possible(
    forms: Iterable[MediaRange], make: Callable[[MediaRange], T]
) -> tuple[MediaRange, T]:
    """Return the first form that can be made, with what was made.

    Raises:
        ApiError: 406, saying of each why not
    """
    refusals: list[ApiError] = []
    for form in forms:
        try:
            return form, make(form)
        except ApiError as error:
            if error.code != HTTPStatus.NOT_ACCEPTABLE:
                raise
            refusals.append(error)
    raise accept.combine_not_acceptable(refusals)


def frames(web: DicomWebRequest) -> Response:
    """Return frames as values, encoded, or as pictures: the first acceptable form that exists."""
    [row] = retrieval.instances(web.dicom.contents, web.resource_path)
    numbers = retrieval.frame_numbers(web.path["frames"], row)
    chosen, found = _first_possible(
        accept.prefer_lossless(
            web.choices(FRAMES if web.accept or web.accept_query else FRAMES[:1]),
            lambda form: _is_lossy_frame(row, form),
        ),
        lambda form: _frames(web, row, numbers, form),
    )
    media_type = (
        transfer_syntaxes.media_type_of(found[0][0])
        if chosen.media_type == OCTETS
        else chosen.media_type
    )
    if len(found) == 1 and not chosen.multipart:
        return plain(found[0][1], media_type)
    return _multipart(
        (
            (f"{media_type}; transfer-syntax={one}" if one else media_type, [of])
            for one, of in found
        ),
        media_type,
    )


def _is_lossy_frame(row: Row, form: MediaRange) -> bool:
    stored = row["transfer_syntax"]
    if _is_picture(form, stored):
        return True
    known = transfer_syntaxes.COMPRESSED_MEDIA_TYPES.get(form.media_type, ())
    if form.transfer_syntax in ("", transfer_syntaxes.ANY):
        syntax = stored if stored in known else next(iter(known), "")
    else:
        syntax = form.transfer_syntax
    return encoding.is_lossy(syntax) and syntax != stored


def _is_picture(form: MediaRange, stored: str) -> bool:
    """Whether a form of a frame is that of a rendered picture."""
    return (
        form.media_type in PICTURES
        and not form.transfer_syntax
        and form.media_type != transfer_syntaxes.media_type_of(stored)
    )


def _frames(
    web: DicomWebRequest, row: Row, numbers: list[int], chosen: MediaRange
) -> list[tuple[str, bytes]]:
    """Return frames with their transfer syntaxes; a picture has an empty one."""
    contents = web.dicom.contents
    if _is_picture(chosen, row["transfer_syntax"]):
        path = contents.blobs.path(row["sha256"])
        return [("", rendering.render(path, number, chosen.media_type)) for number in numbers]
    if chosen.media_type not in (OCTETS, *transfer_syntaxes.COMPRESSED_MEDIA_TYPES):
        raise not_acceptable(
            f"{chosen.media_type} has no transfer syntax {chosen.transfer_syntax}."
        )
    return retrieval.frames(contents, row, numbers, chosen.media_type, chosen.transfer_syntax)


def rendered(web: DicomWebRequest) -> Response:
    """Return a picture of an instance's first frame, or of the frame that the path names."""
    [row] = retrieval.instances(web.dicom.contents, web.resource_path)
    media_type = web.choose(
        [Representation(media_type, parts=False) for media_type in PICTURES]
    ).media_type
    number, *more = retrieval.frame_numbers(web.path.get("frames", "1"), row)
    if more:
        raise invalid_argument("A rendered picture shows one frame: request each frame by itself.")
    path = web.dicom.contents.blobs.path(row["sha256"])
    view = rendering.view(dict(search_parameters.merge_repeated(web.query)))
    return plain(rendering.render(path, number, media_type, view), media_type)


def bulk_value(web: DicomWebRequest) -> Response:
    """Return a bulk data value as the file has it."""
    contents = web.dicom.contents
    [row] = retrieval.instances(contents, web.resource_path, f"{retrieval.COLUMNS}, metadata")
    chosen = web.choose([Representation(OCTETS, default_parts=True)])
    if chosen.transfer_syntax not in ("", transfer_syntaxes.ANY):
        raise not_acceptable(
            f"Bulk data is not served in transfer syntax {chosen.transfer_syntax}. Served here: "
            f"{OCTETS}; transfer-syntax={transfer_syntaxes.ANY}"
        )
    value = bulk_data.find(contents, row, web.path["where"])
    if chosen.multipart:
        return _multipart([(f"{OCTETS}; transfer-syntax={transfer_syntaxes.ANY}", [value])], OCTETS)
    return plain(value, OCTETS)


def delete(web: DicomWebRequest) -> Response:
    """Delete an instance synchronously, a study or a series in a long-running operation."""
    contents = web.dicom.contents
    if web.resource_path.instance is None:
        retrieval.instances(contents, web.resource_path, "id")
        return JsonResponse(deletion.begin(web.dicom, web.resource_path, web.version))
    if not contents.delete(web.resource_path):
        raise retrieval.instance_not_found(web.resource_path)
    return JsonResponse({})
