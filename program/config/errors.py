"""What is wrong with a stack's settings, in words: key, value, what is allowed, cure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pydantic import BaseModel
from pydantic_core import ErrorDetails

from components import rules

_LONGEST_VALUE = 120


@dataclass(frozen=True)
class Problem:
    """One setting that can't be used.

    Attributes:
        key: The full key with its path, such as `gcp-healthcare-dicom:dicomStores[1].name`.
        complaint: What is wrong with it, what is allowed and the cure.
        value: The value as JSON, cut short; None where it is missing or must not be shown.
    """

    key: str
    complaint: str
    value: str | None = None

    def __str__(self) -> str:
        shown = "" if self.value is None else f" = {self.value}"
        return f"{self.key}{shown}\n    {self.complaint}"


class SettingsError(pulumi.RunError):
    """Settings that can't be used: all of them at once.

    A `pulumi.RunError`, so that the engine shows the text alone, without a traceback.

    Attributes:
        problems: Every problem, in the order of the settings' declaration.
    """

    def __init__(self, problems: Sequence[Problem], file: str) -> None:
        self.problems = tuple(problems)
        many = f"{len(problems)} settings" if len(problems) > 1 else "1 setting"
        lines = [f"{many} of this stack can't be used, so nothing was changed.", ""]
        lines += [f"  {problem}" for problem in self.problems]
        lines += ["", f"Mend {file}; docs/configuration.md describes every key."]
        super().__init__("\n".join(lines))


def show(value: object) -> str:
    """A value as one line of JSON, cut short where it is long."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 3]}..."


def unknown_key(name: str, allowed: Sequence[str], key: str, value: object = None) -> Problem:
    """A key that no setting has; its value may be anything, so it is only shown if given."""
    complaint = f"is not a setting.{rules.nearest(name, allowed)} Allowed: {', '.join(allowed)}."
    return Problem(key, complaint, None if value is None else show(value))


def translate(
    error: ErrorDetails, model: type[BaseModel], full_key: Mapping[str, str], fallback: str
) -> Problem:
    """Put one of pydantic's errors into the words of a stack file.

    Args:
        error: The error.
        model: The model at the root of the error's location.
        full_key: Alias of a root field -> its full key in the stack's configuration.
        fallback: The namespace of root keys that are not in `full_key`.
    """
    location = error["loc"]
    key = _path(location, full_key, fallback)
    kind, context = error["type"], error.get("ctx", {})
    value = show(error["input"])
    if kind == "extra_forbidden":
        owner = _model_at(model, location[:-1])
        return unknown_key(str(location[-1]), _aliases(owner), key, error["input"])
    if kind == "missing":
        return Problem(key, "is required, and missing.")
    if kind == "rule":
        return Problem(key, str(context["complaint"]), value)
    if kind == "literal_error":
        allowed = [item.strip("'") for item in _choices(str(context["expected"]))]
        near = rules.nearest(str(error["input"]), allowed)
        return Problem(key, f"is not allowed.{near} Allowed: {', '.join(allowed)}.", value)
    return Problem(key, _WORDS.get(kind, f"can't be used: {error['msg']}."), value)


_WORDS: dict[str, str] = {
    "string_type": 'must be text. A number, true or false needs quotes: "1".',
    "bool_type": "must be true or false, without quotes.",
    "list_type": "must be a list.",
    "dict_type": "must be a map of keys to values.",
    "model_type": "must be an object, such as {name: store1}.",
}


def _choices(expected: str) -> list[str]:
    """The members of a Literal, out of pydantic's "'A', 'B' or 'C'"."""
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
    """The model that a location leads to."""
    for step in location:
        if isinstance(step, int):
            continue
        field = next(
            field for name, field in model.model_fields.items() if (field.alias or name) == step
        )
        model = _inner_model(field.annotation) or model
    return model


def _inner_model(annotation: Any) -> type[BaseModel] | None:
    """The model inside `X`, `list[X]`, `X | None` or an annotated form of them."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        found = _inner_model(argument)
        if found is not None:
            return found
    return None
