"""The definitions of FHIR R4: what a resource of each type may hold, and how it is searched.

`r4.json` is generated from HL7's definitions (CC0) by `definitions.generate`. Its sections are

- `resources`: the resource types
- `types`: elements by name, of resource types, data types and their backbone elements
  (`Patient.contact`); the element without name is the base, whose elements the type has too.
  The text of an element is its types separated by `|`, then `>` with the resource types that a
  reference may name, `=` with the name of a code list, `*` for a list, `!` if it is required
- `codes`: the codes of each list, separated by tabs
- `systems`: the code system of the lists that have one
- `search`: search parameters by resource type and code (`definitions.search_expressions`)
- `compartments`: the search parameters that put a resource into a compartment
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("r4.json")
ANY_RESOURCE = "Resource"

PRIMITIVES = frozenset(
    [
        *("base64Binary", "boolean", "canonical", "code", "date", "dateTime", "decimal", "id"),
        *("instant", "integer", "markdown", "oid", "positiveInt", "string", "time"),
        *("unsignedInt", "uri", "url", "uuid", "xhtml"),
    ]
)
_LIMITED = {"SimpleQuantity": "Quantity", "MoneyQuantity": "Quantity"}
"""Types that the names of a choice do not show: `doseQuantity` holds a SimpleQuantity."""


@dataclass(frozen=True, slots=True)
class Element:
    """An element of a type, or one type of a choice.

    Attributes:
        key: its name in JSON, such as `valueQuantity`
        name: without the type of a choice, such as `value`
        type: the name of its type
        is_list: whether it repeats
        is_required: whether it must be there; of a choice, in any type
        is_primitive: whether its value is a string, number or boolean
        choice: the name of the type in a choice, such as `quantity`; empty for another element
        targets: resource types that a reference may name; empty for any
        codes: the codes that are allowed; nothing for any
        code_list: the name of the list of codes
    """

    key: str
    name: str
    type: str
    is_list: bool
    is_required: bool
    is_primitive: bool
    choice: str = ""
    targets: Sequence[str] = ()
    codes: frozenset[str] | None = None
    code_list: str = ""


@dataclass(frozen=True, slots=True)
class TypeDefinition:
    """A type with its elements.

    Attributes:
        name: such as `Patient`, `HumanName` or `Patient.contact`
        elements: by their keys in JSON
        required: the keys of which one must be there, by the name of each required element
    """

    name: str
    elements: Mapping[str, Element]
    required: Mapping[str, Sequence[str]]


@cache
def table() -> Mapping[str, Any]:
    """Return the content of the generated file."""
    content: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return content


@cache
def resource_types() -> frozenset[str]:
    """Return the names of the resource types."""
    return frozenset(table()["resources"])


@cache
def type_definition(name: str) -> TypeDefinition:
    """Return a type that is not primitive.

    Raises:
        KeyError: there is no such type
    """
    elements: dict[str, Element] = {}
    required: dict[str, list[str]] = {}
    for element_name, text in _texts(name).items():
        for element in _elements(element_name, text):
            elements[element.key] = element
            if element.is_required:
                required.setdefault(element.name, []).append(element.key)
    return TypeDefinition(name, elements, required)


def _texts(name: str) -> dict[str, str]:
    """Return the elements of a type and of its bases as the file has them."""
    texts = dict(table()["types"][name])
    base = texts.pop("", "")
    return {**(_texts(base) if base else {}), **texts}


def _elements(name: str, text: str) -> list[Element]:
    types, *words = text.split(" ")
    targets = next((word[1:].split(",") for word in words if word[0] == ">"), [])
    code_list = next((word[1:] for word in words if word[0] == "="), "")
    plain = name.removesuffix("[x]")
    return [
        Element(
            key=plain if plain == name else plain + choice[0].upper() + choice[1:],
            name=plain,
            type=type_name,
            is_list="*" in words,
            is_required="!" in words,
            is_primitive=type_name in PRIMITIVES,
            choice="" if plain == name else choice[0].lower() + choice[1:],
            targets=() if type_name != "Reference" or ANY_RESOURCE in targets else targets,
            codes=_codes(code_list) if code_list and type_name == "code" else None,
            code_list=code_list,
        )
        for type_name in types.split("|")
        for choice in [_LIMITED.get(type_name, type_name)]
    ]


@cache
def _codes(code_list: str) -> frozenset[str]:
    return frozenset(table()["codes"][code_list].split("\t"))
