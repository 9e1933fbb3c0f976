"""The constructor of resource types, and what types of several services share."""

from collections.abc import Mapping

from engine.standin.http import Json
from engine.standin.provider_schema import load
from engine.standin.provider_schema.derive import Quirks, derive
from engine.standin.resource import CrudOperations, ResourceType
from engine.standin.values import Values

IN_PATH: dict[str, None] = {"wire": None}
"""The quirk of a property that travels in the path alone."""
MADE_UP: dict[str, bool] = {"autoname": True, "required": False}
"""The quirk of an id that Pulumi makes out of the name in the program, if it is left out."""
SHORT_NAME: Quirks = {"name": {"wire": "name"}}
"""The quirk of a name that is in the body too."""


def resource_type(
    pulumi_type: str,
    title: str,
    operations: CrudOperations,
    *,
    quirks: Quirks | None = None,
    uncovered: tuple[str, ...] = (),
    timeouts: Mapping[str, int] | None = None,
    bare_errors: bool = False,
) -> ResourceType:
    """Return a resource type out of the provider's schema.

    Args:
        pulumi_type: the type token
        title: its name in the provider's errors
        operations: the calls
        quirks: what the schema does not say, by the property's path
        uncovered: inputs of the real plugin that the stand-in does not support
        timeouts: defaults in minutes that the schema lacks
        bare_errors: whether the provider returns the API's errors as they are
    """
    schema = load(pulumi_type)
    return ResourceType(
        pulumi_type=pulumi_type,
        title=title,
        properties=derive(schema, quirks or {}, uncovered),
        operations=operations,
        timeouts={**schema.timeouts, **(timeouts or {})},
        uncovered=uncovered,
        importable=schema.importable,
        bare_errors=bare_errors,
    )


def other_annotations(values: Values) -> Values:
    """Return the annotations of a resource that no program has set."""
    ours = values.get("annotations") or {}
    everything = values.get("effectiveAnnotations") or {}
    return {key: value for key, value in everything.items() if key not in ours}


def annotations(answer: Json, known: Values) -> Values:
    """Return the annotations of the program, and all there are, as outputs.

    Args:
        answer: the resource
        known: inputs or outputs that say which annotations are whose
    """
    everything = answer.get("annotations", {})
    ours = known.get("annotations") or {}
    return {
        "annotations": {key: everything[key] for key in ours if key in everything},
        "effectiveAnnotations": everything,
    }
