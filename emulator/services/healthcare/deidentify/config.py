"""A parsed DeidentifyConfig; unsupported settings are refused by name.

https://cloud.google.com/healthcare-api/docs/reference/rest/v1/DeidentifyConfig
"""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from pydicom.valuerep import VR

from emulator.core.discovery import snake_case
from emulator.core.errors import ApiError, bad_field, unimplemented
from emulator.services.healthcare.deidentify import fhir_config, fhir_rules
from emulator.services.healthcare.deidentify.fhir_rules import FhirRules
from emulator.services.healthcare.deidentify.info_types import INFO_TYPES
from emulator.services.healthcare.deidentify.pixel_redaction import (
    CustomRegex,
    PixelRules,
    Redaction,
)
from emulator.services.healthcare.deidentify.profiles import (
    IDENTITY,
    Action,
    Base,
    Custom,
    Profile,
    find_tag,
)
from emulator.services.healthcare.deidentify.text import Method, TextRules, Transformation

KEY_BYTES = (16, 24, 32)
Json = Mapping[str, Any]


@dataclass(frozen=True)
class Rules:
    """The rules by which an instance is de-identified.

    Attributes:
        profile: which action each attribute gets
        text: how sensitive text is transformed
        pixels: which text in pictures is blacked out
    """

    profile: Profile
    text: TextRules
    pixels: PixelRules


def read(config: Json) -> Rules:
    """Return the rules of a configuration that fits the schema and has unwrapped keys.

    Raises:
        ApiError: 400, or 501 for an unsupported setting, naming the field
    """
    if config.get("operationMetadata"):
        raise _not_done("config.operation_metadata", "leave it out")
    fhir_config.check(config)
    _check_fhir_options(config.get("fhirFieldConfig", {}).get("options", {}))
    tag_config = config.get("dicomTagConfig")
    if tag_config is not None and config.get("dicom") is not None:
        raise bad_field("config", "config.dicom and config.dicom_tag_config can't both be set")
    given = tag_config or {}
    options = given.get("options", {})
    if config.get("image") and options.get("cleanImage"):
        raise bad_field(
            "config.image",
            "config.image and dicom_tag_config.options.clean_image can't both be set",
        )
    profile = _dicom(config.get("dicom", {})) if tag_config is None else _tag_config(given)
    contextual = profile.clean_descriptors
    image = options.get("cleanImage") or _custom_image(given) or config.get("image", {})
    return Rules(profile, _text(config.get("text", {}), contextual), _pixels(image))


def read_fhir(config: Json) -> FhirRules:
    """Return the rules for FHIR resources of a configuration that `read` accepts."""
    options = config.get("fhirFieldConfig", {}).get("options", {})
    fields, profile, keeps_extensions = fhir_rules.of_config(config)
    return FhirRules(
        fields,
        profile,
        keeps_extensions,
        _text(config.get("text", {}), "contextualDeid" in options),
        _mask(options.get("characterMaskConfig", {}), ""),
        _key(options.get("cryptoHashConfig", {}), ""),
        _key(options.get("dateShiftConfig", {}), ""),
    )


def _dicom(given: Json) -> Profile:
    chosen = [name for name in ("keepList", "removeList", "filterProfile") if given.get(name)]
    if len(chosen) > 1:
        raise bad_field(
            "config.dicom", f"only one of {', '.join(chosen)} can be set in config.dicom"
        )
    new_ids = not given.get("skipIdRedaction", False)
    for name, base in (("keepList", Base.KEEP_LIST), ("removeList", Base.REMOVE_LIST)):
        if name in given:
            return Profile(base, _tags(given[name], name), new_ids)
    return Profile(_base(given.get("filterProfile"), Base.KEEP_ALL), new_ids=new_ids)


def _base(name: str | None, default: Base) -> Base:
    return default if name is None or name.endswith("UNSPECIFIED") else Base(name)


def _tags(given: Json, name: str) -> frozenset[int]:
    found: set[int] = set()
    for number, text in enumerate(given.get("tags", [])):
        field = f"config.dicom.{name}.tags[{number}]"
        tag = find_tag(text)
        if tag is None:
            raise bad_field(field, f"{field}: {text!r} is not a DICOM keyword or a tag of 8 digits")
        if name == "removeList" and tag in IDENTITY:
            raise bad_field(field, f"{field}: {text} can't be removed, an instance needs it")
        found.add(tag)
    return frozenset(found)


def _tag_config(given: Json) -> Profile:
    options = given.get("options", {})
    return Profile(
        _base(given.get("profileType"), Base.BASIC),
        new_ids=options.get("primaryIds") != "KEEP",
        custom=tuple(
            custom
            for number, action in enumerate(given.get("actions", []))
            for custom in _custom(action, f"config.dicom_tag_config.actions[{number}]")
        ),
        clean_descriptors="cleanDescriptors" in options,
    )


def _custom(given: Json, field: str) -> list[Custom]:
    actions = [one for one in Action if one.value in given]
    if len(actions) + ("cleanImageTag" in given) != 1:
        raise bad_field(field, f"{field}: exactly one action is required")
    tags: set[int] = set()
    vrs: set[str] = set()
    for query in given.get("queries", []):
        tag = find_tag(query)
        if tag is not None:
            tags.add(tag)
        elif query in VR.__members__:
            vrs.add(query)
        else:
            raise bad_field(field, f"{field}: {query!r} is not a DICOM keyword, tag or VR")
    if not actions:
        return []
    removes = actions[0] in (Action.DELETE, Action.EMPTY, Action.RESET)
    if removes and (lost := sorted(map(str, tags & IDENTITY))):
        raise bad_field(field, f"{field}: an instance needs {', '.join(lost)}")
    return [Custom(frozenset(tags), frozenset(vrs), actions[0])]


def _custom_image(given: Json) -> Json:
    actions = [one["cleanImageTag"] for one in given.get("actions", []) if "cleanImageTag" in one]
    return actions[0] if actions else {}


def _pixels(given: Json) -> PixelRules:
    mode = given.get("textRedactionMode", "")
    additional = _additional(given.get("additionalInfoTypes", []), mode)
    if mode in ("", "TEXT_REDACTION_MODE_UNSPECIFIED"):
        mode = Redaction.NONE.value
    if mode == "REDACT_SENSITIVE_TEXT_CLEAN_DESCRIPTORS":
        mode = Redaction.SENSITIVE.value  # what the instance calls identifying is always looked for
    regexes = tuple(
        _regex(one, f"config.image.custom_regexes[{number}]")
        for number, one in enumerate(given.get("customRegexes", []))
    )
    without = frozenset(given.get("excludeInfoTypes", []))
    rules = PixelRules(Redaction(mode), without, regexes, additional)
    if rules.looks and find_spec("rapidocr") is None:
        raise _not_done(
            "config.image.text_redaction_mode",
            "reading text in pictures needs pip install gcp-healthcare-dicom[redaction]",
        )
    return rules


def _additional(info_types: Sequence[str], mode: str) -> frozenset[str]:
    """Return the info types that are redacted besides those of the mode."""
    field = "config.image.additional_info_types"
    if info_types and mode in (Redaction.ALL.value, Redaction.NONE.value):
        raise bad_field(field, f"{field} can't be set with text_redaction_mode {mode}")
    if unknown := sorted(set(info_types) - INFO_TYPES):
        known = ", ".join(sorted(INFO_TYPES))
        raise _not_done(
            f"{field} {', '.join(unknown)}", f"use custom_regexes, or info types of {known}"
        )
    return frozenset(info_types)


def _regex(given: Json, field: str) -> CustomRegex:
    try:
        pattern = re.compile(given.get("pattern", ""))
    except re.error as error:
        raise bad_field(field, f"{field}.pattern is not a regular expression: {error}") from None
    groups = tuple(map(int, given.get("groupIndexes", [])))
    if not pattern.pattern or any(not 0 <= group <= pattern.groups for group in groups):
        raise bad_field(field, f"{field}: no pattern, or a group that the pattern does not have")
    return CustomRegex(pattern, groups)


def _text(given: Json, contextual: bool) -> TextRules:
    listed = [*given.get("additionalTransformations", []), *given.get("transformations", [])]
    return TextRules(
        tuple(_transformation(one, number) for number, one in enumerate(listed)),
        frozenset(given.get("excludeInfoTypes", [])),
        contextual,
        nothing=given.get("profileType") == "EMPTY",
    )


def _transformation(given: Json, number: int) -> Transformation:
    field = f"config.text.additional_transformations[{number}]"
    methods = [one for one in Method if one.value in given]
    if len(methods) != 1:
        raise bad_field(field, f"{field}: exactly one transformation is required")
    details = given[methods[0].value]
    info_types = frozenset(given.get("infoTypes", []))
    return Transformation(methods[0], info_types, _mask(details, field), _key(details, field))


def _check_fhir_options(given: Json) -> None:
    """Refuse options for FHIR fields that could transform nothing."""
    for name in ("characterMaskConfig", "cryptoHashConfig", "dateShiftConfig"):
        field = f"config.fhir_field_config.options.{snake_case(name)}"
        _mask(given.get(name, {}), field)
        _key(given.get(name, {}), field)


def _mask(details: Json, field: str) -> str:
    mask = str(details.get("maskingCharacter") or "*")
    if len(mask) != 1:
        raise bad_field(field, f"{field}.masking_character: one character")
    return mask


def _key(details: Json, field: str) -> bytes:
    key = decoded(details.get("cryptoKey", ""), f"{field}.crypto_key")
    if key and len(key) not in KEY_BYTES:
        raise bad_field(f"{field}.crypto_key", f"{field}.crypto_key: 16, 24 or 32 bytes in base64")
    return key


def decoded(text: str, field: str) -> bytes:
    """Decode a field of bytes.

    Raises:
        ApiError: 400, naming the field
    """
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise bad_field(field, f"{field} is no base64") from None


def _not_done(field: str, hint: str) -> ApiError:
    return unimplemented(f"de-identification with {field} is not served here: {hint}")
