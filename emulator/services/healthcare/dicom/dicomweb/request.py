"""A DICOMweb request, its endpoint, and the representations that handlers share."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from emulator.core.rest import Call, JsonResponse
from emulator.services.healthcare.dicom import responses
from emulator.services.healthcare.dicom.dicomweb import accept, native_xml
from emulator.services.healthcare.dicom.dicomweb.accept import MediaRange, Representation
from emulator.services.healthcare.dicom.instances import retrieval
from emulator.services.healthcare.dicom.resource_path import ResourcePath
from emulator.services.healthcare.dicom.service import Dicom

ACCEPT = "accept"
DICOM_JSON = "application/dicom+json"
MODELS = [
    Representation(DICOM_JSON, parts=False),
    Representation("application/json", parts=False),
    Representation(native_xml.MEDIA_TYPE),
]
"""Representations of metadata and of search results. An XML document holds one data set, so several
data sets come in parts, even if the client asks for the plain media type."""

_ATTEMPTS = 5
"""Attempts of a read while other requests delete the instance and store it again."""


@dataclass(frozen=True)
class DicomWebRequest:
    """A DICOMweb request.

    Attributes:
        dicom: the DICOM stores
        resource_path: the store, or the study, series or instance of the path
        path: the variables of the route
        query: the query's pairs, without `accept`
        accept: the lines of the Accept header, joined; None if there are none
        accept_query: the values of the query parameter `accept`, joined
        root: URL of the store's DICOMweb service
        version: of the API, as called
    """

    dicom: Dicom
    resource_path: ResourcePath
    path: Mapping[str, str]
    query: list[tuple[str, str]]
    accept: str | None
    accept_query: str
    root: str
    version: str

    @classmethod
    def from_request(cls, dicom: Dicom, request: Request, version: str) -> "DicomWebRequest":
        """Resolve the resource that a request names.

        Raises:
            ApiError: 404 for a store that does not exist; 400 or 403 if its key can't be used
        """
        call = Call(dicom, request.path_params, request.query_params, version=version)
        return cls(
            dicom=dicom,
            resource_path=responses.resource_path_of(call),
            path=request.path_params,
            query=[one for one in request.query_params.multi_items() if one[0] != ACCEPT],
            accept=", ".join(request.headers.getlist(ACCEPT)) or None,
            accept_query=", ".join(request.query_params.getlist(ACCEPT)),
            # Not by the Host header: dicomweb-client leaves the port out of it.
            root=f"{dicom.settings.root_url}{request.url.path.split('/dicomWeb', 1)[0]}/dicomWeb",
            version=version,
        )

    def choices(self, offers: Sequence[Representation]) -> list[MediaRange]:
        """Return the acceptable forms of a response; see `accept.choices`."""
        return accept.choices(self.accept, offers, self.accept_query)

    def choose(self, offers: Sequence[Representation]) -> MediaRange:
        """Return the form that the client prefers."""
        return accept.choose(self.accept, offers, self.accept_query)


Handler = Callable[[DicomWebRequest], Response]


def endpoint(dicom: Dicom, handler: Handler, version: str) -> Callable[[Request], Any]:
    """Return the endpoint of a handler, which runs in a thread."""

    def answer(request: Request) -> Response:
        for _ in range(_ATTEMPTS):
            web = DicomWebRequest.from_request(dicom, request, version)
            try:
                return handler(web)
            except FileNotFoundError as error:
                missing = error  # the instance was deleted between its row and its file
        raise retrieval.missing_file_error(web.dicom.contents, web.resource_path.store, missing)

    async def serve(request: Request) -> Response:
        return await run_in_threadpool(answer, request)

    return serve


def plain(content: bytes, media_type: str, status: int = 200) -> Response:
    """Return a response whose Content-Type has no charset: clients compare it by equality."""
    return Response(content, status, {"Content-Type": media_type})


def json_bytes(model: object) -> bytes:
    """Return a model as JSON."""
    return bytes(JsonResponse(model).body)
