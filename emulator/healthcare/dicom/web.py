"""Requests and answers of DICOMweb: what the paths below `/dicomWeb` have in common and do."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from sqlite3 import Row
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from emulator.cloud import Cloud
from emulator.errors import ApiError, invalid_argument, not_acceptable
from emulator.healthcare.dicom import (
    accept,
    bulk_data,
    deletion,
    multipart,
    native_xml,
    qido,
    rendering,
    responses,
    syntaxes,
    wado,
)
from emulator.healthcare.dicom.accept import Offer
from emulator.healthcare.dicom.attributes import Level
from emulator.healthcare.dicom.places import Place
from emulator.healthcare.dicom.receiving import DICOM
from emulator.http import Call, JsonResponse

DICOM_JSON = "application/dicom+json"
OCTETS = syntaxes.OCTETS
PICTURES = (rendering.JPEG, rendering.PNG)
FRAMES = [Offer(kind) for kind in (OCTETS, *syntaxes.ENCODED, rendering.PNG)]
"""Forms of frames, the default first."""
MODELS = [
    Offer(DICOM_JSON, parts=False),
    Offer("application/json", parts=False),
    Offer(native_xml.KIND),
]
"""Forms of metadata and of search results. One XML document holds one data set, so that several
come in parts; to who asks for the plain media type too."""

_ATTEMPTS = 5
"""How often a read is begun of what others delete and store anew meanwhile."""


@dataclass(frozen=True)
class Web:
    """A DICOMweb request.

    Attributes:
        cloud: the state of all services.
        place: the store, or the study, series or instance of the path.
        path: the variables of the route.
        query: the query's pairs.
        accept: the Accept header.
        root: URL of the store's DICOMweb service.
        version: of the API, as called.
    """

    cloud: Cloud
    place: Place
    path: Mapping[str, str]
    query: list[tuple[str, str]]
    accept: str | None
    root: str
    version: str


Handler = Callable[[Web], Response]


def web_of(request: Request, version: str) -> Web:
    """Give what a request asks for."""
    cloud: Cloud = request.app.state.cloud
    call = Call(cloud, request.path_params, request.query_params, version=version)
    return Web(
        cloud=cloud,
        place=responses.place_of(call),
        path=request.path_params,
        query=request.query_params.multi_items(),
        accept=request.headers.get("accept"),
        # Not by the Host header: dicomweb-client leaves the port out of it.
        root=f"{cloud.settings.root_url}{request.url.path.split('/dicomWeb', 1)[0]}/dicomWeb",
        version=version,
    )


def endpoint(handler: Handler, version: str) -> Callable[[Request], Any]:
    """Serve a handler, which runs in a thread."""

    def answer(request: Request) -> Response:
        for _ in range(_ATTEMPTS):
            web = web_of(request, version)
            try:
                return handler(web)
            except FileNotFoundError as error:
                missing = error  # the instance was deleted between its row and its file
        raise wado.lost(web.cloud.dicom.contents, web.place.store, missing)

    async def serve(request: Request) -> Response:
        return await run_in_threadpool(answer, request)

    return serve


def plain(content: bytes, kind: str, status: int = 200) -> Response:
    """Answer with a content type that is the media type alone: clients compare it by equality."""
    return Response(content, status, {"Content-Type": kind})


def json_bytes(model: object) -> bytes:
    """Write a model as JSON."""
    return bytes(JsonResponse(model).body)


def _stream(pieces: Iterable[bytes], kind: str) -> Response:
    return StreamingResponse(pieces, headers={"Content-Type": kind})


def _multipart(parts: Iterable[tuple[str, Iterable[bytes]]], kind: str) -> Response:
    boundary = multipart.new_boundary()
    return _stream(
        multipart.write(parts, boundary),
        f'{accept.MULTIPART}; type="{kind}"; boundary={boundary}',
    )


def search(level: Level, web: Web) -> Response:
    """Search for studies, series or instances."""
    kind = accept.choose(web.accept, MODELS).kind
    found = qido.run(web.cloud.dicom.contents, qido.parse(level, web.place, web.query), web.root)
    if not found:
        return Response(status_code=204)
    if kind != native_xml.KIND:
        return plain(json_bytes(found), DICOM_JSON)
    return _multipart(((kind, [native_xml.document(one)]) for one in found), kind)


def metadata(web: Web) -> Response:
    """Give the metadata of all instances at a place."""
    chosen = accept.choose(web.accept, MODELS)
    models = wado.metadata(web.cloud.dicom.contents, web.place, web.root)
    if chosen.kind != native_xml.KIND:
        return plain(f"[{','.join(models)}]".encode(), DICOM_JSON)
    documents = (native_xml.document(json.loads(model)) for model in models)
    if web.place.sop and not chosen.multipart:
        return plain(next(documents), chosen.kind)
    return _multipart(((chosen.kind, [one]) for one in documents), chosen.kind)


def retrieve(web: Web) -> Response:
    """Give the files of all instances at a place."""
    chosen = accept.choose(web.accept, [Offer(DICOM, None if web.place.sop else True)])
    if chosen.syntax and chosen.syntax not in syntaxes.DICOM:
        raise not_acceptable(
            f"Files are not given in transfer syntax {chosen.syntax}. Served here: "
            f"{', '.join(sorted(syntaxes.DICOM))}."
        )
    contents = web.cloud.dicom.contents
    rows = wado.instances(contents, web.place)
    wado.require_files(contents, web.place.store, rows[1:])
    # The first is made before the answer begins: what can't be given is still a 406.
    first = wado.content(contents, rows[0], chosen.syntax)
    kind = f"{DICOM}; transfer-syntax={wado.syntax_given(rows[0], chosen.syntax)}"
    whole = chosen.multipart or not web.place.sop or not web.accept or "*/*" in web.accept
    if not whole:
        return _stream(first, kind)

    def parts() -> Iterable[tuple[str, Iterable[bytes]]]:
        yield kind, first
        for row in rows[1:]:
            syntax = wado.syntax_given(row, chosen.syntax)
            try:
                pieces = wado.content(contents, row, chosen.syntax)
            except FileNotFoundError as missing:
                error = wado.lost(contents, web.place.store, missing)
                if error.code == HTTPStatus.NOT_FOUND:
                    continue  # deleted meanwhile
                raise error from missing
            yield f"{DICOM}; transfer-syntax={syntax}", pieces

    return _multipart(parts(), DICOM)


def frames(web: Web) -> Response:
    """Give frames: their values, encoded, or pictures of them; the first way that can be."""
    [row] = wado.instances(web.cloud.dicom.contents, web.place)
    numbers = wado.frame_numbers(web.path["frames"], row)
    refusals: list[ApiError] = []
    for chosen in accept.choices(web.accept, FRAMES if web.accept else FRAMES[:1]):
        try:
            given = _frames(web, row, numbers, chosen)
        except ApiError as error:
            if error.code != HTTPStatus.NOT_ACCEPTABLE:
                raise
            refusals.append(error)
            continue
        kind = syntaxes.kind_of(given[0][0]) if chosen.kind == OCTETS else chosen.kind
        if len(given) == 1 and not chosen.multipart and web.accept and "*/*" not in web.accept:
            return plain(given[0][1], kind)
        return _multipart(
            ((f"{kind}; transfer-syntax={one}" if one else kind, [of]) for one, of in given), kind
        )
    raise accept.unsuitable(refusals)


def _frames(
    web: Web, row: Row, numbers: list[int], chosen: accept.Range
) -> list[tuple[str, bytes]]:
    """Give frames with their transfer syntaxes, of which a picture has none."""
    contents = web.cloud.dicom.contents
    stored = syntaxes.kind_of(row["transfer_syntax"])
    if chosen.kind in PICTURES and not chosen.syntax and chosen.kind != stored:
        path = contents.blobs.path(row["sha256"])
        return [("", rendering.render(path, number, chosen.kind)) for number in numbers]
    if chosen.kind not in (OCTETS, *syntaxes.ENCODED):
        raise not_acceptable(f"{chosen.kind} has no transfer syntax {chosen.syntax}.")
    return wado.frames(contents, row, numbers, chosen.kind, chosen.syntax)


def rendered(web: Web) -> Response:
    """Give a picture of an instance's first frame, or of the frame of the path."""
    [row] = wado.instances(web.cloud.dicom.contents, web.place)
    kind = accept.choose(web.accept, [Offer(kind, parts=False) for kind in PICTURES]).kind
    number, *more = wado.frame_numbers(web.path.get("frames", "1"), row)
    if more:
        raise invalid_argument("A rendered picture is of one frame: ask for each by itself.")
    path = web.cloud.dicom.contents.blobs.path(row["sha256"])
    return plain(rendering.render(path, number, kind, rendering.view(dict(web.query))), kind)


def bulk_value(web: Web) -> Response:
    """Give a value that metadata only refers to, as it is in the file."""
    contents = web.cloud.dicom.contents
    [row] = wado.instances(contents, web.place, f"{wado.COLUMNS}, metadata")
    chosen = accept.choose(web.accept, [Offer(OCTETS)])
    if chosen.syntax not in ("", syntaxes.ANY):
        raise not_acceptable(
            f"Bulk data is not given in transfer syntax {chosen.syntax}: "
            f"{OCTETS}; transfer-syntax={syntaxes.ANY}"
        )
    value = bulk_data.find(contents, row, web.path["where"])
    if chosen.multipart or not web.accept or "*/*" in web.accept:
        return _multipart([(f"{OCTETS}; transfer-syntax={syntaxes.ANY}", [value])], OCTETS)
    return plain(value, OCTETS)


def delete(web: Web) -> Response:
    """Delete an instance at once, a study or a series in an operation."""
    contents = web.cloud.dicom.contents
    if web.place.sop is None:
        wado.instances(contents, web.place, "id")
        return JsonResponse(deletion.begin(web.cloud, web.place, web.version))
    if not contents.delete(web.place):
        raise wado.absent(web.place)
    return JsonResponse({})
