"""JSON of segments by the definitions of their types.

Observed in the inputs of https://github.com/GoogleCloudPlatform/healthcare-data-harmonization
(`mapping_configs/hl7v2_fhir_stu3`): the key `0` holds the id of a segment, an empty part is null up
to the last part that the message has, a part that may repeat is a list, and a value of varying type
has components and subcomponents as objects. Inferred (conformance: hl7v2-schema-values): what does
not fit a type.
"""

from collections.abc import Callable, Sequence
from typing import Any

from emulator.services.healthcare.hl7v2.parsing.syntax import (
    Component,
    Delimiters,
    Field,
    Repetition,
    Segment,
)
from emulator.services.healthcare.hl7v2.schematized.definitions import (
    STRING,
    UNESCAPED_STRING,
    VARIES,
    FieldDefinition,
    TypeDefinition,
)
from emulator.services.healthcare.hl7v2.schematized.grammar import SchemaError

FindType = Callable[[str], TypeDefinition | None]


class Converter:
    """Converts the segments of one message.

    Args:
        find_type: returns the definition of a type by its name
        delimiters: of the message
        ignore_min_occurs: whether fields and components that are required may be missing
        is_lenient: whether a segment without a definition is of varying type
    """

    def __init__(
        self,
        find_type: FindType,
        delimiters: Delimiters,
        *,
        ignore_min_occurs: bool,
        is_lenient: bool,
    ) -> None:
        self._find_type = find_type
        self._delimiters = delimiters
        self._ignore_min_occurs = ignore_min_occurs
        self._is_lenient = is_lenient

    def convert(self, segment: Segment) -> dict[str, Any]:
        """Return the JSON of a segment.

        Raises:
            SchemaError: the segment does not fit its type
        """
        type_ = self._find_type(segment.id)
        if type_ is None and not self._is_lenient:
            raise SchemaError(f"no type is defined for segment {segment.id}")
        fields = segment.fields[1:]
        if type_ is None or type_.primitive == VARIES:
            definitions: Sequence[FieldDefinition] = [
                FieldDefinition(str(number), VARIES, max_occurs=0)
                for number in range(1, len(fields) + 1)
            ]
        else:
            definitions = type_.fields
        self._check(definitions, [_is_empty(field) for field in fields], segment.id)
        found: dict[str, Any] = {"0": segment.id}
        for definition, field in zip(definitions, fields, strict=False):
            found[definition.name] = self._field(definition, field, segment.id)
        return found

    def _check(
        self, definitions: Sequence[FieldDefinition], empty: Sequence[bool], where: str
    ) -> None:
        """Refuse parts that are missing, and those that the type does not have."""
        if not all(empty[len(definitions) :]):
            raise SchemaError(f"{where} has more than {len(definitions)} parts")
        if self._ignore_min_occurs:
            return
        for index, definition in enumerate(definitions):
            if definition.is_required and (index >= len(empty) or empty[index]):
                raise SchemaError(f"missing required {where}.{definition.name}")

    def _field(self, definition: FieldDefinition, field: Field, where: str) -> Any:
        where = f"{where}.{definition.name}"
        if _is_empty(field):
            return None
        if 0 < definition.max_occurs < len(field):
            raise SchemaError(f"{where} is there more than {definition.max_occurs} times")
        values = [self._value(definition.type, repetition, where) for repetition in field]
        return values[0] if definition.max_occurs == 1 else values

    def _value(self, type_name: str, parts: Repetition, where: str) -> Any:
        type_ = self._type(type_name, where)
        if type_.primitive == UNESCAPED_STRING:
            marks = self._delimiters
            return marks.component.join(marks.subcomponent.join(part) for part in parts)
        if type_.primitive == VARIES:
            return {str(number): _varying(part) for number, part in enumerate(parts, start=1)}
        if type_.primitive == STRING:
            return self._string(parts, where)
        self._check(type_.fields, [not any(part) for part in parts], where)
        return {
            definition.name: self._component(definition, part, where)
            for definition, part in zip(type_.fields, parts, strict=False)
        }

    def _component(self, definition: FieldDefinition, part: Component, where: str) -> Any:
        if not any(part):
            return None
        # The subcomponents of a component are the parts of its type.
        return self._value(
            definition.type,
            [[each] for each in part],
            f"{where}.{definition.name}",
        )

    def _string(self, parts: Repetition, where: str) -> str | None:
        if len(parts) > 1 or len(parts[0]) > 1:
            raise SchemaError(f"{where} has parts, but its type has none")
        return parts[0][0] or None

    def _type(self, name: str, where: str) -> TypeDefinition:
        found = TypeDefinition(VARIES) if name == VARIES else self._find_type(name)
        if found is None:
            raise SchemaError(f"no type {name} is defined for {where}")
        return found


def _varying(part: Component) -> dict[str, str | None] | None:
    if not any(part):
        return None
    return {str(number): value or None for number, value in enumerate(part, start=1)}


def _is_empty(field: Field) -> bool:
    return not any(value for repetition in field for part in repetition for value in part)
