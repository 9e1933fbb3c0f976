"""Answers of the calls that put faults in force and take them out."""

from starlette.requests import Request
from starlette.responses import Response

from emulator.errors import invalid_argument
from emulator.faults.models import Fault, Faults
from emulator.http import JsonResponse, limited_body, parse_json


async def add(request: Request) -> Response:
    """Put a fault in force."""
    fault = Fault.from_json(parse_json(await limited_body(request)))
    return JsonResponse({"number": _faults(request).add(fault), "phrase": fault.phrase})


async def listed(request: Request) -> Response:
    """Every fault, with how many calls it met and broke."""
    return JsonResponse({"faults": _faults(request).listed()})


async def clear(request: Request) -> Response:
    """Take all faults out of force, or those that `number` names."""
    numbers = request.query_params.getlist("number")
    if wrong := [number for number in numbers if not number.isdecimal()]:
        raise invalid_argument(f"not the number of a fault: {', '.join(wrong)}")
    _faults(request).clear(map(int, numbers))
    return JsonResponse({})


def _faults(request: Request) -> Faults:
    faults: Faults = request.app.state.faults
    return faults
