"""From the engine's texts to settings, refused as a whole when any of them is wrong."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
from pulumi.runtime.config import CONFIG, get_config_env, is_config_secret
from pydantic import ValidationError

from components.problems import Problem, SettingsError, show, translate, unknown_key
from components.settings.consistency import contradictions
from components.settings.stack import Settings

NAMESPACE = "gcp-healthcare-dicom"
"""The namespace of the stack's own keys: the name of the project in `Pulumi.yaml`."""


def load(config: pulumi.Config | None = None) -> Settings:
    """Read and check the configuration of the stack that is being run.

    Args:
        config: The stack's configuration; by default that of the running program.

    Raises:
        SettingsError: One or more settings can't be used. It lists all of them.
    """
    namespace = (config or pulumi.Config(NAMESPACE)).name
    values = {str(key): str(value) for key, value in {**get_config_env(), **CONFIG.get()}.items()}
    secret = {key for key in values if is_config_secret(key)}
    return parse(values, secret=secret, namespace=namespace, stack=pulumi.get_stack())


def parse(
    values: Mapping[str, str],
    *,
    secret: set[str] | frozenset[str] = frozenset(),
    namespace: str = NAMESPACE,
    stack: str = "dev",
) -> Settings:
    """Check a stack's configuration as the engine hands it to a program.

    Args:
        values: Full key -> value. Lists and maps are JSON texts, all else is plain text.
        secret: The full keys whose values are stored as secrets.
        namespace: The namespace of the stack's own keys.
        stack: The stack's name, for the message.

    Raises:
        SettingsError: One or more settings can't be used. It lists all of them.
    """
    full_key = {alias: _full_key(alias, namespace) for alias in _ALIASES}
    raw: dict[str, Any] = {}
    problems: list[Problem] = []
    for alias, key in full_key.items():
        if key in secret:
            problems.append(Problem(key, _NOT_ENCRYPTED))
        elif key in values:
            _decode(alias, key, values[key], raw, problems)
    hidden = None
    own = [alias for alias in _ALIASES if ":" not in alias]
    problems += [
        unknown_key(key.removeprefix(f"{namespace}:"), own, key, hidden if key in secret else text)
        for key, text in values.items()
        if key.startswith(f"{namespace}:") and key not in full_key.values()
    ]
    refused = {problem.key for problem in problems}
    try:
        settings = Settings.model_validate(raw)
    except ValidationError as error:
        found = (translate(item, Settings, full_key, namespace) for item in error.errors())
        problems += [problem for problem in found if problem.key not in refused]
    problems += contradictions(raw, full_key)
    if problems:
        order = list(full_key.values())
        problems.sort(key=lambda problem: (_rank(problem.key, order), problem.key))
        raise SettingsError([_with_cure(problem) for problem in problems], f"Pulumi.{stack}.yaml")
    return settings


_ALIASES = tuple(field.alias or name for name, field in Settings.model_fields.items())
_SCHEMA = Settings.model_json_schema(by_alias=True)["properties"]
_KINDS = {alias: declared.get("type", "object") for alias, declared in _SCHEMA.items()}
_NOT_ENCRYPTED = (
    "is stored as a secret, but every setting appears in plain text in the names, labels and "
    "permissions of cloud resources. Set it again without --secret."
)


def _full_key(alias: str, namespace: str) -> str:
    return alias if ":" in alias else f"{namespace}:{alias}"


def _decode(alias: str, key: str, text: str, raw: dict[str, Any], problems: list[Problem]) -> None:
    """Turn the engine's text for one key into a value of its type; a wrong type is a problem."""
    kind = _KINDS[alias]
    if kind == "string":
        raw[alias] = text
        return
    try:
        value = json.loads(text)
    except ValueError:
        value = text
    wanted = {"boolean": bool, "integer": int, "array": list, "object": dict}[kind]
    if type(value) is wanted:
        raw[alias] = value
        return
    words = {
        "boolean": "true or false",
        "integer": "a whole number",
        "array": "a list",
        "object": "a map of keys to values",
    }
    problems.append(Problem(key, f"must be {words[kind]}.", show(value)))


def _rank(key: str, order: Sequence[str]) -> int:
    """Where a problem stands in the list: as the settings are declared, unknown keys last."""
    root = key.partition("[")[0]
    root = root if root in order else root.partition(".")[0]
    return order.index(root) if root in order else len(order)


def _with_cure(problem: Problem) -> Problem:
    """Say how the project is set, which everyone meets first."""
    if problem.key != "gcp:project" or problem.value is not None:
        return problem
    return Problem(problem.key, f"{problem.complaint} Cure: pulumi config set gcp:project MY-ID")
