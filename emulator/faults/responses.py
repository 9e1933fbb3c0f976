"""Responses of the calls that add, list and remove faults."""

from starlette.requests import Request
from starlette.responses import Response

from emulator.core.errors import invalid_argument
from emulator.core.rest import JsonResponse, limited_body, parse_json
from emulator.faults.models import Fault, Faults


async def add(faults: Faults, request: Request) -> Response:
    """Add a fault."""
    fault = Fault.from_json(parse_json(await limited_body(request)))
    return JsonResponse({"number": faults.add(fault), "phrase": fault.phrase})


async def list_faults(faults: Faults, _request: Request) -> Response:
    """List the faults, with how many calls each matched and made fail."""
    return JsonResponse({"faults": faults.to_json()})


async def clear(faults: Faults, request: Request) -> Response:
    """Remove all faults, or those that `number` names."""
    numbers = request.query_params.getlist("number")
    if wrong := [number for number in numbers if not number.isdecimal()]:
        raise invalid_argument(f"{', '.join(wrong)} is not the number of a fault.")
    faults.clear(map(int, numbers))
    return JsonResponse({})
