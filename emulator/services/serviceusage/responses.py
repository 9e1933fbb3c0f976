"""Requests and answers of Service Usage."""

import base64
import json
import re
from collections.abc import Iterable
from typing import Any

from emulator.discovery import api
from emulator.errors import invalid_argument, not_found
from emulator.http import Call, page
from emulator.serviceusage.models import known, title

_TYPES = "type.googleapis.com/google.api.serviceusage"


def list_services(call: Call) -> dict[str, Any]:
    """The project's services, by state if the filter asks."""
    project = _project(call)
    wanted = call.query.get("filter", "")
    match = re.fullmatch(r"(?:state:(ENABLED|DISABLED))?", wanted)
    if match is None:
        raise invalid_argument(f"Invalid filter {wanted!r}: state:ENABLED or state:DISABLED.")
    services = [
        service
        for service in _services(call, project, sorted(known()))
        if match.group(1) in (None, service["state"])
    ]
    return page(services, call.query, "services", default=50, most=200)


def get_service(call: Call) -> dict[str, Any]:
    """One service of the project."""
    call.cloud.services.check(call.path["service"])
    return _services(call, _project(call), [call.path["service"]])[0]


def batch_get(call: Call) -> dict[str, Any]:
    """Several services of the project, each named by its full name."""
    project = _project(call)
    names = [value.rpartition("/")[2] for value in call.values("names")]
    for name in names:
        call.cloud.services.check(name)
    return {"services": _services(call, project, names)}


def enable(call: Call) -> dict[str, Any]:
    """Enable one service."""
    return _enable(call, [call.path["service"]], "EnableServiceResponse", single=True)


def batch_enable(call: Call) -> dict[str, Any]:
    """Enable up to 20 services, all or none."""
    api("serviceusage", "v1").check("BatchEnableServicesRequest", call.body)
    services = call.body.get("serviceIds") or []
    if not 0 < len(services) <= 20:
        raise invalid_argument("serviceIds must name 1 to 20 services.")
    return _enable(call, services, "BatchEnableServicesResponse")


def disable(call: Call) -> dict[str, Any]:
    """Disable one service."""
    project, service = _project(call), call.path["service"]
    call.cloud.services.disable(project, service)
    shown = _services(call, project, [service])[0]
    return _done(_type(call, "DisableServiceResponse"), {"service": shown})


def make_identity(call: Call) -> dict[str, Any]:
    """Bring a service's identity into being."""
    project = _project(call)
    email = call.cloud.services.make_identity(project, call.path["service"])
    number = call.cloud.projects.number_of(project)
    # The unique id of a real agent is a random number; any stable one will do.
    identity = {"email": email, "uniqueId": f"1{number:0>20}"}
    return _done(_type(call, "ServiceIdentity"), identity)


def get_operation(call: Call) -> dict[str, Any]:
    """An operation, which is always done: its id carries its answer."""
    try:
        kind, body = json.loads(base64.urlsafe_b64decode(call.path["operation"].split(".")[-1]))
        return _done(kind, {**body})
    except (ValueError, TypeError, RecursionError):
        raise not_found(f"operation {call.path['operation']} not found") from None


def _enable(
    call: Call, services: list[str], answer: str, *, single: bool = False
) -> dict[str, Any]:
    project = _project(call)
    call.cloud.services.enable(project, services)
    shown = _services(call, project, services)
    body = {"service": shown[0]} if single else {"services": shown}
    return _done(_type(call, answer), body)


def _type(call: Call, message: str) -> str:
    """The type of a message of the version that is called."""
    return f"{_TYPES}.{call.version}.{message}"


def _project(call: Call) -> str:
    return call.cloud.projects.id_of(call.path["project"])


def _services(call: Call, project: str, names: Iterable[str]) -> list[dict[str, Any]]:
    number = call.cloud.projects.number_of(project)
    enabled = call.cloud.services.enabled(project)
    return [
        {
            "name": f"projects/{number}/services/{name}",
            "parent": f"projects/{number}",
            "config": {"name": name, "title": title(name)},
            "state": "ENABLED" if name in enabled else "DISABLED",
        }
        for name in names
    ]


def _done(kind: str, body: dict[str, Any]) -> dict[str, Any]:
    """A finished operation. It keeps no state, so that any later read gives the same."""
    token = base64.urlsafe_b64encode(json.dumps([kind, body]).encode()).decode()
    return {
        "name": f"operations/acat.{token}",
        "done": True,
        "response": {"@type": kind, **body},
    }
