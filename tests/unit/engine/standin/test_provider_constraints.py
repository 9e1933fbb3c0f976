"""Each constraint in the copy of the provider's schema, broken once, at every depth.

The texts are those of helper/schema/schema.go and helper/validation of Terraform's SDK.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from engine.standin import provider_schema, registry
from engine.standin.properties import Naming
from engine.standin.provider_schema import Field
from engine.standin.resource import ResourceType

TYPES = {type_.pulumi_type: type_ for type_ in registry.resource_types()}
SAMPLES: Mapping[str, Any] = {
    "member": "user:anna@example.com",
    "service": "pubsub.googleapis.com",
    "schema": "[]",
    "rotationPeriod": "86400s",
    "segmentTerminator": "DQ==",
    "datasetId": "imaging",
    "accountId": "adapter",
    "serviceAccountId": "projects/p-1/serviceAccounts/adapter@p-1.iam.gserviceaccount.com",
    "defaultTableExpirationMs": 3_600_000,
}
"""Values of fields whose check is code."""
UNCONFIGURABLE = (
    'Value for unconfigurable attribute. Can\'t configure a value for "{}": its value will be '
    "decided automatically based on the result of applying this configuration."
)
MISSING = 'Missing required argument. The argument "{}" is required, but no definition was found.'
TOO_MANY = "Too many list items. Attribute {} supports {} item maximum, but config has {} declared."
TOO_FEW = (
    "Not enough list items. Attribute {} requires {} item minimum, but config has only {} declared."
)
ONE_TOO_MANY = (
    'Invalid combination of arguments. "{}": only one of `{}` can be specified, but `{}` were '
    "specified."
)
NONE_OF = 'Missing required argument. "{}": one of `{}` must be specified'
ALL_OF = 'Missing required argument. "{}": all of `{}` must be specified'
CONFLICT = 'Conflicting configuration arguments. "{}": conflicts with {}'
MADE_UP = ("name", "secretId", "accountId")
"""Required fields that Pulumi makes out of the name in the program."""
OF_TYPE: Mapping[str, Any] = {"String": "text", "Bool": True, "Int": 1, "Float": 1.5, "Map": {}}


@dataclass(frozen=True)
class Case:
    """A constraint that an input breaks.

    Attributes:
        token: of the resource type
        path: of the field
        given: paths of fields that are given, with all that they need
        left_out: paths of fields that are not
        value: of the field; None for a sample
        reason: the text of the refusal
    """

    token: str
    path: str
    reason: str
    given: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    value: Any = None

    def __str__(self) -> str:
        """Return the id of the test."""
        return f"{self.token.rpartition(':')[2]} {self.path} {self.reason.partition('.')[0][:30]}"


@dataclass(frozen=True)
class Inputs:
    """Valid inputs of a resource type, with some fields given and others left out.

    Attributes:
        fields: of the type, by Pulumi path
        case: which constraint they break
    """

    fields: Mapping[str, Field]
    case: Case

    def level(self, prefix: str = "") -> dict[str, Any]:
        """Return an object: what it requires and what is given."""
        inner = {
            path.removeprefix(prefix): field
            for path, field in self.fields.items()
            if path.startswith(prefix) and "." not in path.removeprefix(prefix)
        }
        wanted = {name for name, field in inner.items() if self._is_wanted(prefix + name, field)}
        names = {field.terraform: name for name, field in inner.items()}
        for field in inner.values():
            among = [one.rpartition(".")[2] for one in field.exactlyOneOf or field.atLeastOneOf]
            among += [field.terraform] if among and field.terraform not in among else []
            among = [names[one] for one in among if one in names]
            if among and not wanted & set(among):
                wanted |= {one for one in among[:1] if prefix + one not in self.case.left_out}
        return {name: self._value(prefix + name, inner[name]) for name in sorted(wanted)}

    def _is_wanted(self, path: str, field: Field) -> bool:
        if path in self.case.left_out:
            return False
        given = (self.case.path, *self.case.given)
        return field.required or any(f"{one}.".startswith(f"{path}.") for one in given)

    def _value(self, path: str, field: Field) -> Any:
        if path == self.case.path and self.case.value is not None:
            return self.case.value
        if field.elem == "object":
            return self._one_or_list(field, self.level(f"{path}."))
        name = path.rpartition(".")[2]
        scalar = OF_TYPE.get(field.type) or OF_TYPE.get(field.elem)
        value = SAMPLES.get(name, field.values[0] if field.values else scalar)
        return self._one_or_list(field, value)

    @staticmethod
    def _one_or_list(field: Field, value: Any) -> Any:
        is_list = field.type in ("List", "Set") and field.maxItems != 1
        return [value] * (field.minItems or 1) if is_list else value


def covered(type_: ResourceType) -> dict[str, Field]:
    fields = provider_schema.load(type_.pulumi_type).fields
    return {
        path: one for path, one in fields.items() if path.partition(".")[0] not in type_.uncovered
    }


def terraform(fields: Mapping[str, Field], path: str) -> str:
    """The Terraform path of a field: each parent's first item."""
    steps = path.split(".")
    parents = [".".join(steps[: n + 1]) for n in range(len(steps))]
    return ".0.".join(fields[one].terraform for one in parents)


def cases(token: str, fields: Mapping[str, Field]) -> Iterator[Case]:
    paths = {terraform(fields, path): path for path in fields}
    for path, field in fields.items():
        parent = path.rpartition(".")[0]
        if parent and fields[parent].output:
            continue  # the parent alone is refused
        if field.output:
            yield Case(token, path, UNCONFIGURABLE.format(terraform(fields, path)), value=[])
            continue
        yield from _of_the_value(token, path, fields)
        yield from _of_alternatives(token, path, fields, paths)
        yield from _of_company(token, path, fields, paths)


def _of_the_value(token: str, path: str, fields: Mapping[str, Field]) -> Iterator[Case]:
    """Yield what a field demands of its own value."""
    field, tf, parent = fields[path], terraform(fields, path), path.rpartition(".")[0]
    if field.required and path not in MADE_UP and not field.exactlyOneOf:
        given = (parent,) if parent else ()
        yield Case(token, path, MISSING.format(tf), given=given, left_out=(path,))
    if field.values:
        allowed = " ".join(f'"{one}"' for one in field.values)
        is_list = field.type in ("List", "Set")
        where, value = (f"{tf}.0", ["nothing"]) if is_list else (tf, "nothing")
        reason = f"expected {where} to be one of [{allowed}], got nothing"
        yield Case(token, path, reason, value=value)
    if field.type in ("List", "Set") and (field.maxItems or 1) > 1:
        most = field.maxItems or 0
        reason = TOO_MANY.format(tf, most, most + 1)
        yield Case(token, path, reason, value=[{}] * (most + 1))
    if field.minItems and field.maxItems != 1:
        reason = TOO_FEW.format(tf, field.minItems, field.minItems - 1)
        yield Case(token, path, reason, value=[])


def _of_alternatives(
    token: str, path: str, fields: Mapping[str, Field], paths: Mapping[str, str]
) -> Iterator[Case]:
    """Yield what a field demands of those that stand for it."""
    field, tf = fields[path], terraform(fields, path)
    for other in field.exactlyOneOf:
        if other in paths and other != tf:
            among = ",".join(sorted({*field.exactlyOneOf, tf}))
            reason = ONE_TOO_MANY.format(tf, among, ",".join(sorted((tf, other))))
            yield Case(token, path, reason, given=(paths[other],))
    least = [one for one in sorted({*field.atLeastOneOf, tf}) if one in paths]
    # Without the program's own one, the provider takes a default for one of them.
    if field.atLeastOneOf and all(fields[paths[one]].default is None for one in least):
        parent = path.rpartition(".")[0]
        left_out = tuple(paths[one] for one in least)
        given = (parent,) if parent else ()
        reason = NONE_OF.format(tf, ",".join(least))
        yield Case(token, path, reason, given=given, left_out=left_out)


def _of_company(
    token: str, path: str, fields: Mapping[str, Field], paths: Mapping[str, str]
) -> Iterator[Case]:
    """Yield what a field demands of those that are given beside it."""
    field, tf = fields[path], terraform(fields, path)
    for other in field.conflictsWith:
        if other in paths:
            yield Case(token, path, CONFLICT.format(tf, other), given=(paths[other],))
    if field.requiredWith:
        others = tuple(paths[one] for one in field.requiredWith if one in paths and one != tf)
        listed = ",".join(sorted({*field.requiredWith, tf}))
        yield Case(token, path, ALL_OF.format(tf, listed), left_out=others)


ALL = [case for token, type_ in TYPES.items() for case in cases(token, covered(type_))]


@pytest.mark.parametrize("case", ALL, ids=str)
def test_a_broken_constraint_is_refused_in_the_providers_words(case: Case) -> None:
    type_ = TYPES[case.token]
    given = Inputs(covered(type_), case).level()

    _, failures = type_.check(given, {}, Naming(logical="one"))

    assert case.reason in {failure.reason for failure in failures}, (given, failures)


@pytest.mark.parametrize("token", TYPES)
def test_inputs_that_break_none_are_taken(token: str) -> None:
    given = Inputs(covered(TYPES[token]), Case(token, "", "")).level()

    assert TYPES[token].check(given, {}, Naming(logical="one"))[1] == []
