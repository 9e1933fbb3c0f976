"""Outputs as the real plug-in writes them: zero values are there, and sets have an order.

Observed with google-beta 7.45 under the Pulumi bridge. What the provider reads from the API has at
least its zero value; what it keeps for itself is null until the program gives it. Objects and maps
that are not set are null.
"""

import json
from typing import Any

from engine.standin.properties import Properties, Property
from engine.standin.values import Values, is_zero

_ZEROS = {"string": "", "boolean": False, "integer": 0, "number": 0}


def fill(properties: Properties, values: Values) -> Values:
    """Return what was read from the API with the zero values of all that is missing."""
    return {
        **values,
        **{name: _filled(prop, values.get(name)) for name, prop in properties.items()},
    }


def _filled(prop: Property, value: Any) -> Any:
    if value is None:
        return [] if prop.type == "list" else _ZEROS.get(prop.type)
    if prop.type == "object":
        return fill(prop.fields, value)
    if prop.ignored_keys:
        return {key: one for key, one in value.items() if key not in prop.ignored_keys} or None
    if prop.type != "list":
        return value
    items = [fill(prop.fields, item) for item in value] if prop.fields else list(value)
    return sorted(items, key=lambda item: _order(prop, item)) if prop.unordered else items


def _order(prop: Property, item: Any) -> str:
    """Return the text that items of a set are sorted by: all their values, by Terraform name.

    Inferred from the observed orders: Terraform's type system sorts by such a text.
    """
    if not prop.fields:
        return str(item)
    fields = sorted(prop.fields.items(), key=lambda entry: entry[1].terraform)
    return "".join(f"{_text(field, item.get(name))};" for name, field in fields)


def _text(prop: Property, value: Any) -> str:
    if prop.type == "object":
        return f"[{_order(prop, value)}]" if value else "[]"
    if prop.type == "list":
        return "[" + "".join(f"{_order(prop, one)};" for one in value or []) + "]"
    return json.dumps(value)


def without_zeros(prop: Property, value: Any) -> Any:
    """Return an output as the input that leads to it: without what no program has to write."""
    if prop.type == "object" and isinstance(value, dict):
        return _set_fields(prop.fields, value)
    if prop.type == "list" and prop.fields and isinstance(value, list):
        return [_set_fields(prop.fields, item) for item in value]
    return value


def _set_fields(fields: Properties, values: Values) -> Values:
    return {
        name: without_zeros(field, values.get(name))
        for name, field in fields.items()
        if not field.output and (field.required or not is_zero(values.get(name)))
    }
