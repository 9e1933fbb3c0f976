"""Handlers of Service Usage."""

import base64
import json
from collections.abc import Iterable
from typing import Any

from emulator.core.discovery import api
from emulator.core.errors import invalid_argument, not_found
from emulator.core.list_filter.fields import Enumeration
from emulator.core.list_filter.table import FieldTable
from emulator.core.resources.paging import from_items, paginate
from emulator.core.rest import Call
from emulator.services.serviceusage.models import known, title
from emulator.services.serviceusage.service import ServiceUsage

_TYPES = "type.googleapis.com/google.api.serviceusage"
_FILTER = FieldTable(
    usage="the allowed filters are state:ENABLED and state:DISABLED",
    fields={"state": Enumeration(("DISABLED", "ENABLED"), operators=frozenset({":"}))},
    connectives=frozenset(),
)


def list_services(call: Call[ServiceUsage]) -> dict[str, Any]:
    """Return the services of the project that match the filter."""
    project = _project(call)
    wanted = call.query.get("filter", "")
    return paginate(
        from_items(_services(call, project, known()), lambda each: str(each["name"])),
        call.query,
        "services",
        scope=f"projects/{project}/services?{wanted}",
        default=50,
        maximum=200,
        matches=_FILTER.compile(wanted),
    )


def get_service(call: Call[ServiceUsage]) -> dict[str, Any]:
    """One service of the project."""
    call.service.services.check(call.path["service"])
    return _services(call, _project(call), [call.path["service"]])[0]


def batch_get(call: Call[ServiceUsage]) -> dict[str, Any]:
    """Several services of the project, each named by its full name."""
    project = _project(call)
    names = [value.rpartition("/")[2] for value in call.values("names")]
    for name in names:
        call.service.services.check(name)
    return {"services": _services(call, project, names)}


def enable(call: Call[ServiceUsage]) -> dict[str, Any]:
    """Enable one service."""
    return _enable(call, [call.path["service"]], "EnableServiceResponse", single=True)


def batch_enable(call: Call[ServiceUsage]) -> dict[str, Any]:
    """Enable up to 20 services, all or none."""
    api("serviceusage", "v1").check("BatchEnableServicesRequest", call.body)
    services = call.body.get("serviceIds") or []
    if not 0 < len(services) <= 20:
        raise invalid_argument("serviceIds must name 1 to 20 services.")
    return _enable(call, services, "BatchEnableServicesResponse")


def disable(call: Call[ServiceUsage]) -> dict[str, Any]:
    """Disable one service."""
    project, service = _project(call), call.path["service"]
    call.service.services.disable(project, service)
    [disabled] = _services(call, project, [service])
    return _done(_type(call, "DisableServiceResponse"), {"service": disabled})


def make_identity(call: Call[ServiceUsage]) -> dict[str, Any]:
    """Create the service agent of a service."""
    project = _project(call)
    email = call.service.services.make_identity(project, call.path["service"])
    number = call.service.projects.number_of(project)
    # The unique id of a real agent is a random number; any stable one will do.
    identity = {"email": email, "uniqueId": f"1{number:0>20}"}
    return _done(_type(call, "ServiceIdentity"), identity)


def get_operation(call: Call[ServiceUsage]) -> dict[str, Any]:
    """Return an operation, which is always done: its id holds the response."""
    try:
        response_type, body = json.loads(
            base64.urlsafe_b64decode(call.path["operation"].split(".")[-1])
        )
        return _done(response_type, {**body})
    except (ValueError, TypeError, RecursionError):
        raise not_found(f"operation {call.path['operation']} not found") from None


def _enable(
    call: Call[ServiceUsage], services: list[str], answer: str, *, single: bool = False
) -> dict[str, Any]:
    project = _project(call)
    call.service.services.enable(project, services)
    enabled = _services(call, project, services)
    body = {"service": enabled[0]} if single else {"services": enabled}
    return _done(_type(call, answer), body)


def _type(call: Call[ServiceUsage], message: str) -> str:
    """Return the type of a message of the version that is called."""
    return f"{_TYPES}.{call.version}.{message}"


def _project(call: Call[ServiceUsage]) -> str:
    return call.service.projects.id_of(call.path["project"])


def _services(call: Call[ServiceUsage], project: str, names: Iterable[str]) -> list[dict[str, Any]]:
    number = call.service.projects.number_of(project)
    enabled = call.service.services.enabled(project)
    return [
        {
            "name": f"projects/{number}/services/{name}",
            "parent": f"projects/{number}",
            "config": {"name": name, "title": title(name)},
            "state": "ENABLED" if name in enabled else "DISABLED",
        }
        for name in names
    ]


def _done(response_type: str, body: dict[str, Any]) -> dict[str, Any]:
    """Return a finished operation. Its id holds the response, so that later reads find it."""
    token = base64.urlsafe_b64encode(json.dumps([response_type, body]).encode()).decode()
    return {
        "name": f"operations/acat.{token}",
        "done": True,
        "response": {"@type": response_type, **body},
    }
