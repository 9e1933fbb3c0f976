"""Requests and answers of Service Usage."""

import base64
import json
import re
from typing import Any

from emulator.errors import invalid_argument, not_found
from emulator.http import Call, page
from emulator.serviceusage.models import TITLES

_TYPES = "type.googleapis.com/google.api.serviceusage.v1"


def list_services(call: Call) -> dict[str, Any]:
    """The project's services, by state if the filter asks."""
    project = _project(call)
    wanted = call.query.get("filter", "")
    match = re.fullmatch(r"(?:state:(ENABLED|DISABLED))?", wanted)
    if match is None:
        raise invalid_argument(f"Invalid filter {wanted!r}: state:ENABLED or state:DISABLED.")
    services = [_service(call, project, name) for name in sorted(TITLES)]
    if match.group(1):
        services = [service for service in services if service["state"] == match.group(1)]
    return page(services, call.query, "services", default=50, most=200)


def get_service(call: Call) -> dict[str, Any]:
    """One service of the project."""
    call.cloud.services.check(call.path["service"])
    return _service(call, _project(call), call.path["service"])


def batch_get(call: Call) -> dict[str, Any]:
    """Several services of the project, each named by its full name."""
    project = _project(call)
    names = [value.rpartition("/")[2] for value in call.values("names")]
    for name in names:
        call.cloud.services.check(name)
    return {"services": [_service(call, project, name) for name in names]}


def enable(call: Call) -> dict[str, Any]:
    """Enable one service."""
    return _enable(call, [call.path["service"]], "EnableServiceResponse", single=True)


def batch_enable(call: Call) -> dict[str, Any]:
    """Enable up to 20 services, all or none."""
    services = call.body.get("serviceIds")
    if not isinstance(services, list) or not 0 < len(services) <= 20:
        raise invalid_argument("serviceIds must name 1 to 20 services.")
    return _enable(call, [str(service) for service in services], "BatchEnableServicesResponse")


def disable(call: Call) -> dict[str, Any]:
    """Disable one service."""
    project, service = _project(call), call.path["service"]
    call.cloud.services.disable(project, service)
    return _done("DisableServiceResponse", {"service": _service(call, project, service)})


def make_identity(call: Call) -> dict[str, Any]:
    """Bring a service's identity into being."""
    project = _project(call)
    email = call.cloud.services.make_identity(project, call.path["service"])
    number = call.cloud.projects.number_of(project)
    # The unique id of a real agent is a random number; any stable one will do.
    return _done("ServiceIdentity", {"email": email, "uniqueId": f"1{number:0>20}"})


def get_operation(call: Call) -> dict[str, Any]:
    """An operation, which is always done: its id carries its answer."""
    try:
        kind, body = json.loads(base64.urlsafe_b64decode(call.path["operation"].split(".")[-1]))
    except (ValueError, TypeError):
        raise not_found(f"operation {call.path['operation']} not found") from None
    return _done(kind, body)


def _enable(
    call: Call, services: list[str], answer: str, *, single: bool = False
) -> dict[str, Any]:
    project = _project(call)
    call.cloud.services.enable(project, services)
    shown = [_service(call, project, service) for service in services]
    return _done(answer, {"service": shown[0]} if single else {"services": shown})


def _project(call: Call) -> str:
    return call.cloud.projects.id_of(call.path["project"])


def _service(call: Call, project: str, service: str) -> dict[str, Any]:
    number = call.cloud.projects.number_of(project)
    return {
        "name": f"projects/{number}/services/{service}",
        "parent": f"projects/{number}",
        "config": {"name": service, "title": TITLES[service]},
        "state": "ENABLED" if service in call.cloud.services.enabled(project) else "DISABLED",
    }


def _done(kind: str, body: dict[str, Any]) -> dict[str, Any]:
    """A finished operation. It keeps no state, so that any later read gives the same."""
    token = base64.urlsafe_b64encode(json.dumps([kind, body]).encode()).decode()
    return {
        "name": f"operations/acat.{token}",
        "done": True,
        "response": {"@type": f"{_TYPES}.{kind}", **body},
    }
