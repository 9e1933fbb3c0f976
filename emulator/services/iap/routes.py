"""Paths of Identity-Aware Proxy (https://cloud.google.com/iap/docs/reference/rest/v1/v1)."""

from collections.abc import Iterator

from starlette.routing import Route

from emulator.core.errors import unimplemented
from emulator.core.rest import Call
from emulator.services.iam.responses import policy_routes
from emulator.services.iap.names import policy_name
from emulator.services.iap.service import Iap

VERSION = "v1"
_CLOUD_RUN = "cloud_run-"
_PATH = "/projects/{project}/iap_web/{application}/services/{id:id}"


def routes(iap: Iap) -> Iterator[Route]:
    """Yield every route of the service."""
    versions = (VERSION,)
    yield from policy_routes(iap.iam, iap, _PATH, _name, _exists, "iap", versions=versions)


def _name(call: Call[Iap]) -> str:
    return policy_name(_service(call))


def _exists(call: Call[Iap], _name: str) -> bool:
    return call.service.has_service(_service(call))


def _service(call: Call[Iap]) -> str:
    project = call.service.projects.resolve(call.path["project"])
    application, location = (
        call.path["application"],
        call.path["application"].removeprefix(_CLOUD_RUN),
    )
    if application == location:
        raise unimplemented(f"The local Google Cloud has no Identity-Aware Proxy of {application}.")
    return f"projects/{project}/locations/{location}/services/{call.path['id']}"
