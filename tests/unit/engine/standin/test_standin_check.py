"""What the stand-in says of bad inputs: the property, its value, and what is allowed."""

from typing import Any

import pytest

from engine.standin.values import UNKNOWN, from_struct
from tests.unit.engine.standin.conftest import Engine, RefusedError

DATASET = "gcp:healthcare/dataset:Dataset"
DICOM = "gcp:healthcare/dicomStore:DicomStore"
FHIR = "gcp:healthcare/fhirStore:FhirStore"
SERVICE = "gcp:projects/service:Service"
MEMBER = "gcp:projects/iAMMember:IAMMember"
BIGQUERY = "gcp:bigquery/dataset:Dataset"
TOPIC = "gcp:pubsub/topic:Topic"
SUBSCRIPTION = "gcp:pubsub/subscription:Subscription"
BUCKET = "gcp:storage/bucket:Bucket"
PARENT = "projects/local-project/locations/us-central1/datasets/dataset1"
STORE = {"name": "s", "dataset": PARENT}


@pytest.mark.parametrize(
    ("type_", "news", "path", "reason"),
    [
        (
            DATASET,
            {"name": "d", "location": "us-central1", "timezone": "UTC"},
            "timezone",
            'there is no property "timezone"; did you mean "timeZone"?',
        ),
        (
            DATASET,
            {"name": "d", "location": "us-central1", "time_zone": "UTC"},
            "time_zone",
            'there is no property "time_zone"; did you mean "timeZone"?',
        ),
        (
            DATASET,
            {"name": "d", "location": "us-central1", "zzz": 1},
            "zzz",
            'there is no property "zzz"; it has deletionPolicy, encryptionSpec, location, name, '
            "project, timeZone",
        ),
        (
            DATASET,
            {"name": "d"},
            "location",
            'missing required property "location": give it a value',
        ),
        (
            DATASET,
            {"name": "d", "location": "us-central1", "selfLink": "x"},
            "selfLink",
            '"selfLink" is an output: the cloud sets it, a program cannot',
        ),
        (
            DATASET,
            {"name": "a/b", "location": "us-central1"},
            "name",
            '"name" ("a/b") is not allowed: it has to be 1 to 256 letters, digits, underscores, '
            r"dashes or dots (/[\w.-]{1,256}/)",
        ),
        (
            DICOM,
            {"name": "über", "dataset": PARENT},
            "name",
            '"name" ("über") is not allowed: it has to be 1 to 256 letters, digits, underscores or '
            "dashes (/[a-zA-Z0-9_-]{1,256}/)",
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
            {**STORE, "notificationConfig": {"sendForBulkImport": "yes"}},
            "notificationConfig.sendForBulkImport",
            '"notificationConfig.sendForBulkImport" has to be of type boolean, got string '
            "('yes')",
        ),
        (
            DICOM,
            {**STORE, "streamConfigs": [{"bigqueryDestination": {"tableUrl": "bq://p.d.t"}}]},
            "streamConfigs[0].bigqueryDestination.tableUrl",
            'there is no property "streamConfigs[0].bigqueryDestination.tableUrl"; did you mean '
            '"tableUri"?',
        ),
        (
            DICOM,
            {**STORE, "streamConfigs": [{"bigqueryDestination": {}}]},
            "streamConfigs[0].bigqueryDestination.tableUri",
            'missing required property "streamConfigs[0].bigqueryDestination.tableUri": '
            "give it a value",
        ),
        (
            FHIR,
            {**STORE, "version": "R5"},
            "version",
            'expected version to be one of ["DSTU2", "STU3", "R4"], got "R5"',
        ),
        (
            BIGQUERY,
            {"datasetId": "data-set"},
            "datasetId",
            '"datasetId" ("data-set") is not allowed: it has to be 1 to 1024 letters, digits or '
            r"underscores (/\w{1,1024}/)",
        ),
        (
            BIGQUERY,
            {"datasetId": "d", "defaultTableExpirationMs": 60000},
            "defaultTableExpirationMs",
            '"defaultTableExpirationMs" (60000) is not allowed: it has to be at least 3600000',
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
            BUCKET,
            {"name": "bucket", "location": "US", "storageClass": "COLD"},
            "storageClass",
            'expected storageClass to be one of ["STANDARD", "MULTI_REGIONAL", "REGIONAL", '
            '"NEARLINE", "COLDLINE", "ARCHIVE"], got "COLD"; did you mean "COLDLINE"?',
        ),
    ],
)
def test_names_property_value_and_what_is_allowed(
    engine: Engine, type_: str, news: Any, path: str, reason: str
) -> None:
    failures = engine.check(type_, news).failures

    assert (path, reason) in [(failure.property, failure.reason) for failure in failures]


@pytest.mark.parametrize(
    ("type_", "news", "path", "part"),
    [
        (DATASET, {"name": "d", "location": "us-central9"}, "location", 'mean "us-central1"?'),
        (DICOM, {"name": "s", "dataset": "dataset1"}, "dataset", "projects/PROJECT/locations/"),
        (SERVICE, {"service": "healthcare"}, "service", "a domain like healthcare.googleapis.com"),
        (MEMBER, {"project": "p-1", "role": "roles/x", "member": "me"}, "member", "an IAM member"),
        (
            MEMBER,
            {"project": "p-1", "role": "roles/x", "member": "deleted:user:a@b"},
            "member",
            "not one that was deleted",
        ),
        (DICOM, {**STORE, "deletionPolicy": "KEEP"}, "deletionPolicy", '["DELETE", "PREVENT",'),
        (TOPIC, {"name": "goog-topic"}, "name", 'not with "goog"'),
        (SUBSCRIPTION, {"name": "sub", "topic": "t", "messageRetentionDuration": "1h"},
         "messageRetentionDuration", "such as 600s"),
        (DICOM, {**STORE, "notificationConfig": {"pubsubTopic": "t"}},
         "notificationConfig.pubsubTopic", "projects/PROJECT/topics/TOPIC"),
    ],
)  # fmt: skip
def test_says_what_would_do(engine: Engine, type_: str, news: Any, path: str, part: str) -> None:
    (failure,) = engine.check(type_, news).failures

    assert failure.property == path
    assert part in failure.reason


def test_fills_the_defaults_and_says_which(engine: Engine) -> None:
    inputs = engine.inputs(BIGQUERY, {"datasetId": "d", "labels": {"env": "lab"}})

    assert inputs == {
        "__defaults": ["deleteContentsOnDestroy", "location"],
        "datasetId": "d",
        "deleteContentsOnDestroy": False,
        "labels": {"__defaults": [], "env": "lab"},
        "location": "US",
    }


def test_lets_unknown_values_pass(engine: Engine) -> None:
    response = engine.check(FHIR, {"name": UNKNOWN, "dataset": UNKNOWN, "version": UNKNOWN})

    assert not response.failures
    assert from_struct(response.inputs)["version"] == UNKNOWN


def test_refuses_a_type_that_is_not_in_the_table(engine: Engine) -> None:
    with pytest.raises(RefusedError) as refused:
        engine.check("gcp:compute/instance:Instance", {})

    assert (
        "does not know gcp:compute/instance:Instance; it knows gcp:bigquery" in refused.value.text
    )


def test_refuses_a_function_it_does_not_have(engine: Engine) -> None:
    from engine.protocol import provider_pb2

    with pytest.raises(RefusedError) as refused:
        engine.stub.Invoke(provider_pb2.InvokeRequest(tok="gcp:kms/getKey:getKey"))

    assert "has no function gcp:kms/getKey:getKey" in refused.value.text
