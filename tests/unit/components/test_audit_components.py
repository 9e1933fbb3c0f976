"""The sink of audit logs and the alert on unexpected access."""

from typing import Any

import pytest

from components.base import ArgumentError
from components.logs.access_alert import AccessAlertArgs, unexpected_access
from components.logs.audit_log_sink import AUDIT_LOGS, AuditLogSinkArgs
from tests.support.program import run

SINK = "gcp:logging/projectSink:ProjectSink"
ALERT = {
    "allowedPrincipals": ["a.b+c@example.com"],
    "allowedDomains": ["hospital.example"],
    "emails": ["privacy@example.com"],
    "notificationChannels": ["projects/p/notificationChannels/12"],
}


def test_a_sink_writes_tables_as_itself() -> None:
    deployed = run(auditLogSink={"destination": "bigqueryDataset"})
    [sink] = deployed.of_type(SINK)
    assert sink.inputs == {
        "project": "local-project",
        "name": "audit-logs",
        "destination": "bigquery.googleapis.com/projects/local-project/datasets/dataset1",
        "filter": AUDIT_LOGS,
        "uniqueWriterIdentity": True,
        "bigqueryOptions": {"usePartitionedTables": True},
    }
    grant = deployed["audit-log-sink-writer"]
    assert grant.type == "gcp:bigquery/datasetIamMember:DatasetIamMember"
    assert grant.inputs["role"] == "roles/bigquery.dataEditor"
    assert (grant.inputs["project"], grant.inputs["datasetId"]) == ("local-project", "dataset1")
    assert "warehouse" in deployed.all_dependencies("audit-log-sink-writer")
    assert "services-logging" in deployed.names


def test_a_sink_writes_objects_into_a_bucket() -> None:
    deployed = run(auditLogSink={"destination": "gs://logs", "filter": "severity>=ERROR"})
    [sink] = deployed.of_type(SINK)
    assert sink.inputs["destination"] == "storage.googleapis.com/logs"
    assert sink.inputs["filter"] == "severity>=ERROR"
    assert "bigqueryOptions" not in sink.inputs
    grant = deployed["audit-log-sink-writer"]
    assert grant.type == "gcp:storage/bucketIAMMember:BucketIAMMember"
    assert (grant.inputs["bucket"], grant.inputs["role"]) == (
        "logs",
        "roles/storage.objectCreator",
    )


def test_an_alert_notifies_new_and_existing_channels() -> None:
    deployed = run(accessAlert=ALERT, auditLogs=["DATA_READ"], labels={"env": "lab"})
    channel = deployed["access-alert-privacy@example.com"].inputs
    assert channel["labels"] == {"email_address": "privacy@example.com"}
    [policy] = deployed.of_type("gcp:monitoring/alertPolicy:AlertPolicy")
    assert len(policy.inputs["notificationChannels"]) == 2
    assert policy.inputs["notificationChannels"][1] == "projects/p/notificationChannels/12"
    assert policy.inputs["userLabels"] == {"env": "lab"}
    [metric] = deployed.of_type("gcp:logging/metric:Metric")
    [condition] = policy.inputs["conditions"]
    assert condition["conditionMatchedLog"]["filter"] == metric.inputs["filter"]
    assert {"services-logging", "services-monitoring"} <= set(deployed.names)


def test_the_filter_names_who_is_expected() -> None:
    text = unexpected_access(["a.b+c@example.com"], ["hospital.example"])
    assert text == (
        'log_id("cloudaudit.googleapis.com/data_access") '
        'AND protoPayload.serviceName="healthcare.googleapis.com" '
        "AND NOT protoPayload.authenticationInfo.principalEmail"
        '=~"^(a[.]b[+]c@example[.]com|[^@]+@hospital[.]example)$"'
    )


@pytest.mark.parametrize(
    ("args", "text"),
    [
        ({"allowed_principals": ["user:a@example.com"]}, 'Did you mean "a@example.com"?'),
        ({"allowed_domains": ["a@Example.com"]}, 'Did you mean "example.com"?'),
        ({}, "every access would notify"),
        ({"allowed_domains": ["e.com"], "notification_channels": ["x"]}, "notification channel"),
    ],
)
def test_an_alert_refuses(args: dict[str, Any], text: str) -> None:
    with pytest.raises(ArgumentError) as refused:
        AccessAlertArgs("my-project", **args)
    assert text in str(refused.value)


@pytest.mark.parametrize("destination", ["bigqueryDataset", "logs", "gs://a/b", "bq://p"])
def test_a_sink_needs_a_destination_in_full(destination: str) -> None:
    with pytest.raises(ArgumentError, match="is not a destination of logs"):
        AuditLogSinkArgs("my-project", "s", destination)
