"""Schema packages of stores: the schemas and types that apply to a message, and its JSON.

The layers, the selectors by fields of MSH and the two modes of failure are documented in the
reference of `SchemaPackage`. Inferred (conformance: hl7v2-schema-layers): the default schema lies
below the layers of a store.
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from emulator.services.healthcare.hl7v2.parsing.syntax import ParsedMessage, Segment
from emulator.services.healthcare.hl7v2.schematized import default_schema
from emulator.services.healthcare.hl7v2.schematized.definitions import (
    Group,
    TypeDefinition,
    group_of,
    type_of,
)
from emulator.services.healthcare.hl7v2.schematized.grammar import (
    FAIL,
    PARSE,
    SKIP,
    Assignment,
    SchemaError,
)
from emulator.services.healthcare.hl7v2.schematized.values import Converter

Config = Mapping[str, Any]

MSH_FIELD = re.compile(r"(\d{1,3})(?:\[(\d{1,3})\])?(?:\.(\d{1,3}))?(?:\.(\d{1,3}))?")
HARD_FAIL = "HARD_FAIL"


class SchemaPackage:
    """The schemas and types of a store.

    Args:
        config: the API's message SchemaPackage
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        handling = config.get("unexpectedSegmentHandling", "")
        self._unexpected = handling if handling in (SKIP, PARSE) else FAIL
        self._ignore_min_occurs = bool(config.get("ignoreMinOccurs"))

    @property
    def fails_hard(self) -> bool:
        """Whether a message that does not fit is refused."""
        return self._config.get("schematizedParsingType") == HARD_FAIL

    def schematize(self, message: ParsedMessage) -> dict[str, str]:
        """Return the field `schematizedData` of a message: its JSON, or the error."""
        try:
            return {"data": self._parse(message)}
        except SchemaError as error:
            return {"error": str(error)}

    def _parse(self, message: ParsedMessage) -> str:
        header = message.header
        if header is None:
            raise SchemaError("the message has no MSH, which names its schema")
        group = self._group(header)
        types = self._types(header)

        def find_type(name: str) -> TypeDefinition | None:
            config = types.get(name)
            return default_schema.find_type(name) if config is None else type_of(config)

        converter = Converter(
            find_type,
            message.delimiters,
            ignore_min_occurs=self._ignore_min_occurs,
            is_lenient=self._unexpected == PARSE,
        )
        assignment = Assignment(
            group,
            converter.convert,
            ignore_min_occurs=self._ignore_min_occurs,
            unexpected=self._unexpected,
        )
        output = {group.name: assignment.run(message.segments)}
        return json.dumps(output, ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    def _group(self, header: Segment) -> Group:
        """Return the schema of a message: that of the last layer which has one."""
        message_type, event = header.value(9), header.value(9, 2)
        key = f"{message_type}_{event}" if event else message_type
        for schema in reversed(self._config.get("schemas", [])):
            config = schema.get("messageSchemaConfigs", {}).get(key)
            if config is not None and _matches(header, schema.get("version", [])):
                return group_of(config, key)
        found = default_schema.group(message_type, event)
        if found is None:
            raise SchemaError("no schema is defined for the message type and trigger event")
        return found

    def _types(self, header: Segment) -> Mapping[str, Config]:
        """Return the types that the store defines for a message, by name."""
        return {
            type_["name"]: type_
            for layer in self._config.get("types", [])
            if _matches(header, layer.get("version", []))
            for type_ in layer.get("type", [])
            if "name" in type_
        }


def _matches(header: Segment, sources: Iterable[Config]) -> bool:
    """Whether a message has the values that all selectors name."""
    return all(
        _value(header, each.get("mshField", "")) == each.get("value", "") for each in sources
    )


def _value(header: Segment, path: str) -> str:
    """Return a value of MSH by a path such as `12`, `3.1` or `18[1].1`."""
    match = MSH_FIELD.fullmatch(path)
    if match is None:
        return ""
    field, repetition, component, part = (int(each) if each else None for each in match.groups())
    try:
        parts = header.fields[field or 0][repetition or 0][(component or 1) - 1]
        return parts[(part or 1) - 1]
    except IndexError:
        return ""
