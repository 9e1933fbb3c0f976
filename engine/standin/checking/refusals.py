"""Texts of the real plug-in about inputs: those of Terraform's SDK and of Google's provider.

Documented: `helper/schema/schema.go` and `helper/validation` of the SDK, version 2, and the
validators of the google-beta provider. The bridge joins a summary and a detail by ". ".
"""

import base64
import binascii
import json
import re
from collections.abc import Callable
from typing import Any

from engine.standin.properties import Property
from engine.standin.values import is_unknown

UNKNOWN_KEY = "Invalid or unknown key"
_MIN_EXPIRATION = 3_600_000
_SECONDS_A_DAY = 86_400
_ACCOUNT_ID = "^[a-z](?:[-a-z0-9]{4,28}[a-z0-9])$"
_MAX_TEXT_LENGTH = 256


def located(reason: str, resource: str, path: str) -> str:
    """Return a reason with the place where the program has to look, as the bridge adds it."""
    return f"{reason}. Examine values at '{resource}.{path}'."


def missing(tf: str) -> str:
    """Return the text for a required field that is not given."""
    return (
        f'Missing required argument. The argument "{tf}" is required, but no definition was found.'
    )


def unconfigurable(tf: str) -> str:
    """Return the text for a field that is output only."""
    return (
        f'Value for unconfigurable attribute. Can\'t configure a value for "{tf}": its value will '
        "be decided automatically based on the result of applying this configuration."
    )


def constraint(prop: Property, tf: str, given: bool, value_at: Callable[[str], Any]) -> str:
    """Return the text for the first constraint between fields that a property breaks, or "".

    Args:
        prop: the property
        tf: its Terraform path
        given: whether the program gives it, or the provider fills it
        value_at: returns the value at another Terraform path, None when it is not given
    """
    found = {path for path in _related(prop) if value_at(path) is not None}
    found |= {tf} if given else set()
    reason = _alternatives(prop, tf, found)
    if reason or not given:
        return reason or (missing(tf) if prop.required and not prop.output else "")
    if not set(prop.required_with) <= found:
        among = ",".join(sorted({*prop.required_with, tf}))
        return f'Missing required argument. "{tf}": all of `{among}` must be specified'
    for other in prop.conflicts_with:
        if other in found and not is_unknown(value_at(other)):
            return f'Conflicting configuration arguments. "{tf}": conflicts with {other}'
    return ""


def _related(prop: Property) -> tuple[str, ...]:
    alternatives = prop.exactly_one_of + prop.at_least_one_of
    return alternatives + prop.required_with + prop.conflicts_with


def _alternatives(prop: Property, tf: str, found: set[str]) -> str:
    """Return the text for too few or too many of fields that stand for each other, or ""."""
    if prop.exactly_one_of:
        among = sorted({*prop.exactly_one_of, tf})
        given = [path for path in among if path in found]
        if not given:
            return _combination(tf, f"one of `{','.join(among)}` must be specified")
        if len(given) > 1:
            listed = f"only one of `{','.join(among)}` can be specified"
            return _combination(tf, f"{listed}, but `{','.join(given)}` were specified.")
    if prop.at_least_one_of:
        among = sorted({*prop.at_least_one_of, tf})
        if not found & set(among):
            listed = f"one of `{','.join(among)}` must be specified"
            return f'Missing required argument. "{tf}": {listed}'
    return ""


def _combination(tf: str, what: str) -> str:
    return f'Invalid combination of arguments. "{tf}": {what}'


def length(prop: Property, count: int, tf: str) -> str:
    """Return the text for a list that is too long or too short, or ""."""
    if prop.max_items is not None and count > prop.max_items:
        return (
            f"Too many list items. Attribute {tf} supports {prop.max_items} item maximum, but "
            f"config has {count} declared."
        )
    if prop.min_items is not None and count < prop.min_items:
        return (
            f"Not enough list items. Attribute {tf} requires {prop.min_items} item minimum, but "
            f"config has only {count} declared."
        )
    return ""


def scalar(prop: Property, value: Any, tf: str) -> str:
    """Return the text for a value that is not allowed, or ""."""
    if prop.choices and value not in prop.choices:
        allowed = " ".join(json.dumps(choice) for choice in prop.choices)
        return f"expected {tf} to be one of [{allowed}], got {value}"
    if prop.pattern and not re.search(prop.pattern, value):
        return f'"{tf}" ("{value}") doesn\'t match regexp {json.dumps(prop.pattern)}'
    if prop.validate is not None and not is_unknown(value):
        return prop.validate(value, tf) or ""
    return ""


def iam_member(value: str, tf: str) -> str | None:
    """Check a member as the provider does, which lets any KIND:NAME pass."""
    if value.startswith("deleted"):
        return (
            f"invalid value for {tf} (Terraform does not support IAM members for deleted "
            "principals)"
        )
    named = "projectOwners|projectReaders|projectWriters|allUsers|allAuthenticatedUsers"
    if not re.search(rf".+:.+|{named}", value):
        return (
            f'invalid value "{value}" for {tf} (IAM members must have one of the values outlined '
            "here: https://cloud.google.com/billing/docs/reference/rest/v1/Policy#Binding)"
        )
    return None


def bigquery_dataset_id(value: str, tf: str) -> str | None:
    """Check the id of a BigQuery dataset."""
    if not re.fullmatch(r"[0-9A-Za-z_]+", value):
        return f'"{tf}" must contain only letters (a-z, A-Z), numbers (0-9), or underscores (_)'
    return None if len(value) <= 1024 else f'"{tf}" cannot be greater than 1,024 characters'


def table_expiration(value: int, tf: str) -> str | None:
    """Check the expiry of new tables, in milliseconds."""
    if value < _MIN_EXPIRATION:
        return f'"{tf}" cannot be shorter than 3600000 milliseconds (one hour)'
    return None


def rotation_period(value: str, tf: str) -> str | None:  # noqa: ARG001 - the text has no path
    """Check the rotation period of a key."""
    match = re.fullmatch(r"([0-9.]*\d)s", value)
    if match is None or match[1].count(".") > 1:
        return f"Invalid rotation period format: {value}"
    if float(match[1]) < _SECONDS_A_DAY:
        return "Rotation period must be greater than one day"
    if len(match[1].partition(".")[2]) > 9:
        return "Rotation period cannot have more than 9 fractional digits"
    return None


def service(value: str, tf: str) -> str | None:
    """Check the name of an API."""
    if value == "bigquery-json.googleapis.com":  # a name that it had once
        return f'expected {tf} to not be one of ["bigquery-json.googleapis.com"], got {value}'
    if "." not in value:
        return f"expected {value} to be a domain like serviceusage.googleapis.com"
    return None


def base64_text(value: str, tf: str) -> str | None:
    """Check bytes in base64."""
    try:
        base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return (
            f"could not decode {tf} as a valid base64 value. Please use the terraform base64 "
            "functions such as base64encode() or filebase64() to supply a valid base64 string"
        )
    return None


def json_text(value: str, tf: str) -> str | None:
    """Check JSON as text; the parser's own words are Python's here."""
    try:
        json.loads(value)
    except ValueError as error:
        return f'"{tf}" contains an invalid JSON: {error}'
    return None


def account_id(value: str, tf: str) -> str | None:
    """Check the id of a service account: `ValidateRFC1035Name(6, 30)` of the provider."""
    if not re.search(_ACCOUNT_ID, value):
        return f'"{tf}" ("{value}") doesn\'t match regexp "{_ACCOUNT_ID}"'
    return None


def text_length(value: str, tf: str) -> str | None:
    """Check the length of a filter or a description.

    Inferred: the schema says there is a check, and the reference says what the API takes.
    """
    if len(value) > _MAX_TEXT_LENGTH:
        return f"expected length of {tf} to be in the range (0 - {_MAX_TEXT_LENGTH}), got {value}"
    return None
