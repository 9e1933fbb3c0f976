"""References between resources (http://hl7.org/fhir/R4/references.html, documented)."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

_LOCAL = re.compile(
    r"(?P<type>[A-Z][A-Za-z]*)/(?P<id>[A-Za-z0-9\-.]{1,64})"
    r"(?:/_history/(?P<version>[A-Za-z0-9\-.=_]{1,64}))?"
)
_CONDITIONAL = re.compile(r"(?P<type>[A-Z][A-Za-z]*)\?(?P<query>.*)", re.DOTALL)
_ABSOLUTE = re.compile(rf"[a-z][a-z0-9+.\-]*://.*?/{_LOCAL.pattern}", re.DOTALL)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:")


class Form(StrEnum):
    """How a reference names its target.

    Attributes:
        LOCAL: `Patient/1`, a resource of the same store
        ABSOLUTE: a URL or URN, such as `https://example.com/fhir/Patient/1` or `urn:uuid:...`
        CONTAINED: `#a`, a resource inside the same one; `#` alone is the container
        CONDITIONAL: `Patient?identifier=...`, which transactions resolve
        LOGICAL: an identifier, or a text, without a `reference`
        INVALID: a `reference` in none of these forms
    """

    LOCAL = "local"
    ABSOLUTE = "absolute"
    CONTAINED = "contained"
    CONDITIONAL = "conditional"
    LOGICAL = "logical"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference in a resource.

    Attributes:
        path: where it is, such as `Observation.subject` or `Bundle.entry[0].resource.subject`
        form: how it names its target
        value: the text of `reference`; empty for a logical one
        type: the target's resource type, as far as it is known
        id: the target's id; of a contained one, what follows `#`
        version: of the target, where the reference names one
        element: the JSON object, to be changed in place by a transaction
    """

    path: str
    form: Form
    value: str
    type: str
    id: str
    version: str
    element: dict[str, Any]


def references(resource: Mapping[str, Any]) -> Iterator[Reference]:
    """Yield the references in a resource, with those of contained resources and extensions.

    The members of an object show that it is a Reference: of the other types with a string
    `reference`, Expression requires `language`, and Immunization.education is named here.
    """
    yield from _in_object(resource, str(resource.get("resourceType", "")))


def of_element(element: dict[str, Any], path: str) -> Reference:
    """Return what a JSON object of the type Reference refers to."""
    value = element.get("reference")
    if not isinstance(value, str) or not value:
        declared = element.get("type")
        of_type = declared if isinstance(declared, str) else ""
        return Reference(path, Form.LOGICAL, "", of_type, "", "", element)
    form, of_type, target, version = _target(value)
    return Reference(path, form, value, of_type, target, version, element)


def _target(value: str) -> tuple[Form, str, str, str]:
    """Return the form, type, id and version of a reference's text."""
    if value.startswith("#"):
        return Form.CONTAINED, "", value[1:], ""
    if local := _LOCAL.fullmatch(value):
        return Form.LOCAL, local["type"], local["id"], local["version"] or ""
    if conditional := _CONDITIONAL.fullmatch(value):
        return Form.CONDITIONAL, conditional["type"], "", ""
    if absolute := _ABSOLUTE.fullmatch(value):
        return Form.ABSOLUTE, absolute["type"], absolute["id"], absolute["version"] or ""
    return (Form.ABSOLUTE if _SCHEME.match(value) else Form.INVALID), "", "", ""


_MEMBERS = frozenset(
    f"{prefix}{name}"
    for name in ("reference", "type", "identifier", "display", "id", "extension")
    for prefix in ("", "_")
)
_NO_REFERENCE = re.compile(r"Immunization\.education\[\d+\]$")


def _is_reference(value: Mapping[str, Any], path: str) -> bool:
    if not value.keys() <= _MEMBERS:
        return False
    if "reference" in value:
        return isinstance(value["reference"], str) and not _NO_REFERENCE.search(path)
    return isinstance(value.get("identifier"), dict)


def _in_object(value: Mapping[str, Any], path: str) -> Iterator[Reference]:
    for name, member in value.items():
        if isinstance(member, dict):
            yield from _in_member(member, f"{path}.{name}")
        elif isinstance(member, list):
            for index, item in enumerate(member):
                if isinstance(item, dict):
                    yield from _in_member(item, f"{path}.{name}[{index}]")


def _in_member(value: dict[str, Any], path: str) -> Iterator[Reference]:
    if _is_reference(value, path):
        yield of_element(value, path)
    yield from _in_object(value, path)
