"""The stand-in's errors for bad inputs: the property, its value, and the allowed values."""

from typing import Any

import pytest

from engine.standin.values import UNKNOWN, from_struct
from tests.support.plugin import Engine, RefusedError

DATASET = "gcp:healthcare/dataset:Dataset"
DICOM = "gcp:healthcare/dicomStore:DicomStore"
HL7 = "gcp:healthcare/hl7Store:Hl7Store"
KEY = "gcp:kms/cryptoKey:CryptoKey"
TABLE = "gcp:bigquery/table:Table"
FHIR = "gcp:healthcare/fhirStore:FhirStore"
SERVICE = "gcp:projects/service:Service"
MEMBER = "gcp:projects/iAMMember:IAMMember"
BIGQUERY = "gcp:bigquery/dataset:Dataset"
TOPIC = "gcp:pubsub/topic:Topic"
SUBSCRIPTION = "gcp:pubsub/subscription:Subscription"
PARENT = "projects/local-project/locations/us-central1/datasets/dataset1"
STORE = {"name": "s", "dataset": PARENT}


MISSING = "Missing required argument"
OUTPUT = "Value for unconfigurable attribute"


def required(tf: str) -> str:
    return f'{MISSING}. The argument "{tf}" is required, but no definition was found.'


def output_only(tf: str) -> str:
    return (
        f'{OUTPUT}. Can\'t configure a value for "{tf}": its value will be decided automatically '
        "based on the result of applying this configuration."
    )


@pytest.mark.parametrize(
    ("type_", "news", "path", "reason"),
    [
        (
            DATASET,
            {"name": "d", "location": "us-central1", "timezone": "UTC"},
            "timezone",
            "Invalid or unknown key",
        ),
        (DATASET, {"name": "d"}, "location", required("location")),
        (
            DATASET,
            {"name": "d", "location": "us-central1", "selfLink": "x"},
            "selfLink",
            output_only("self_link"),
        ),
        (
            DICOM,
            {**STORE, "labels": "env=lab"},
            "labels",
            "\"labels\" has to be of type map, got string ('env=lab')",
        ),
        (
            DICOM,
            {**STORE, "labels": {"env": 1}},
            "labels.env",
            '"labels.env" has to be of type string, got integer (1)',
        ),
        (
            DICOM,
            {**STORE, "notificationConfig": {"pubsubTopic": "t", "sendForBulkImport": "yes"}},
            "notificationConfig.sendForBulkImport",
            '"notificationConfig.sendForBulkImport" has to be of type boolean, got string '
            "('yes')",
        ),
        (
            DICOM,
            {
                **STORE,
                "streamConfigs": [
                    {"bigqueryDestination": {"tableUri": "bq://p.d.t", "tableUrl": "bq://p.d.t"}}
                ],
            },
            "streamConfigs[0].bigqueryDestination.tableUrl",
            "Invalid or unknown key",
        ),
        (
            DICOM,
            {**STORE, "streamConfigs": [{"bigqueryDestination": {}}]},
            "streamConfigs[0].bigqueryDestination.tableUri",
            required("stream_configs.0.bigquery_destination.0.table_uri"),
        ),
        (
            FHIR,
            {**STORE, "version": "R5"},
            "version",
            'expected version to be one of ["DSTU2" "STU3" "R4" ""], got R5',
        ),
        (
            FHIR,
            {**STORE, "consentConfig": {"version": "V1", "enforcedAdminConsents": ["c"]}},
            "consentConfig.enforcedAdminConsents",
            output_only("consent_config.0.enforced_admin_consents"),
        ),
        (
            FHIR,
            {**STORE, "notificationConfig": {"pubsubTopic": "t", "sendFullResource": True}},
            "notificationConfig.sendFullResource",
            "Invalid or unknown key",
        ),
        (
            BIGQUERY,
            {"datasetId": "data-set"},
            "datasetId",
            '"dataset_id" must contain only letters (a-z, A-Z), numbers (0-9), or underscores (_)',
        ),
        (
            BIGQUERY,
            {"datasetId": "d" * 1025},
            "datasetId",
            '"dataset_id" cannot be greater than 1,024 characters',
        ),
        (
            BIGQUERY,
            {"datasetId": "d", "defaultTableExpirationMs": 60000},
            "defaultTableExpirationMs",
            '"default_table_expiration_ms" cannot be shorter than 3600000 milliseconds (one hour)',
        ),
        (
            TOPIC,
            {"name": "google-topic", "messageStoragePolicy": {"allowedPersistenceRegions": [1]}},
            "messageStoragePolicy.allowedPersistenceRegions[0]",
            '"messageStoragePolicy.allowedPersistenceRegions[0]" has to be of type string, '
            "got integer (1)",
        ),
        (
            TOPIC,
            {"name": "topic", "messageTransforms": []},
            "messageTransforms",
            'the stand-in does not cover "messageTransforms" of gcp:pubsub/topic:Topic: only the '
            "real gcp plugin does",
        ),
        (
            KEY,
            {"name": "k", "keyRing": "r", "rotationPeriod": "3600s"},
            "rotationPeriod",
            "Rotation period must be greater than one day",
        ),
        (
            KEY,
            {"name": "k", "keyRing": "r", "rotationPeriod": "one day"},
            "rotationPeriod",
            "Invalid rotation period format: one day",
        ),
        (
            KEY,
            {"name": "k", "keyRing": "r", "rotationPeriod": "90000.0123456789s"},
            "rotationPeriod",
            "Rotation period cannot have more than 9 fractional digits",
        ),
        (
            SERVICE,
            {"service": "healthcare"},
            "service",
            "expected healthcare to be a domain like serviceusage.googleapis.com",
        ),
        (
            MEMBER,
            {"project": "p-1", "role": "roles/x", "member": "me"},
            "member",
            'invalid value "me" for member (IAM members must have one of the values outlined '
            "here: https://cloud.google.com/billing/docs/reference/rest/v1/Policy#Binding)",
        ),
        (
            MEMBER,
            {"project": "p-1", "role": "roles/x", "member": "deleted:user:a@b"},
            "member",
            "invalid value for member (Terraform does not support IAM members for deleted "
            "principals)",
        ),
        (
            DICOM,
            {**STORE, "deletionPolicy": "KEEP"},
            "deletionPolicy",
            'expected deletion_policy to be one of ["DELETE" "PREVENT" "ABANDON"], got KEEP',
        ),
        (
            HL7,
            {**STORE, "parserConfig": {"segmentTerminator": "%"}},
            "parserConfig.segmentTerminator",
            "could not decode parser_config.0.segment_terminator as a valid base64 value. Please "
            "use the terraform base64 functions such as base64encode() or filebase64() to supply "
            "a valid base64 string",
        ),
        (
            HL7,
            {**STORE, "parserConfig": {"schema": "{"}},
            "parserConfig.schema",
            '"parser_config.0.schema" contains an invalid JSON: Expecting property name enclosed '
            "in double quotes: line 1 column 2 (char 1)",
        ),
        (
            SUBSCRIPTION,
            {"name": "sub", "topic": "t", "filter": "f" * 257},
            "filter",
            f"expected length of filter to be in the range (0 - 256), got {'f' * 257}",
        ),
        (
            TABLE,
            {"datasetId": "d", "tableId": "t", "clusterings": list("abcde")},
            "clusterings",
            "Too many list items. Attribute clustering supports 4 item maximum, but config has 5 "
            "declared.",
        ),
    ],
)
def test_says_what_the_real_plugin_says(
    engine: Engine, type_: str, news: Any, path: str, reason: str
) -> None:
    failures = engine.check(type_, news).failures

    assert [(failure.property, failure.reason) for failure in failures] == [
        ("", f"{reason}. Examine values at 'one.{path}'.")
    ]


def test_a_parser_version_alone_is_refused_twice(engine: Engine) -> None:
    """Observed: `schema` may stand beside `version`, which has a default."""
    failures = engine.check(HL7, {**STORE, "parserConfig": {"version": "V3"}}).failures

    among = ",".join(
        f"parser_config.0.{name}" for name in ("allow_null_header", "schema", "segment_terminator")
    )
    assert [failure.reason for failure in failures] == [
        f'{MISSING}. "parser_config.0.{tf}": one of `{among}` must be specified. '
        f"Examine values at 'one.parserConfig.{path}'."
        for tf, path in (
            ("allow_null_header", "allowNullHeader"),
            ("segment_terminator", "segmentTerminator"),
        )
    ]


def test_two_properties_that_conflict_are_refused_each(engine: Engine) -> None:
    partitioning = {"type": "DAY", "requirePartitionFilter": True}
    news = {"datasetId": "d", "tableId": "t", "requirePartitionFilter": True}

    failures = engine.check(TABLE, {**news, "timePartitioning": partitioning}).failures

    conflict = "Conflicting configuration arguments"
    single, nested = "require_partition_filter", "time_partitioning.0.require_partition_filter"
    assert {failure.reason for failure in failures} == {
        f'{conflict}. "{single}": conflicts with {nested}. '
        "Examine values at 'one.requirePartitionFilter'.",
        f'{conflict}. "{nested}": conflicts with {single}. '
        "Examine values at 'one.timePartitioning.requirePartitionFilter'.",
    }


def test_a_conflict_with_a_value_that_is_not_known_yet_waits(engine: Engine) -> None:
    partitioning = {"type": "DAY", "requirePartitionFilter": UNKNOWN}
    news = {"datasetId": "d", "tableId": "t", "requirePartitionFilter": UNKNOWN}

    assert not engine.check(TABLE, {**news, "timePartitioning": partitioning}).failures


def test_fills_the_defaults_and_says_which(engine: Engine) -> None:
    inputs = engine.inputs(BIGQUERY, {"datasetId": "d", "labels": {"env": "lab"}})

    assert inputs == {
        "__defaults": ["deleteContentsOnDestroy", "location"],
        "datasetId": "d",
        "deleteContentsOnDestroy": False,
        "labels": {"env": "lab"},
        "location": "US",
    }


def test_lets_unknown_values_pass(engine: Engine) -> None:
    response = engine.check(FHIR, {"name": UNKNOWN, "dataset": UNKNOWN, "version": UNKNOWN})

    assert not response.failures
    assert from_struct(response.inputs)["version"] == UNKNOWN


def test_refuses_a_type_that_is_not_in_the_table(engine: Engine) -> None:
    with pytest.raises(RefusedError) as refused:
        engine.check("gcp:compute/instance:Instance", {})

    assert "does not know gcp:compute/instance:Instance; it knows gcp:" in refused.value.text


def test_refuses_a_function_it_does_not_have(engine: Engine) -> None:
    from engine.pulumi_proto import provider_pb2

    with pytest.raises(RefusedError) as refused:
        engine.stub.Invoke(provider_pb2.InvokeRequest(tok="gcp:kms/getKey:getKey"))

    assert "has no function gcp:kms/getKey:getKey" in refused.value.text
