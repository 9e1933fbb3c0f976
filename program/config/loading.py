"""Settings from the configuration that the engine passes; any error refuses all of them."""

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
from pulumi.runtime.config import CONFIG, get_config_env, is_config_secret
from pydantic import ValidationError

from program.config.consistency import cross_field_errors
from program.config.errors import ConfigError, SettingsError, show, translate, unknown_key
from program.config.stack import Settings

NAMESPACE = "gcp-healthcare-dicom"
"""The namespace of the stack's own keys: the name of the project in `Pulumi.yaml`."""

EXIT_CODE_OF_SHOWN_ERRORS = 32
"""`PYTHON_PROCESS_EXITED_AFTER_SHOWING_USER_ACTIONABLE_MESSAGE_CODE` of Pulumi's launcher."""


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


def load_or_exit() -> Settings:
    """Read the configuration of the stack that is being run; show its errors and exit.

    Pulumi takes any other end of a program for an unhandled error, and says so.
    """
    try:
        return load()
    except SettingsError as error:
        pulumi.log.error(str(error))
        sys.exit(EXIT_CODE_OF_SHOWN_ERRORS)


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
    errors: list[ConfigError] = []
    for alias, key in full_key.items():
        if key in secret:
            errors.append(ConfigError(key, _NOT_ENCRYPTED))
        elif key in values:
            _decode(alias, key, values[key], raw, errors)
    hidden = None
    own = [alias for alias in _ALIASES if ":" not in alias]
    errors += [
        unknown_key(key.removeprefix(f"{namespace}:"), own, key, hidden if key in secret else text)
        for key, text in values.items()
        if key.startswith(f"{namespace}:") and key not in full_key.values()
    ]
    refused = {error.key for error in errors}
    try:
        settings = Settings.model_validate(raw)
    except ValidationError as invalid:
        found = (translate(item, Settings, full_key, namespace) for item in invalid.errors())
        errors += [error for error in found if error.key not in refused]
    errors += cross_field_errors(raw, full_key)
    if errors:
        order = list(full_key.values())
        errors.sort(key=lambda error: (_rank(error.key, order), error.key))
        raise SettingsError([_with_hint(error) for error in errors], f"Pulumi.{stack}.yaml")
    return settings


_ALIASES = tuple(field.alias or name for name, field in Settings.model_fields.items())
_SCHEMA = Settings.model_json_schema(by_alias=True)["properties"]
_TYPES = {alias: declared.get("type", "object") for alias, declared in _SCHEMA.items()}
_NOT_ENCRYPTED = (
    "is stored as a secret, but every setting appears in plain text in the names, labels and "
    "permissions of cloud resources. Set it again without --secret."
)


def _full_key(alias: str, namespace: str) -> str:
    return alias if ":" in alias else f"{namespace}:{alias}"


def _decode(
    alias: str, key: str, text: str, raw: dict[str, Any], errors: list[ConfigError]
) -> None:
    """Add the value of a key to `raw`, or an error to `errors` if its type is wrong."""
    type_ = _TYPES[alias]
    if type_ == "string":
        raw[alias] = text
        return
    try:
        value = json.loads(text)
    except ValueError:
        value = text
    wanted = {"boolean": bool, "integer": int, "array": list, "object": dict}[type_]
    if type(value) is wanted:
        raw[alias] = value
        return
    words = {
        "boolean": "true or false",
        "integer": "a whole number",
        "array": "a list",
        "object": "a map of keys to values",
    }
    errors.append(ConfigError(key, f"must be {words[type_]}.", show(value)))


def _rank(key: str, order: Sequence[str]) -> int:
    """Return the rank of an error: by the declaration of the settings, unknown keys last."""
    root = key.partition("[")[0]
    root = root if root in order else root.partition(".")[0]
    return order.index(root) if root in order else len(order)


def _with_hint(error: ConfigError) -> ConfigError:
    """Add the command that sets the project, which a new stack lacks."""
    if error.key != "gcp:project" or error.value is not None:
        return error
    hint = "Run `pulumi config set gcp:project MY-PROJECT`."
    return ConfigError(error.key, f"{error.message} {hint}")
