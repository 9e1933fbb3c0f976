"""The rules by which FHIR resources are de-identified: which action each field gets.

Documented (`FhirConfig`, `FhirFieldConfig` and `FieldMetadata` of the API's reference): the first
entry that matches a field applies; fields without one keep their value, extensions are removed
unless they are kept. Inferred (conformance: fhir-deidentify-paths): a path matches all fields below
it, from any element on. Inferred (conformance: fhir-deidentify-basic): the fields of BASIC.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, NamedTuple

from emulator.services.healthcare.deidentify.text import TextRules
from emulator.services.healthcare.fhir.definitions import Element


class FieldAction(Enum):
    """The treatment of a field, as the API names it."""

    KEEP = "keepField"
    REMOVE = "removeField"
    MASK = "characterMaskField"
    HASH = "cryptoHashField"
    SHIFT = "dateShiftField"
    CLEAN = "cleanTextField"
    TRANSFORM = "TRANSFORM"


class Step(NamedTuple):
    """An element on the way to a field.

    Attributes:
        name: such as `birthDate`; of a choice without its type
        types: the names by which a path may call its type, such as `Date`
    """

    name: str
    types: tuple[str, ...]


Chain = tuple[Step, ...]
"""The way from a resource to a field."""
TEXTS = frozenset(
    {"Code", "Id", "LanguageCode", "Markdown", "Oid", "String", "Uri", "Uuid", "Xhtml"}
)
DATES = frozenset({"Date", "DateTime", "Instant"})
_CLEANED = TEXTS | {"Date", "DateTime"}
_OF_CONFIG = {
    "TRANSFORM": FieldAction.TRANSFORM,
    "INSPECT_AND_TRANSFORM": FieldAction.CLEAN,
}
_BASIC: tuple[tuple[str, FieldAction], ...] = (
    ("meta", FieldAction.KEEP),
    ("Address.country", FieldAction.KEEP),
    ("Address.use", FieldAction.KEEP),
    ("Address.type", FieldAction.KEEP),
    ("Address.period", FieldAction.SHIFT),
    ("Address", FieldAction.REMOVE),
    ("HumanName.use", FieldAction.KEEP),
    ("HumanName.period", FieldAction.SHIFT),
    ("HumanName", FieldAction.REMOVE),
    ("ContactPoint.use", FieldAction.KEEP),
    ("ContactPoint.system", FieldAction.KEEP),
    ("ContactPoint", FieldAction.REMOVE),
    ("Identifier.value", FieldAction.HASH),
    ("Attachment.data", FieldAction.REMOVE),
    ("Attachment.url", FieldAction.REMOVE),
    ("Attachment.title", FieldAction.CLEAN),
    ("Device.serialNumber", FieldAction.REMOVE),
    ("Device.udiCarrier", FieldAction.REMOVE),
    ("Signature", FieldAction.REMOVE),
    ("Base64Binary", FieldAction.REMOVE),
    ("Instant", FieldAction.SHIFT),
    ("Date", FieldAction.SHIFT),
    ("DateTime", FieldAction.SHIFT),
    ("Markdown", FieldAction.CLEAN),
    ("Xhtml", FieldAction.CLEAN),
    ("String", FieldAction.CLEAN),
)


@dataclass(frozen=True)
class FieldRule:
    """The action of the fields that a path matches.

    Attributes:
        path: names of elements or types
        action: what happens to the fields
    """

    path: tuple[str, ...]
    action: FieldAction

    def matches(self, chain: Chain) -> bool:
        """Whether the path leads to a field, or to an element that it is inside of."""
        length = len(self.path)
        return any(
            all(map(_is_called, self.path, chain[first : first + length]))
            for first in range(len(chain) - length + 1)
        )


@dataclass(frozen=True)
class FhirRules:
    """The rules by which a resource is de-identified.

    Attributes:
        fields: the first that matches a field applies
        profile: `KEEP_ALL`, or `CLEAN_ALL` for the fields that no rule matches
        keep_extensions: whether extensions that no rule matches are kept
        text: how sensitive text is transformed
        mask: the character of masks
        hash_key: of hashes; empty for the operation's own
        shift_key: of shifts of dates; empty for the operation's own
    """

    fields: tuple[FieldRule, ...]
    profile: str
    keep_extensions: bool
    text: TextRules
    mask: str = "*"
    hash_key: bytes = b""
    shift_key: bytes = b""

    def action(self, chain: Chain) -> FieldAction | None:
        """Return the action of the first rule that matches a field, or None."""
        return next((rule.action for rule in self.fields if rule.matches(chain)), None)

    def action_or_default(self, chain: Chain) -> FieldAction:
        """Return the action of a field, that of the profile if no rule matches."""
        found = self.action(chain)
        if found is not None:
            return found
        if self.profile == "CLEAN_ALL" and not _CLEANED.isdisjoint(chain[-1].types):
            return FieldAction.CLEAN
        return FieldAction.KEEP


def _is_called(word: str, step: Step) -> bool:
    return word in (step.name, step.name[:1].upper() + step.name[1:]) or word in step.types


def steps_of(element: Element) -> Chain:
    """Return the steps into an element: two for one type of a choice."""
    types = _type_names(element)
    if element.choice:
        return (Step(element.name, ()), Step(element.choice, types))
    return (Step(element.name, types),)


def _type_names(element: Element) -> tuple[str, ...]:
    name = element.type[:1].upper() + element.type[1:]
    last = name.rpartition(".")[2]
    if element.type == "code" and element.name == "gender":
        return (name, "AdministrativeGenderCode")
    if element.type == "code" and element.name == "language":
        return (name, "LanguageCode")
    return (last,)


def of_config(config: Mapping[str, Any]) -> tuple[tuple[FieldRule, ...], str, bool]:
    """Return the rules, the profile and whether extensions are kept, of a valid DeidentifyConfig.

    Inferred (conformance: fhir-deidentify-default): without settings for FHIR, fields are kept.
    """
    if "fhirFieldConfig" in config:
        given = config["fhirFieldConfig"]
        rules = _rules(given, lambda one: next(a for a in FieldAction if a.value in one))
        profile = given.get("profileType", "")
        if profile in ("", "PROFILE_TYPE_UNSPECIFIED", "BASIC"):
            rules += tuple(FieldRule(tuple(path.split(".")), action) for path, action in _BASIC)
            profile = "KEEP_ALL"
        return rules, profile, "keepExtensions" in given.get("options", {})
    given = config.get("fhir", {})
    rules = _rules(given, lambda one: _OF_CONFIG.get(one.get("action", ""), FieldAction.KEEP))
    return rules, "KEEP_ALL", bool(given.get("defaultKeepExtensions"))


def _rules(given: Mapping[str, Any], action: Any) -> tuple[FieldRule, ...]:
    listed: Sequence[Mapping[str, Any]] = given.get("fieldMetadataList", [])
    return tuple(
        FieldRule(tuple(path.split(".")), action(one))
        for one in listed
        for path in one.get("paths", [])
    )
