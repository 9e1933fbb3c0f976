"""Findings in texts, and their replacements."""

import base64
from typing import Any

import pytest

from emulator.core.errors import ApiError
from emulator.services.healthcare.deidentify import config, surrogates
from emulator.services.healthcare.deidentify.info_types import InfoTypeDetector
from emulator.services.healthcare.deidentify.text import TextTransformer, shift

KEY = b"0123456789abcdef"


def cleaned(text: str, settings: dict[str, Any] | None = None, vr: str = "LO") -> str:
    rules = config.read({"text": settings or {}}).text
    return TextTransformer(rules, InfoTypeDetector({"Jane Roe": "PERSON_NAME"}), KEY, "p1").clean(
        text, vr
    )


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("seen by jane roe today", "seen by [PERSON_NAME] today"),
        ("Janeroe and Roe are other words", "Janeroe and Roe are other words"),
        ("mail j.roe@example.com now", "mail [EMAIL_ADDRESS] now"),
        ("host 10.1.2.3", "host [IP_ADDRESS]"),
        ("ssn 078-05-1120", "ssn [US_SOCIAL_SECURITY_NUMBER]"),
        ("call (212) 555-0123", "call [PHONE_NUMBER]"),
        ("a 45 year old man", "a [AGE] man"),
        ("Dr. Strange agrees", "[PERSON_NAME] agrees"),
        ("12x14 cm, 3 of 4, T1 weighted", "12x14 cm, 3 of 4, T1 weighted"),
        ("", ""),
    ],
)
def test_what_is_found(text: str, result: str) -> None:
    assert cleaned(text) == result


def test_a_text_keeps_to_the_length_of_its_representation() -> None:
    assert len(cleaned("j@example.com and jane roe", vr="SH")) <= 16


@pytest.mark.parametrize(
    ("method", "result"),
    [
        ({"redactConfig": {}}, "Hello ."),
        ({"characterMaskConfig": {"maskingCharacter": "#"}}, "Hello ########."),
        ({"replaceWithInfoTypeConfig": {}}, "Hello [PERSON_NAME]."),
    ],
)
def test_transformations(method: dict[str, Any], result: str) -> None:
    settings = {"additionalTransformations": [{"infoTypes": ["PERSON_NAME"], **method}]}
    assert cleaned("Hello Jane Roe.", settings) == result


def test_a_hash_is_of_the_given_key_alone() -> None:
    given = base64.b64encode(KEY).decode()
    settings = {"transformations": [{"cryptoHashConfig": {"cryptoKey": given}}]}
    assert cleaned("Jane Roe", settings) == surrogates.surrogate(KEY, "Jane Roe")


def test_types_can_be_excluded() -> None:
    rules = config.read({"text": {"excludeInfoTypes": ["EMAIL_ADDRESS"]}}).text
    detector = InfoTypeDetector({}, rules.without)
    assert (
        TextTransformer(rules, detector, KEY, "p").clean("j@example.com", "LO") == "j@example.com"
    )


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("20240229", "20240310"),
        ("2024-12-30", "2025-01-09"),
        ("12/30/2024", "01/09/2025"),
        ("20240229101112.5", "20240310101112.5"),
        ("no date", None),
        ("20241399", None),
        ("99991231", None),
    ],
)
def test_dates_shift(text: str, result: str | None) -> None:
    assert shift(text, 10) == result


def test_a_shift_is_never_none_and_is_the_patients_own() -> None:
    shifts = {surrogates.days(KEY, f"p{number}") for number in range(200)}
    assert 0 not in shifts
    assert min(shifts) < -50
    assert max(shifts) > 50
    assert surrogates.days(KEY, "p1") == surrogates.days(KEY, "p1")


@pytest.mark.parametrize(
    ("settings", "culprit"),
    [
        ({"dicom": {"keepList": {"tags": ["PatientNam"]}}}, "'PatientNam' is not a DICOM keyword"),
        (
            {"dicom": {"removeList": {"tags": ["SOPInstanceUID"]}}},
            "SOPInstanceUID can't be removed",
        ),
        (
            {"dicom": {"keepList": {"tags": ["Modality"]}, "filterProfile": "KEEP_ALL_PROFILE"}},
            "only one of keepList, filterProfile",
        ),
        ({"dicom": {}, "dicomTagConfig": {}}, "can't both be set"),
        ({"dicomTagConfig": {"actions": [{"queries": ["XY"], "keepTag": {}}]}}, "'XY' is not a"),
        ({"dicomTagConfig": {"actions": [{"queries": ["PN"]}]}}, "exactly one action"),
        ({"image": {"customRegexes": [{"pattern": "("}]}}, "is not a regular expression"),
        (
            {"image": {"textRedactionMode": "REDACT_ALL_TEXT", "additionalInfoTypes": ["URL"]}},
            "additional_info_types can't be set with text_redaction_mode REDACT_ALL_TEXT",
        ),
        ({"image": {"customRegexes": [{"pattern": "a", "groupIndexes": [2]}]}}, "group"),
        ({"text": {"transformations": [{}]}}, "exactly one transformation"),
        (
            {"fhir": {}, "fhirFieldConfig": {}},
            "config.fhir and config.fhir_field_config can't both",
        ),
        (
            {"fhir": {"fieldMetadataList": [{}, {"paths": ["Patient.name", "Patient..id"]}]}},
            "config.fhir.field_metadata_list[1].paths[1]: 'Patient..id' is not a path of FHIR",
        ),
        (
            {"fhirFieldConfig": {"fieldMetadataList": [{"keepField": {}, "removeField": {}}]}},
            "config.fhir_field_config.field_metadata_list[0]: exactly one action is required",
        ),
        (
            {"fhirFieldConfig": {"options": {"cryptoHashConfig": {"cryptoKey": "eA=="}}}},
            "config.fhir_field_config.options.crypto_hash_config.crypto_key: 16, 24 or 32",
        ),
        (
            {"fhirFieldConfig": {"options": {"characterMaskConfig": {"maskingCharacter": "ab"}}}},
            "config.fhir_field_config.options.character_mask_config.masking_character: one",
        ),
        (
            {"text": {"transformations": [{"cryptoHashConfig": {"cryptoKey": "?"}}]}},
            "crypto_key is no base64",
        ),
        (
            {"text": {"transformations": [{"dateShiftConfig": {"cryptoKey": "eA=="}}]}},
            "16, 24 or 32",
        ),
        (
            {"text": {"transformations": [{"characterMaskConfig": {"maskingCharacter": "ab"}}]}},
            "one",
        ),
    ],
)
def test_a_bad_configuration_is_refused_by_name(settings: dict[str, Any], culprit: str) -> None:
    with pytest.raises(ApiError) as refusal:
        config.read(settings)
    assert refusal.value.code == 400
    assert culprit in refusal.value.message


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        (
            {"operationMetadata": {"fhirOutput": {"fhirStore": "s"}}},
            "config.operation_metadata is not served here: leave it out",
        ),
        (
            {"image": {"additionalInfoTypes": ["FDA_CODE"]}},
            "additional_info_types FDA_CODE is not served",
        ),
    ],
)
def test_what_is_not_done_says_so(settings: dict[str, Any], field: str) -> None:
    with pytest.raises(ApiError) as refusal:
        config.read(settings)
    assert (refusal.value.code, refusal.value.status) == (501, "UNIMPLEMENTED")
    assert field in refusal.value.message


def test_reading_text_without_the_reader_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(config, "find_spec", lambda name: None)
    with pytest.raises(ApiError, match="redaction") as refusal:
        config.read({"image": {"textRedactionMode": "REDACT_ALL_TEXT"}})
    assert refusal.value.code == 501
    assert not config.read({"image": {"textRedactionMode": "REDACT_NO_TEXT"}}).pixels.looks
