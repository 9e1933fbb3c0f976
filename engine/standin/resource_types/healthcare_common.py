"""Parts that the resource types of the Cloud Healthcare API share."""

from typing import Any

from engine.standin.errors import ApiError
from engine.standin.http import Json
from engine.standin.provider_schema.derive import Quirks
from engine.standin.resource import ResourceType
from engine.standin.resource_types.common import IN_PATH, resource_type
from engine.standin.rest import Rest
from engine.standin.values import Values

ID_PATTERN = r"[\w.-]{1,256}"
NAMED: Quirks = {"name": {"wire": "name"}, "selfLink": IN_PATH}
"""The quirks of what is named in the body, and links to itself by the name that the API returns."""


def decode_name(answer: Json, known: Values) -> Values:
    """Return the short name, and as self link the full name that the API returns."""
    return {"name": known["name"], "selfLink": answer["name"]}


def decode_short_name(answer: Json, known: Values) -> Values:  # noqa: ARG001
    """Return the short name, which the program knows; the API returns the full one."""
    return {"name": known["name"]}


def is_not_initialized(error: Exception) -> bool:
    """Return whether a new dataset is not ready: the provider waits while it is a 404."""
    return (
        isinstance(error, ApiError)
        and error.code == 404
        and "dataset not initialized" in error.message.lower()
    )


def store_type(
    type_: str, title: str, collection: str, quirks: Quirks, **more: Any
) -> ResourceType:
    """Return the resource type of a type of store."""
    id_parameter = collection.removesuffix("s") + "Id"
    full = "projects/{project}/locations/{location}/datasets/{dataset}"
    return resource_type(
        f"gcp:healthcare/{type_[0].lower()}{type_[1:]}:{type_}",
        title,
        Rest(
            service="healthcare",
            id=f"{{dataset}}/{collection}/{{name}}",
            create_call=f"POST {{dataset}}/{collection}?{id_parameter}={{name}}",
            imports=(
                f"{full}/{collection}/{{name}}",
                f"{full}/{{name}}",
                "{project}/{location}/{dataset}/{name}",
                "{location}/{dataset}/{name}",
            ),
            seed={"dataset": full},
            decode=more.pop("decode", decode_name),
        ),
        quirks={"dataset": IN_PATH, **quirks},
        **more,
    )
