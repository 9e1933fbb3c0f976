"""Property values: between the protocol's Structs and plain Python, with a preview's unknowns."""

from collections.abc import Mapping
from typing import Any

from google.protobuf import struct_pb2

Values = dict[str, Any]

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""How the protocol writes a value that is not known before the update."""

_UNKNOWNS = frozenset(
    {
        UNKNOWN,
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",  # bool
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",  # number
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",  # array
        "030794c1-ac77-496b-92df-f27374a8bd58",  # asset
        "e48ece36-62e2-4504-bad9-02848725956a",  # archive
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",  # object
    }
)


def is_unknown(value: object) -> bool:
    """Whether the value is one of the protocol's placeholders for "known after the update"."""
    return isinstance(value, str) and value in _UNKNOWNS


def has_unknown(value: object) -> bool:
    """Whether an unknown is anywhere inside the value."""
    if isinstance(value, Mapping):
        return any(has_unknown(item) for item in value.values())
    if isinstance(value, list):
        return any(has_unknown(item) for item in value)
    return is_unknown(value)


def is_zero(value: object) -> bool:
    """Whether the value says no more than "not set": the providers do not distinguish these."""
    return (
        value is None or value == "" or value is False or value == 0 or value == [] or value == {}
    )


def from_struct(struct: struct_pb2.Struct) -> Values:
    """Return a Struct as a dict; whole numbers become ints."""
    return {key: _from_value(value) for key, value in struct.fields.items()}


def _from_value(value: struct_pb2.Value) -> Any:
    field = value.WhichOneof("kind")
    if field == "struct_value":
        return from_struct(value.struct_value)
    if field == "list_value":
        return [_from_value(item) for item in value.list_value.values]
    if field == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() else number
    if field == "string_value":
        return value.string_value
    return value.bool_value if field == "bool_value" else None


def to_struct(values: Mapping[str, Any]) -> struct_pb2.Struct:
    """Return a dict as a Struct."""
    struct = struct_pb2.Struct()
    struct.update(dict(values))
    return struct


def without_internal(value: Any) -> Any:
    """Return the value without the provider's `__defaults` and `__meta`, at every depth."""
    if isinstance(value, Mapping):
        return {k: without_internal(v) for k, v in value.items() if not k.startswith("__")}
    if isinstance(value, list):
        return [without_internal(item) for item in value]
    return value
