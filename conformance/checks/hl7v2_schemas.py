"""Checks of schematized parsing of HL7v2 messages."""

from typing import Any

from conformance import hl7v2_samples as samples
from conformance.check import Check, Lab
from conformance.checks.hl7v2 import ingest, store
from conformance.cloud_project import Json

_ADMISSION = ("EVN||2024030107", samples.PATIENT, "PV1|1|I")
_CUSTOM = {
    "schemas": [
        {
            "messageSchemaConfigs": {
                "ADT_A01": {
                    "name": "ADT_A01",
                    "minOccurs": 1,
                    "maxOccurs": 1,
                    "members": [
                        {"segment": {"type": "MSH", "minOccurs": 1, "maxOccurs": 1}},
                        {
                            "group": {
                                "name": "BODY",
                                "maxOccurs": -1,
                                "members": [
                                    {"segment": {"type": "PID", "minOccurs": 1, "maxOccurs": 1}},
                                    {"segment": {"type": "ZZZ", "maxOccurs": -1}},
                                ],
                            }
                        },
                    ],
                }
            }
        }
    ],
    "types": [
        {
            "version": [{"mshField": "12", "value": "2.5.1"}],
            "type": [
                {
                    "name": "ZZZ",
                    "fields": [
                        {"name": "plain", "type": "TEXT", "maxOccurs": 1},
                        {"name": "raw", "type": "RAW", "maxOccurs": 1},
                        {"name": "any", "type": "ANY"},
                    ],
                },
                {"name": "TEXT", "primitive": "STRING"},
                {"name": "RAW", "primitive": "UNESCAPED_STRING"},
                {"name": "ANY", "primitive": "VARIES"},
            ],
        }
    ],
}


def _parsed(lab: Lab, store_id: str, schema: dict[str, Any], *segments: str) -> Json:
    name = store(lab, store_id, parserConfig={"version": "V3", "schema": schema})
    control_id = f"{store_id}-{len(segments)}"
    answer = ingest(lab, samples.body(samples.header(control_id), *segments), name)
    body = answer["body"]
    message = body.get("message", {}) if isinstance(body, dict) else {}
    return message.get("schematizedData", answer)


def _default(lab: Lab) -> Json:
    lenient = {"schematizedParsingType": "SOFT_FAIL", "ignoreMinOccurs": True}
    notes = ("NK1|1|Next^Kin", "OBX|1|ST|1^T^L||a&b^c||||||F")
    return [
        _parsed(lab, "schema-lenient", lenient, *_ADMISSION, *notes),
        _parsed(lab, "schema-strict", {"schematizedParsingType": "SOFT_FAIL"}, *_ADMISSION),
        _parsed(lab, "schema-hard", {"schematizedParsingType": "HARD_FAIL"}, *_ADMISSION),
    ]


def _custom(lab: Lab, **more: Any) -> Json:
    segments = (samples.PATIENT, "ZZZ|text|a^b&c|d^e&f~g", "ZZZ|more", samples.PATIENT)
    store_id = f"schema-custom-{len(more)}"
    return _parsed(lab, store_id, {**_CUSTOM, "ignoreMinOccurs": True, **more}, *segments)


def _unexpected(lab: Lab) -> Json:
    segments = (samples.PATIENT, "ZZY|a^b", "ZZZ|text", "ZZY|c")
    return [
        _parsed(
            lab,
            f"schema-{handling.lower()}",
            {**_CUSTOM, "ignoreMinOccurs": True, "unexpectedSegmentHandling": handling},
            *segments,
        )
        for handling in ("FAIL", "SKIP", "PARSE")
    ]


def _values(lab: Lab) -> Json:
    wrong = ("ZZZ|text^part", "ZZZ|text~again", "ZZZ|text|raw|any|more")
    return [
        _parsed(lab, f"schema-values-{number}", _CUSTOM, samples.PATIENT, segment)
        for number, segment in enumerate(wrong)
    ]


CHECKS = (
    Check("hl7v2-default-schema", "the default schema: lenient, strict, and refusing", _default),
    Check(
        "hl7v2-schema-layers",
        "a schema of the store, above the default types",
        lambda lab: _custom(lab),
    ),
    Check(
        "hl7v2-schema-groups",
        "groups that repeat",
        lambda lab: _custom(lab, unexpectedSegmentHandling="SKIP"),
    ),
    Check("hl7v2-unexpected-segments", "segments that the schema does not have", _unexpected),
    Check("hl7v2-schema-values", "fields that do not fit their types", _values),
)
