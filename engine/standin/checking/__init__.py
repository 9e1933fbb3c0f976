"""The check of a program's inputs against the properties of a resource type."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.standin.checking import refusals
from engine.standin.properties import Failure, Naming, Properties, Property, PropertyType
from engine.standin.values import Values, is_unknown

_PYTHON_TYPES: Mapping[PropertyType, type] = {
    "string": str, "boolean": bool, "integer": int, "number": float,
    "list": list, "map": dict, "object": dict,
}  # fmt: skip


def check(
    properties: Properties, news: Values, olds: Values, naming: Naming
) -> tuple[Values, list[Failure]]:
    """Check a program's inputs and fill the provider's defaults.

    The result lists in `__defaults`, at each object, what the provider filled: so does the real
    plugin.

    Args:
        properties: of the resource type.
        news: inputs as the program gives them.
        olds: inputs of the last update, for names made up before.
        naming: how to make up a name.
    """
    checker = _Checker(properties)
    inputs = checker.fill(properties, news)
    for name, prop in properties.items():
        if not prop.autoname or name in news or _is_excluded(prop, properties, news):
            continue
        if name in olds.get("__defaults", ()):
            inputs[name] = olds[name]
        elif naming.disabled:
            checker.failures.append(Failure(name, refusals.missing(prop.terraform)))
            continue
        else:
            inputs[name] = naming.name()
        inputs["__defaults"].append(name)
    inputs["__defaults"].sort()
    checker.inputs = inputs
    checker.check_object(properties, inputs, "", "")
    return inputs, checker.failures


@dataclass
class _Checker:
    """One check. The paths of its methods are those of Pulumi and of Terraform."""

    properties: Properties
    inputs: Values = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)

    def fill(self, properties: Properties, news: Values) -> Values:
        """Return inputs with the provider's defaults, at every depth."""
        inputs = {
            name: self._fill_value(properties.get(name), value)
            for name, value in news.items()
            if not name.startswith("__") and value is not None
        }
        defaults = [
            name
            for name, prop in properties.items()
            if name not in inputs and prop.default is not None and not prop.output
        ]
        inputs |= {name: properties[name].default for name in defaults}
        return {**inputs, "__defaults": sorted(defaults)}

    def _fill_value(self, prop: Property | None, value: Any) -> Any:
        if prop is None:
            return value
        if prop.type == "map" and isinstance(value, dict):
            return {key: entry for key, entry in value.items() if not key.startswith("__")}
        if prop.type == "object" and isinstance(value, dict):
            return self.fill(prop.fields, value)
        if prop.type == "list" and prop.fields and isinstance(value, list):
            return [self.fill(prop.fields, i) if isinstance(i, dict) else i for i in value]
        return value

    def check_object(self, properties: Properties, inputs: Values, at: str, tf: str) -> None:
        """Check the fields of an object, those that it has and those that it lacks."""
        for name, value in inputs.items():
            prop = properties.get(name)
            if name.startswith("__"):
                continue
            if prop is None:
                self._fail(f"{at}{name}", refusals.UNKNOWN_KEY)
            elif prop.output:
                self._fail(f"{at}{name}", refusals.unconfigurable(tf + prop.terraform))
            else:
                self._check_value(prop, value, f"{at}{name}", tf + prop.terraform)
        for name, prop in properties.items():
            reason = refusals.constraint(prop, tf + prop.terraform, name in inputs, self._value_at)
            if reason:
                self._fail(f"{at}{name}", reason)

    def _check_value(self, prop: Property, value: Any, at: str, tf: str) -> None:
        if is_unknown(value):
            return
        if not _is_a(prop.type, value):
            self._fail(at, _wrong_type(at, value, prop.type))
        elif prop.type == "object":
            self.check_object(prop.fields, value, f"{at}.", f"{tf}.0.")
        elif prop.type == "list":
            self._check_list(prop, value, at, tf)
        elif prop.type == "map":
            for key, entry in value.items():
                if not is_unknown(entry) and not isinstance(entry, str):
                    self._fail(f"{at}.{key}", _wrong_type(f"{at}.{key}", entry, "string"))
        elif reason := refusals.scalar(prop, value, tf):
            self._fail(at, reason)

    def _check_list(self, prop: Property, value: list[Any], at: str, tf: str) -> None:
        if reason := refusals.length(prop, len(value), tf):
            self._fail(at, reason)
            return
        type_ = "object" if prop.fields else prop.item
        item = Property(type=type_, fields=prop.fields, choices=prop.choices)
        for i, entry in enumerate(value):
            if item.type == "object" and isinstance(entry, dict):
                self.check_object(prop.fields, entry, f"{at}[{i}].", f"{tf}.{i}.")
            else:
                self._check_value(item, entry, f"{at}[{i}]", f"{tf}.{i}")

    def _value_at(self, path: str) -> Any:
        """Return the value at a Terraform path; None when it is not given."""
        properties: Properties = self.properties
        value: Any = self.inputs
        for name in (part for part in path.split(".") if not part.isdecimal()):
            if is_unknown(value):
                return value
            # A property that the stand-in does not cover is refused, and so is never given.
            found = next((key for key, prop in properties.items() if prop.terraform == name), "")
            if not isinstance(value, dict) or value.get(found) is None:
                return None
            properties, value = properties[found].fields, value[found]
        return value

    def _fail(self, path: str, reason: str) -> None:
        self.failures.append(Failure(path, reason))


def _is_excluded(prop: Property, properties: Properties, news: Values) -> bool:
    """Whether a program gives a property that excludes this one, such as a prefix of the name."""
    given = {properties[name].terraform for name in news if name in properties}
    return bool(given & set(prop.conflicts_with))


def _is_a(type_: PropertyType, value: Any) -> bool:
    if type_ in ("integer", "number") and isinstance(value, bool):
        return False
    if type_ == "number" and isinstance(value, int):
        return True
    return isinstance(value, _PYTHON_TYPES[type_])


def _wrong_type(where: str, value: Any, type_: PropertyType) -> str:
    got = next((name for name in _PYTHON_TYPES if _is_a(name, value)), type(value).__name__)
    if got == "map":
        got = "object"
    return f'"{where}" has to be of type {type_}, got {got} ({value!r})'
