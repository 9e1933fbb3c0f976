"""De-identification of a FHIR resource, field by field.

Documented (`FieldMetadata` of the API's reference): a transformation that can't be applied to a
field removes the field. Inferred (conformance: fhir-deidentify-transform): which transformation of
a TextConfig applies to a whole field, and the forms of hashes. Inferred (conformance:
fhir-deidentify-ids): a new id is a hash, and references to the resource follow it.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from html import escape
from typing import Any

from emulator.services.healthcare.deidentify import fhir_phrases, surrogates
from emulator.services.healthcare.deidentify.fhir_rules import (
    DATES,
    TEXTS,
    Chain,
    FhirRules,
    FieldAction,
    Step,
    steps_of,
)
from emulator.services.healthcare.deidentify.info_types import DATE, PERSON, InfoTypeDetector
from emulator.services.healthcare.deidentify.text import Method, TextTransformer, Transformation
from emulator.services.healthcare.fhir.definitions import resource_types, type_definition

_REFERENCE = re.compile(r"([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})(?:/_history/[^/]+)?")
_EXTENSIONS = ("extension", "modifierExtension")
_LENGTHS = {4: "-01-01", 7: "-01", 10: ""}
"""Length of a date -> what it lacks to name a day."""
_PLAIN = frozenset({"Code", "Id", "LanguageCode", "Oid", "Uri", "Uuid"})
"""Types of texts that hold no words."""
_OF_ACTION = {
    FieldAction.MASK: Method.MASK,
    FieldAction.HASH: Method.HASH,
    FieldAction.SHIFT: Method.SHIFT,
    FieldAction.REMOVE: Method.REDACT,
}

Json = Mapping[str, Any]


class ResourceTransformer:
    """Transformer of one resource.

    Args:
        rules: which action each field gets
        key: the operation's own key
        resource: the resource
        find: returns another resource of the store by its name, `Patient/1`, or None
    """

    def __init__(
        self, rules: FhirRules, key: bytes, resource: Json, find: Callable[[str], Json | None]
    ) -> None:
        self._rules, self._key, self._resource = rules, key, resource
        self._patient = fhir_phrases.patient_of(resource)
        patient = find(self._patient) if self._patient else None
        known = {**fhir_phrases.phrases(patient or {}), **fhir_phrases.phrases(resource)}
        detector = InfoTypeDetector(known, rules.text.without)
        self._cleaner = TextTransformer(rules.text, detector, key, self._patient)

    def transformed(self) -> dict[str, Any]:
        """Return the de-identified resource."""
        return self._whole(self._resource)

    def new_id(self, type_: str, id_: str) -> str:
        """Return the id of the copy of a resource, which is the same in all its references."""
        chain = (Step(type_, (type_,)), Step("id", ("Id",)))
        action = self._rules.action_or_default(chain)
        if action is FieldAction.KEEP:
            return id_
        if action is FieldAction.CLEAN and self._cleaner.clean(id_, "") == id_:
            return id_
        return surrogates.hexadecimal(self._rules.hash_key or self._key, f"{type_}/{id_}")

    def _whole(self, resource: Json, *, is_contained: bool = False) -> dict[str, Any]:
        type_ = str(resource["resourceType"])
        changed = self._object(resource, type_, (Step(type_, (type_,)),))
        changed["resourceType"] = type_
        if "id" in resource:
            # The id of a contained resource is known inside its container alone.
            id_ = str(resource["id"])
            changed["id"] = id_ if is_contained else self.new_id(type_, id_)
        return changed

    def _object(self, value: Json, type_: str, chain: Chain) -> dict[str, Any]:
        elements = type_definition(type_).elements
        changed: dict[str, Any] = {}
        for key, member in value.items():
            if key == "resourceType":
                continue
            element = elements.get(key.removeprefix("_"))
            if element is None:
                continue
            below = (*chain, *steps_of(element))
            if key in _EXTENSIONS and self._rules.action(below) is None:
                found = member if self._rules.keep_extensions else None
            elif key.startswith("_"):
                found = member if self._keeps_beside(below) else None
            else:
                found = self._member(member, element.type, below, is_leaf=element.is_primitive)
            if found not in (None, {}, []):
                changed[key] = found
        return changed

    def _keeps_beside(self, chain: Chain) -> bool:
        """Whether the extensions of a primitive value stay: its value must stay, too."""
        keeps = self._rules.action_or_default(chain) is FieldAction.KEEP
        return keeps and self._rules.keep_extensions

    def _member(self, member: Any, type_: str, chain: Chain, *, is_leaf: bool) -> Any:
        if isinstance(member, list):
            found = [self._member(each, type_, chain, is_leaf=is_leaf) for each in member]
            return [each for each in found if each not in (None, {}, [])]
        if is_leaf:
            return self._leaf(member, chain)
        if not isinstance(member, Mapping):
            return None
        if type_ == "Resource":
            return self._whole(member, is_contained=chain[-1].name == "contained")
        return self._object(member, type_, chain)

    def _leaf(self, value: Any, chain: Chain) -> Any:
        """Return the new value of a field; None removes it."""
        types = frozenset(chain[-1].types)
        action = self._rules.action_or_default(chain)
        if action is FieldAction.KEEP:
            is_reference = chain[-1].name == "reference" and isinstance(value, str)
            return self._reference(value) if is_reference else value
        if action is FieldAction.CLEAN:
            return self._clean(value, types)
        if action is FieldAction.TRANSFORM:
            return self._transform(value, types, self._transformation(types, chain), chain)
        key = self._rules.shift_key if action is FieldAction.SHIFT else self._rules.hash_key
        method = Transformation(_OF_ACTION[action], mask=self._rules.mask, key=key)
        return self._transform(value, types, method, chain)

    def _reference(self, text: str) -> str:
        match = _REFERENCE.fullmatch(text)
        if match is None or match[1] not in resource_types():
            return text
        new = self.new_id(match[1], match[2])
        return text if new == match[2] else f"{match[1]}/{new}"

    def _clean(self, value: Any, types: frozenset[str]) -> Any:
        if types & DATES:
            transformation = self._rules.text.transformation(DATE)
            if transformation is None or DATE in self._rules.text.without:
                return value
            return self._shifted(value, transformation)
        if not isinstance(value, str) or not types & TEXTS:
            return value
        return self._cleaner.clean(value, "") or None

    def _transformation(self, types: frozenset[str], chain: Chain) -> Transformation:
        """Return what a TextConfig does to a whole field: nothing fitting removes it."""
        info_type = DATE if types & DATES else PERSON if _is_name(chain) else ""
        for one in self._rules.text.transformations:
            if not one.info_types or info_type in one.info_types:
                return one
        return Transformation(Method.REDACT)

    def _transform(
        self, value: Any, types: frozenset[str], transformation: Transformation, chain: Chain
    ) -> Any:
        if types & DATES:
            return self._shifted(value, transformation)
        if not isinstance(value, str) or not types & TEXTS:
            return None
        method = transformation.method
        if method is Method.MASK:
            return _markup(transformation.mask * len(value), types)
        if method is Method.HASH:
            key = transformation.key or self._key
            form = surrogates.hexadecimal if types & _PLAIN else surrogates.surrogate
            return _markup(form(key, value), types)
        if method is Method.INFO_TYPE and _is_name(chain):
            return f"[{PERSON}]"
        return None

    def _shifted(self, value: Any, transformation: Transformation) -> str | None:
        if transformation.method is not Method.SHIFT or not isinstance(value, str):
            return None
        return shift(value, surrogates.days(transformation.key or self._key, self._patient))


def shift(text: str, days: int) -> str | None:
    """Return a FHIR date or time of another day; None for a text that is neither.

    A date without a day keeps its precision.
    """
    day, t, time = text.partition("T")
    try:
        moved = date.fromisoformat(day + _LENGTHS[len(day)]) + timedelta(days=days)
    except (KeyError, ValueError, OverflowError):
        return None
    return moved.isoformat()[: len(day)] + t + time


def _is_name(chain: Chain) -> bool:
    return any("HumanName" in step.types for step in chain)


def _markup(text: str, types: frozenset[str]) -> str:
    if "Xhtml" in types:
        return f'<div xmlns="http://www.w3.org/1999/xhtml">{escape(text)}</div>'
    return text
