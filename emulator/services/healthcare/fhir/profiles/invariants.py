"""FHIRPath constraints of profiles, evaluated by fhirpathpy."""

import logging
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from typing import Any

from emulator.services.healthcare.fhir.json_text import ExactDecimal

_log = logging.getLogger(__name__)
MAX_COMPILED = 4096

Evaluate = Callable[[Any, str, dict[str, Any]], list[Any]]


def holds(expression: str, value: Any, type_: str, resource: Mapping[str, Any]) -> bool:
    """Whether a constraint is true of an element.

    An expression that the library can't evaluate (such as one with `memberOf`) is logged once and
    counts as true.

    Args:
        expression: in FHIRPath
        value: the element, as `json_text.parse` returns it
        type_: of the element, such as `dateTime` or `Observation.component`
        resource: that has the element, by `plain`
    """
    evaluate = _compiled(expression)
    if evaluate is None:
        return True
    try:
        result = evaluate(plain(value), type_, {"resource": resource})
    except Exception as error:  # noqa: BLE001 - the library raises this class itself
        _report(expression, str(error))
        return True
    return bool(result) and result != [False]


@lru_cache(MAX_COMPILED)
def _compiled(expression: str) -> Evaluate | None:
    import fhirpathpy
    from fhirpathpy.engine.nodes import ResourceNode
    from fhirpathpy.models import models

    try:
        compiled = fhirpathpy.compile(expression, models["r4"])
    except Exception as error:  # noqa: BLE001 - the library raises this class itself
        _report(expression, str(error))
        return None

    def evaluate(value: Any, type_: str, variables: dict[str, Any]) -> Any:
        node: Any = ResourceNode.create_node(value, type_)  # type: ignore[no-untyped-call]
        return compiled(node, variables)

    return evaluate


@cache
def _report(expression: str, reason: str) -> None:
    _log.warning("The constraint %r of a profile is not checked: %s", expression, reason)


def plain(value: Any) -> Any:
    """Return a value with numbers that the library knows."""
    if isinstance(value, Mapping):
        return {key: plain(member) for key, member in value.items()}
    if isinstance(value, list):
        return [plain(one) for one in value]
    return float(value) if isinstance(value, ExactDecimal) else value
