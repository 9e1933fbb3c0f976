"""Errors of a stack's settings: key, value, what is allowed, and what to do."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pydantic import BaseModel
from pydantic_core import ErrorDetails

from components import rules

_MAX_VALUE_LENGTH = 120


@dataclass(frozen=True)
class ConfigError:
    """An error of one setting.

    Attributes:
        key: the full key with its path, such as `gcp-healthcare-dicom:dicomStores[1].name`
        message: what is wrong, what is allowed and what to do
        value: the value as JSON, cut short; None if it is missing or must not be shown
    """

    key: str
    message: str
    value: str | None = None

    def __str__(self) -> str:
        shown = "" if self.value is None else f" = {self.value}"
        return f"{self.key}{shown}\n    {self.message}"


class SettingsError(pulumi.RunError):
    """All errors of a stack's settings.

    A `pulumi.RunError`, so that the engine shows the text alone, without a traceback.

    Attributes:
        errors: in the order in which the settings are declared
    """

    def __init__(self, errors: Sequence[ConfigError], file: str) -> None:
        self.errors = tuple(errors)
        many = f"{len(errors)} settings" if len(errors) > 1 else "1 setting"
        lines = [f"{many} of this stack can't be used, so nothing was changed.", ""]
        lines += [f"  {error}" for error in self.errors]
        lines += ["", f"Fix {file}. All keys: docs/configuration.md"]
        super().__init__("\n".join(lines))


def show(value: object) -> str:
    """Return a value as one line of JSON, cut short where it is long."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _MAX_VALUE_LENGTH else f"{text[: _MAX_VALUE_LENGTH - 3]}..."


def unknown_key(name: str, allowed: Sequence[str], key: str, value: object = None) -> ConfigError:
    """Return the error of an unknown key; its value is shown only if given."""
    message = f"is not a setting.{rules.nearest(name, allowed)} Allowed: {', '.join(allowed)}."
    return ConfigError(key, message, None if value is None else show(value))


def translate(
    error: ErrorDetails, model: type[BaseModel], full_key: Mapping[str, str], fallback: str
) -> ConfigError:
    """Translate an error of pydantic into the words of a stack file.

    Args:
        error: The error.
        model: The model at the root of the error's location.
        full_key: Alias of a root field -> its full key in the stack's configuration.
        fallback: The namespace of root keys that are not in `full_key`.
    """
    location = error["loc"]
    key = _path(location, full_key, fallback)
    error_type, context = error["type"], error.get("ctx", {})
    value = show(error["input"])
    if error_type == "extra_forbidden":
        owner = _model_at(model, location[:-1])
        refused: Mapping[str, str] = getattr(owner, "refused", {})
        if location[-1] in refused:
            return ConfigError(key, refused[str(location[-1])], value)
        return unknown_key(str(location[-1]), _aliases(owner), key, error["input"])
    if error_type == "missing":
        return ConfigError(key, "is required, and missing.")
    if error_type == "rule":
        return ConfigError(key, str(context["message"]), value)
    if error_type == "literal_error":
        allowed = [item.strip("'") for item in _choices(str(context["expected"]))]
        near = rules.nearest(str(error["input"]), allowed)
        return ConfigError(key, f"is not allowed.{near} Allowed: {', '.join(allowed)}.", value)
    return ConfigError(key, _WORDS.get(error_type, f"can't be used: {error['msg']}."), value)


_WORDS: dict[str, str] = {
    "string_type": 'must be text. A number, true or false needs quotes: "1".',
    "bool_type": "must be true or false, without quotes.",
    "list_type": "must be a list.",
    "dict_type": "must be a map of keys to values.",
    "model_type": "must be an object, such as {name: store1}.",
}


def _choices(expected: str) -> list[str]:
    """Return the members of a Literal, out of pydantic's "'A', 'B' or 'C'"."""
    return [part.strip() for part in expected.replace(" or ", ", ").split(",") if part.strip()]


def _path(location: tuple[int | str, ...], full_key: Mapping[str, str], namespace: str) -> str:
    root = str(location[0])
    key = full_key.get(root, f"{namespace}:{root}")
    # pydantic marks an error of a map's key, not of its value, with a last step "[key]".
    for step in (step for step in location[1:] if step != "[key]"):
        key += f"[{step}]" if isinstance(step, int) else f".{step}"
    return key


def _aliases(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def _model_at(model: type[BaseModel], location: tuple[int | str, ...]) -> type[BaseModel]:
    """Return the model that a location leads to."""
    for step in location:
        if isinstance(step, int):
            continue
        field = next(
            field for name, field in model.model_fields.items() if (field.alias or name) == step
        )
        model = _inner_model(field.annotation) or model
    return model


def _inner_model(annotation: Any) -> type[BaseModel] | None:
    """Return the model inside `X`, `list[X]`, `X | None` or an annotated form of them."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        found = _inner_model(argument)
        if found is not None:
            return found
    return None
